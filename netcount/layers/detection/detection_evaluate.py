"""How well detections agree with the truth, box by box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.boxes import overlaps
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

PARAM = "detection_evaluate_param"


class DetectionEvaluate(NoBlobs):
    """Detections held against the truth.  (1×1×D×7, 1×1×G×8) -> 1×1×(classes−1+D)×5.

    First a row per class but the background (−1, class, boxes of the truth, −1, −1), then a row per
    detection (image, class, score, right, wrong).  Rows come in as DetectionOutput makes them, and
    as image, class, instance, x1, y1, x2, y2, difficult.
    Source: detection_evaluate_layer.cpp of SSD.

    With three bottoms Cascade R-CNN's: (D×7, truth G×8, heights and widths N×2) -> (classes−1+D)×5×1×1.
    It reads the sizes of the images from name_size_file, so that its values are not computed here.
    Source: that file of cascade-rcnn.
    """

    type = "DetectionEvaluate"
    source = "SSD"
    bottoms: ClassVar[Arity] = Arity(2, None)
    replaceable = True
    classes: int
    background: int
    threshold: float
    difficult: bool

    def read(self, message: Message) -> None:
        """Classes and thresholds."""
        param = message.child(PARAM)
        if not param.has("num_classes"):
            self.refuse("needs num_classes", PARAM)
        self.classes = param.integer("num_classes")
        self.background = param.integer("background_label_id")
        self.threshold = param.number("overlap_threshold")
        self.difficult = param.flag("evaluate_difficult_gt")
        if self.threshold <= 0:
            self.refuse("overlap_threshold must be positive", f"{PARAM}.overlap_threshold")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """A row per class but the background, and a row per detection."""
        if len(bottoms) == 3:
            shapes = [legacy(self, shape, index) for index, shape in enumerate(bottoms)]
            for index, (values, wanted) in enumerate(zip(shapes, (7, 8, 2), strict=True)):
                if values[1] != wanted:
                    self.refuse(
                        f"{self.named(index)} {bottoms[index]} must hold {wanted} values per row", "bottom", index
                    )
            return [Shape((self.classes - 1 + shapes[0][0], 5, 1, 1))]
        for index, (shape, width) in enumerate(zip(bottoms, (7, 8), strict=False)):
            if len(shape) != 4 or shape[:2] != (1, 1) or shape[3] != width:
                self.refuse(f"{self.named(index)} {shape} must be 1×1×…×{width}", "bottom", index)
        return [Shape((1, 1, self.classes - 1 + bottoms[0][2], 5))]

    def data_dependent(self, bottoms: Sequence[Shape]) -> str | None:
        """The valid detections."""
        return "a row per class and a valid detection; shown for the detections of the bottom's shape"

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The bound: the overlap of every detection with every box of the truth, and the largest;
        sorting is not counted."""
        detections, truth = (shape[0] if len(bottoms) == 3 else shape[2] for shape in bottoms[:2])
        pairs = detections * truth
        return OpCount(adds=8 * pairs + truth, muls=3 * pairs, divs=pairs, compares=11 * pairs)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Image by image and class by class, the best detections first."""
        if self.message.child(PARAM).has("name_size_file"):
            self.refuse("the sizes of name_size_file are not read here", f"{PARAM}.name_size_file")
        if len(bottoms) == 3:
            self.refuse("needs a name_size_file, which is not read here", PARAM, advice=self.given_tops())
        detections, truth = bottoms[0].reshape(-1, 7), bottoms[1].reshape(-1, 8)
        ends = np.flatnonzero(truth[:, 0].astype(np.int64) == -1)
        truth = truth[: ends[0] if len(ends) else None]
        for index, rows_of in enumerate((detections[detections[:, 0] != -1], truth)):
            if (rows_of[:, 1].astype(np.int64) == self.background).any():
                self.refuse(
                    f"{self.named(index)} names the background, class {self.background}",
                    "bottom",
                    index,
                    advice=self.given_bottoms(index),
                )
        counted = truth if self.difficult else truth[truth[:, 7] == 0]
        rows = [
            [-1.0, float(c), float((counted[:, 1].astype(np.int64) == c).sum()), -1.0, -1.0]
            for c in range(self.classes)
            if c != self.background
        ]
        valid = detections[:, 1] != -1
        length = len(rows) + int(valid.sum())
        named = detections[valid & (detections[:, 0] != -1)].astype(np.float32)
        for image, label in sorted({(int(row[0]), int(row[1])) for row in named}):
            own = named[(named[:, 0] == image) & (named[:, 1] == label)]
            boxes = truth[(truth[:, 0] == image) & (truth[:, 1] == label)]
            rows += self._judged(image, label, own, boxes)
        top = np.zeros((length, 5), dtype=np.float32)
        top[: len(rows)] = np.array(rows, dtype=np.float32).reshape(-1, 5)
        return [top[None, None]]

    def _judged(self, image: int, label: int, detections: Array, truth: Array) -> list[list[float]]:
        """A row per detection: right when it overlaps a box that no better one has taken."""
        if not len(truth):
            return [[image, label, float(row[2]), 0, 1] for row in detections]
        detections = detections[np.argsort(-detections[:, 2], kind="stable")]
        shared = overlaps(detections[:, 3:7], truth[:, 3:7])
        taken: set[int] = set()
        rows = []
        for row, overlap in zip(detections, shared, strict=True):
            box = int(overlap.argmax())
            right, wrong = 0.0, 1.0
            if overlap[box] >= self.threshold:
                if not self.difficult and truth[box, 7]:
                    right, wrong = 0.0, 0.0
                elif box not in taken:
                    right, wrong = 1.0, 0.0
                    taken.add(box)
            rows.append([image, label, float(row[2]), right, wrong])
        return rows
