"""Region proposals: Faster R-CNN's layer of forks, and the Python layers of py-faster-rcnn.

Sources: proposal_layer.cpp of PVANet's Caffe and caffe-windows; lib/rpn and lib/roi_data_layer of
py-faster-rcnn; Ren et al. 2015, arXiv 1506.01497.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from netcount.layers.anchors import RATIOS, SCALES, anchors_of, moved, shifted
from netcount.layers.base import NoBlobs, Source
from netcount.layers.boxes import suppressed
from netcount.layers.layer import THREE, Arity
from netcount.layers.proposal_target import (
    SAMPLED,
    scales_of,
    setting,
)
from netcount.lazy import np
from netcount.opcount import OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.loss_base import Mask
    from netcount.layers.run import Array, Run

PROPOSALS = {"TEST": 300, "TRAIN": 2000}
"""py-faster-rcnn's RPN_POST_NMS_TOP_N."""
CANDIDATES = {"TEST": 6000, "TRAIN": 12000}
"""Its RPN_PRE_NMS_TOP_N."""


class Proposal(NoBlobs):
    """The best boxes of a region proposal network.

    (scores N×2A×H×W, deltas N×4A×H×W, image: height, width, zoom) -> R×5[, R], R being at most
    N·post_nms_topn and the inferred extent.  A box is image, x1, y1, x2, y2 in pixels.  Without
    ratio and scale the customary three each are taken.
    """

    type = "Proposal"
    source = "PVANet, caffe-windows"
    bottoms = THREE
    tops = Arity(1, 2)

    def read(self, message: Message) -> None:
        """Anchors, limits and thresholds."""
        param = message.child("proposal_param")
        self.stride, self.base = param.integer("feat_stride"), param.integer("base_size")
        self.least, self.threshold = param.integer("min_size"), param.number("nms_thresh")
        self.before, self.most = param.integer("pre_nms_topn"), param.integer("post_nms_topn")
        self.ratios = param.numbers("ratio") or list(RATIOS)
        self.scales = param.numbers("scale") or list(SCALES)
        for field, number in (("post_nms_topn", self.most), ("base_size", self.base)):
            if number < 1:
                self.refuse(f"{field} must be positive", f"proposal_param.{field}")
        for index, ratio in enumerate(self.ratios):
            if ratio <= 0:
                self.refuse(f"ratio {ratio:g} must be positive", "proposal_param.ratio", index)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """R×5 and R, after the check of the anchors."""
        rows = self.check(bottoms) * self.most
        return [Shape((rows, 5)), Shape((rows,))][: self.top_count]

    def check(self, bottoms: Sequence[Shape]) -> int:
        """The number of images."""
        anchors = len(self.ratios) * len(self.scales)
        for index, values in ((0, 2 * anchors), (1, 4 * anchors)):
            shape = bottoms[index]
            if len(shape) != 4 or shape[1] != values:
                self.refuse(
                    f"{self.named(index)} {shape} must be N×{values}×H×W for {anchors} anchors",
                    "bottom",
                    index,
                )
        if bottoms[0][2:] != bottoms[1][2:] or bottoms[0][0] != bottoms[1][0]:
            self.refuse(
                f"{self.named(0)} {bottoms[0]} and {self.named(1)} {bottoms[1]} differ in images, height or width",
                "bottom",
                1,
            )
        return bottoms[0][0]

    def data_dependent(self, bottoms: Sequence[Shape]) -> str | None:
        """The proposals."""
        return f"at most {self.most} proposals an image; fewer when boxes suppress each other"

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Each anchor moved, clipped and measured; sorting and suppression depend on the data and
        are not counted."""
        boxes = bottoms[1].count() // 4
        return OpCount(adds=24 * boxes, muls=11 * boxes, compares=10 * boxes, exps=2 * boxes)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Image by image: move the anchors, clip, keep the best, suppress."""
        scores, deltas, info = bottoms
        base = anchors_of(self.base, self.ratios, self.scales)
        infos = info.reshape(len(info), -1)
        if infos.shape[1] < 3:
            self.refuse(f"{self.named(2)} must hold height, width and zoom", "bottom", 2)
        rois, kept = [], []
        for image in range(len(scores)):
            high, wide, *zoom = infos[min(image, len(infos) - 1)].tolist()
            foreground = scores[image, len(base) :].transpose(1, 2, 0).reshape(-1)
            anchors = shifted(base, self.stride, deltas.shape[2:])
            boxes = moved(anchors, deltas[image].transpose(1, 2, 0).reshape(-1, 4))
            boxes = np.clip(boxes, 0, np.array([wide - 1, high - 1] * 2, dtype=np.float32))
            sides = boxes[:, 2:] - boxes[:, :2] + 1
            large = sides >= self.least * np.array([zoom[-1], zoom[0]])
            boxes, foreground = self.without(large[:, 0] & large[:, 1], boxes, foreground)
            order = np.argsort(-foreground, kind="stable")[: self.before]
            boxes, foreground = boxes[order], foreground[order]
            stay = suppressed(boxes, foreground, self.threshold, pixel=1, most=self.most)
            rois.append(np.insert(boxes[stay], 0, image, axis=1).astype(np.float32))
            kept.append(foreground[stay])
        return [np.concatenate(rois), self.as_top(np.concatenate(kept))][: self.top_count]

    def without(self, large: Mask, boxes: Array, scores: Array) -> tuple[Array, Array]:
        """What is done about boxes that are too small: here their score becomes 0."""
        return boxes, scores * large

    def as_top(self, scores: Array) -> Array:
        """The scores, in the shape of top 1."""
        return scores


