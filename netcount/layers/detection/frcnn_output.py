from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.anchors import moved
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.detection._box_output import coding_of, suppressed_by
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

PARAM = "frcnn_output_param"
VALUES = 7


class FrcnnOutput(NoBlobs):
    """The detections of a stage of Cascade R-CNN in one image.

    (probabilities R×K, boxes R×4K or R×8 where the classes share them, regions R×5 or R×6, height and
    width 1×2) -> D×7×1×1: image, corners, class and probability, after a first row that says nothing.
    D is data; Caffe sets up one row.  Source: frcnn_output_layer.cpp of cascade-rcnn.
    """

    type = "FrcnnOutput"
    source = "cascade-rcnn"
    bottoms: ClassVar[Arity] = Arity(4, 4)
    score: float
    threshold: float
    mode: str
    most: int
    own: bool
    means: list[float]
    deviations: list[float]

    def read(self, message: Message) -> None:
        """Coding, thresholds and the most detections."""
        param = message.child(PARAM)
        self.score, self.threshold = param.number("conf_thr"), param.number("iou_thr")
        self.mode, self.most = param.text("nms_type"), param.integer("max_det_num")
        self.own = message.child("bbox_reg_param").flag("cls_aware")
        self.means, self.deviations = coding_of(self)
        for index, deviation in enumerate(self.deviations):
            if deviation <= 0:
                self.refuse(f"bbox_std {deviation:g} must be positive", "bbox_reg_param.bbox_std", index)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """One row, after the check that the bottoms fit together."""
        scores, boxes, regions, size = (legacy(self, shape, index) for index, shape in enumerate(bottoms))
        wanted = {1: (4 * scores[1] if self.own else 8,), 2: (5, 6)}
        for index, shape in ((1, boxes), (2, regions)):
            if shape[0] != scores[0]:
                self.refuse(
                    f"{self.named(0)} {bottoms[0]} and {self.named(index)} {bottoms[index]} differ in regions",
                    "bottom",
                    index,
                )
            if shape[1] not in wanted[index]:
                each = " or ".join(map(str, wanted[index]))
                self.refuse(
                    f"{self.named(index)} {bottoms[index]} must hold {each} values per region", "bottom", index
                )
        if size[:2] != (1, 2):
            self.refuse(f"{self.named(3)} {bottoms[3]} must be one height and width", "bottom", 3)
        return [Shape((1, VALUES, 1, 1))]

    def data_dependent(self, bottoms: Sequence[Shape]) -> str | None:
        """The detections."""
        return f"one row per detection{f', at most {self.most}' if self.most else ''}; Caffe sets up one"

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Each box decoded, each probability held against conf_thr, each box of an object clipped;
        sorting and suppression depend on the data and are not counted."""
        scores, boxes = (legacy(self, shape, index) for index, shape in enumerate(bottoms[:2]))
        decoded, objects = boxes[0] * boxes[1] // 4, scores[0] * max(scores[1] - 1, 0)
        return OpCount(
            adds=12 * decoded + 6 * scores[0],
            muls=8 * decoded + 2 * scores[0],
            divs=2 * decoded,
            compares=5 * objects,
            exps=2 * decoded,
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Class after class, the best first; where there are too many, the best of all classes."""
        scores, deltas, regions = (bottom.reshape(len(bottom), -1) for bottom in bottoms[:3])
        if regions[:, 0].any():
            self.refuse("needs regions of one image, number 0", "bottom", 2)
        high, wide = bottoms[3].reshape(-1)[:2]
        values = deltas.reshape(len(deltas), -1, 4) * np.array(self.deviations) + np.array(self.means)
        rows: list[list[float]] = []
        for label in range(1, scores.shape[1]):
            sure = np.flatnonzero(scores[:, label] >= self.score)
            boxes = moved(regions[sure, 1:5], values[sure, label if self.own else 1])
            boxes[:, 2:] -= 1
            boxes[:, :2] = np.maximum(boxes[:, :2], 0)
            boxes[:, 2:] = np.minimum(boxes[:, 2:], [wide, high])
            order = np.argsort(-scores[sure, label], kind="stable")
            kept = order[suppressed_by(self.mode, boxes[order], self.threshold, 1)]
            rows += [[0, *boxes[index], label, scores[sure[index], label]] for index in kept]
        if self.most and len(rows) > self.most:
            best = sorted(range(len(rows)), key=lambda index: (-rows[index][-1], index))[: self.most]
            rows = sorted((rows[index] for index in best), key=lambda row: (row[5], -row[6]))
        detections = np.array([[0, *[-1] * (VALUES - 1)], *rows], dtype=np.float32)
        return [detections.reshape(-1, VALUES, 1, 1)]
