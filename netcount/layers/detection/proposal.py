from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.anchors import RATIOS, SCALES, anchors_of, moved, shifted
from netcount.kernels.boxes import suppressed
from netcount.layers.bases import NoBlobs
from netcount.layers.layer import THREE, Arity
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Mask, Run


class Proposal(NoBlobs):
    """The best boxes of a region proposal network.

    (scores N×2A×H×W, deltas N×4A×H×W, image: height, width, zoom) -> R×5[, R], R being at most
    N·post_nms_topn and the inferred extent.  A box is image, x1, y1, x2, y2 in pixels.  Without
    ratio and scale the customary three each are taken.
    """

    type = "Proposal"
    source = "PVANet, caffe-windows"
    bottoms = THREE
    tops: ClassVar[Arity] = Arity(1, 2)
    stride: int
    base: int
    least: int
    threshold: float
    before: int
    most: int
    ratios: list[float]
    scales: list[float]

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

    def anchors(self, bottoms: Sequence[Shape]) -> int:
        """How many anchors a position has."""
        return len(self.ratios) * len(self.scales)

    def check(self, bottoms: Sequence[Shape]) -> int:
        """The number of images."""
        anchors = self.anchors(bottoms)
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