class ProposalLayer(Proposal):
    """py-faster-rcnn's rpn.proposal_layer, for one image.

    (scores 1×2A×H×W, deltas 1×4A×H×W, image 1×3) -> R×5[, R×1], R being at most 300 in TEST and
    2000 in TRAIN by custom.
    """

    type = "Python"
    source = "py-faster-rcnn"
    python = "rpn.proposal_layer.ProposalLayer"

    def read(self, message: Message) -> None:
        """Stride and scales are in param_str; the limits are py-faster-rcnn's for the phase."""
        text = message.child("python_param").text("param_str")
        self.stride, self.base = setting(text, "feat_stride", 16), 16
        self.least, self.threshold = 16, 0.7
        self.before, self.most = CANDIDATES[self.phase], PROPOSALS[self.phase]
        self.ratios, self.scales = list(RATIOS), scales_of(text)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """R×5 and R×1."""
        self.check(bottoms)
        return [Shape((self.most, 5)), Shape((self.most, 1))][: self.top_count]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """As Proposal, of a single image."""
        if len(bottoms[0]) != 1:
            self.refuse(f"takes one image, not {len(bottoms[0])}", "bottom")
        return super().forward(bottoms, blobs, run)

    def without(self, large: Mask, boxes: Array, scores: Array) -> tuple[Array, Array]:
        """Boxes that are too small are dropped."""
        return boxes[large], scores[large]

    def as_top(self, scores: Array) -> Array:
        """R×1."""
        return scores[:, None]


class RoIDataLayer(Source):
    """py-faster-rcnn's roi_data_layer.layer: images with boxes, by custom 1×3×600×1000.

    With three tops data, im_info and gt_boxes (Faster R-CNN), with more data, rois, labels,
    bbox_targets and weights (Fast R-CNN), with py-R-FCN's axes of 1, as from ProposalTargetLayer.
    """

    type = "Python"
    source = "py-faster-rcnn"
    python = "roi_data_layer.layer.RoIDataLayer"

    def read(self, message: Message) -> None:
        """num_classes of param_str."""
        text = message.child("python_param").text("param_str")
        self.classes = setting(text, "num_classes", 0)
        self.assumed = (
            "600×1000 images are assumed, py-faster-rcnn's custom; --input-shape "
            f"{message.texts('top')[0]}=N,C,H,W says otherwise"
        )

    def infer_given(self, given: Mapping[int, Shape]) -> list[Shape]:
        """Nothing is assumed of an image that is given."""
        if 0 in given:
            self.assumed = None
        return super().infer_given(given)

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """By the top's position."""
        if index == 0:
            return Shape((1, 3, 600, 1000))
        if self.top_count == 3:
            return Shape(((1, 3), (1, 5))[index - 1])
        if index < 3:
            return Shape((SAMPLED, (5, 1)[index - 1], 1, 1))
        return Shape((SAMPLED, 4 * self.classes, 1, 1)) if self.classes and index < 6 else None
