"""Region proposals: Faster R-CNN's layer of forks, and the Python layers of py-faster-rcnn.

Sources: proposal_layer of forks; lib/rpn and lib/roi_data_layer of py-faster-rcnn; Ren et al. 2015.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import NoBlobs, Source
from netcount.layers.boxes import suppressed
from netcount.layers.layer import THREE, Arity
from netcount.lazy import np
from netcount.opcount import OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run

PROPOSALS = {"TEST": 300, "TRAIN": 2000}
"""py-faster-rcnn's RPN_POST_NMS_TOP_N."""
CANDIDATES = {"TEST": 6000, "TRAIN": 12000}
"""Its RPN_PRE_NMS_TOP_N."""
SAMPLED = 128
"""Its TRAIN.BATCH_SIZE: boxes sampled for training."""
RATIOS = (0.5, 1.0, 2.0)
SCALES = (8.0, 16.0, 32.0)


class Proposal(NoBlobs):
    """The best boxes of a region proposal network.  (scores, deltas, N×3 image) -> R×5[, R×1].

    R depends on the data; the inferred one is the most there can be (post_nms_topn, by custom 300).
    """

    type = "Proposal"
    source = "Faster R-CNN forks"
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
        if self.most < 1:
            self.refuse("post_nms_topn must be positive", "proposal_param.post_nms_topn")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """R×5 and R×1, after the check of the anchors."""
        scores, deltas, _ = bottoms
        anchors = len(self.ratios) * len(self.scales)
        for index, (shape, wanted) in enumerate(((scores, 2 * anchors), (deltas, 4 * anchors))):
            if len(shape) != 4 or shape[1] != wanted:
                self.refuse(
                    f"{self.named(index)} {shape} must have {wanted} channels for {anchors} anchors",
                    "bottom",
                    index,
                )
        return [Shape((self.most, 5)), Shape((self.most, 1))][: self.top_count]

    def data_dependent(self, bottoms: Sequence[Shape]) -> str | None:
        """The proposals."""
        return f"at most {self.most} proposals; fewer when boxes are dropped"

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The decoding of every anchor; the suppression depends on the data and is not counted."""
        boxes = bottoms[1].count() // 4
        return OpCount(adds=10 * boxes, muls=6 * boxes, compares=10 * boxes, exps=2 * boxes)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Decode, clip, drop small ones, keep the best, suppress."""
        scores, deltas, info = bottoms
        if len(scores) != 1:
            self.refuse("takes one image", "bottom")
        height, width, zoom = info.reshape(-1)[:3].tolist()
        base = anchors_of(self.base, self.ratios, self.scales)
        own = scores[0, len(base) :].transpose(1, 2, 0).reshape(-1)
        boxes = _decoded(base, deltas[0], self.stride, (height, width))
        sides = boxes[:, 2:] - boxes[:, :2] + 1
        large = np.flatnonzero((sides >= self.least * zoom).all(axis=1))
        order = large[np.argsort(-own[large], kind="stable")][: self.before]
        kept = order[suppressed(boxes[order], own[order], self.threshold, pixel=1)[: self.most]]
        rois = np.zeros((len(kept), 5), dtype=np.float32)
        rois[:, 1:] = boxes[kept]
        return [rois, own[kept].reshape(-1, 1)][: self.top_count]


def anchors_of(base: float, ratios: Sequence[float], scales: Sequence[float]) -> Array:
    """Anchor boxes around the first cell: for each ratio of height to width every scale."""
    centre, found = (base - 1) / 2, []
    for ratio in ratios:
        wide = np.round(np.sqrt(base * base / ratio))
        high = np.round(wide * ratio)
        for scale in scales:
            half_w, half_h = (wide * scale - 1) / 2, (high * scale - 1) / 2
            found.append((centre - half_w, centre - half_h, centre + half_w, centre + half_h))
    return np.array(found)


def _decoded(base: Array, deltas: Array, stride: int, size: tuple[float, float]) -> Array:
    """Boxes (H·W·anchors, 4) clipped to the image, from deltas (4·anchors)×H×W."""
    high, wide = deltas.shape[1:]
    x, y = np.meshgrid(np.arange(wide) * stride, np.arange(high) * stride)
    shifts = np.stack([x, y, x, y], axis=-1).reshape(-1, 1, 4)
    anchors = (base + shifts).reshape(-1, 4)
    moves = deltas.transpose(1, 2, 0).reshape(-1, 4)
    sides = anchors[:, 2:] - anchors[:, :2] + 1
    centres = anchors[:, :2] + sides / 2 + moves[:, :2] * sides
    half = np.exp(moves[:, 2:]) * sides / 2
    boxes = np.concatenate([centres - half, centres + half], axis=1)
    limit = np.array([size[1] - 1, size[0] - 1] * 2)
    result: Array = np.clip(boxes, 0, limit)
    return result


def _setting(text: str, key: str, default: int) -> int:
    """A whole number of a Python layer's param_str (a few keys of YAML)."""
    found = re.search(rf"['\"]?{key}['\"]?\s*:\s*(\d{{1,9}})", text)
    return int(found[1]) if found else default


def _scales(text: str) -> list[float]:
    """The anchor scales of a param_str."""
    found = re.search(r"['\"]?scales['\"]?\s*:\s*[\[(]([\d\s,.]*)[\])]", text)
    return [float(part) for part in found[1].split(",") if part.strip()] if found else list(SCALES)


class ProposalLayer(Proposal):
    """py-faster-rcnn's rpn.proposal_layer.  (scores, deltas, 1×3 image) -> R×5[, R×1]."""

    type = "Python"
    source = "py-faster-rcnn"
    python = "rpn.proposal_layer.ProposalLayer"

    def read(self, message: Message) -> None:
        """Stride and scales are in param_str; the limits are py-faster-rcnn's for the phase."""
        text = message.child("python_param").text("param_str")
        self.stride, self.base = _setting(text, "feat_stride", 16), 16
        self.least, self.threshold = 16, 0.7
        self.before, self.most = CANDIDATES[self.phase], PROPOSALS[self.phase]
        self.ratios, self.scales = list(RATIOS), _scales(text)


class _Sampling(NoBlobs):
    """A layer that matches boxes to the truth and samples some for training."""

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The overlap of every box with one of the truth: the bound for one object."""
        boxes = max(bottom.count() for bottom in bottoms) // 4
        return OpCount(adds=8 * boxes, muls=2 * boxes, divs=boxes, compares=5 * boxes)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Refused by name: sampling is training."""
        self.refuse("netcount does not sample boxes for training; give its tops with --input")


class AnchorTargetLayer(_Sampling):
    """py-faster-rcnn's rpn.anchor_target_layer: which anchors are object, and their targets.

    (1×2A×H×W scores, truth, image, data) -> 1×1×(A·H)×W labels, and 1×4A×H×W three times.
    """

    type = "Python"
    source = "py-faster-rcnn"
    python = "rpn.anchor_target_layer.AnchorTargetLayer"
    bottoms = Arity(1, 4)
    tops = Arity(1, 4)

    def read(self, message: Message) -> None:
        """The anchors' number."""
        text = message.child("python_param").text("param_str")
        self.anchors = len(RATIOS) * len(_scales(text))

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """From the height and width of the scores."""
        scores = bottoms[0]
        if len(scores) != 4:
            self.refuse(f"{self.named(0)} {scores} must be N×C×H×W", "bottom")
        high, wide = scores[2:]
        targets = Shape((1, 4 * self.anchors, high, wide))
        return [Shape((1, 1, self.anchors * high, wide)), targets, targets, targets][: self.top_count]


class ProposalTargetLayer(_Sampling):
    """py-faster-rcnn's rpn.proposal_target_layer: boxes sampled for training, and their targets.

    (R×5, truth) -> S×5 boxes, S labels, S×4K targets three times, S = 128 by custom.
    """

    type = "Python"
    source = "py-faster-rcnn"
    python = "rpn.proposal_target_layer.ProposalTargetLayer"
    bottoms = Arity(2, 2)
    tops = Arity(1, 5)

    def read(self, message: Message) -> None:
        """num_classes of param_str."""
        text = message.child("python_param").text("param_str")
        self.classes = _setting(text, "num_classes", 0)
        if not self.classes:
            self.refuse("param_str needs num_classes", "python_param.param_str")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Rows for the sampled boxes."""
        targets = Shape((SAMPLED, 4 * self.classes))
        found = [Shape((SAMPLED, 5)), Shape((SAMPLED, 1)), targets, targets, targets]
        return found[: self.top_count]

    def data_dependent(self, bottoms: Sequence[Shape]) -> str | None:
        """The sampled boxes."""
        return f"{SAMPLED} sampled boxes, py-faster-rcnn's custom"


class RoIDataLayer(Source):
    """py-faster-rcnn's roi_data_layer.layer: images with boxes, by custom 1×3×600×1000."""

    type = "Python"
    source = "py-faster-rcnn"
    python = "roi_data_layer.layer.RoIDataLayer"

    def read(self, message: Message) -> None:
        """num_classes of param_str."""
        text = message.child("python_param").text("param_str")
        self.classes = _setting(text, "num_classes", 0)
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
        """By the top's customary name."""
        name = self.message.texts("top")[index]
        if index == 0:
            return Shape((1, 3, 600, 1000))
        customs = {
            "im_info": (1, 3),
            "gt_boxes": (1, 5),
            "rois": (SAMPLED, 5),
            "labels": (SAMPLED,),
        }
        if name in customs:
            return Shape(customs[name])
        if name.startswith("bbox_") and self.classes:
            return Shape((SAMPLED, 4 * self.classes))
        return None
