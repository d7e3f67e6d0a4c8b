"""What YOLO's losses share: a grid held against the truth.

Truth is N×(300·5): rows of class, x, y, w, h in units of the image, the end marked by a 0.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.layer import WorkingMemory
from netcount.layers.loss._loss import Loss, number
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from numpy.typing import NDArray

    from netcount.kernels.run import Array, Run

    Values: TypeAlias = NDArray[Any]

MOST = 300
"""Boxes of the truth an image can have."""


class GridLoss(Loss):
    """A loss over a grid whose cells predict boxes·(x, y, w, h, object, classes)."""

    source = "MobileNet-YOLO"
    replaceable = True
    name: str
    classes: int
    boxes: int
    biases: list[float]
    threshold: float
    object_scale: float
    class_scale: float
    coord_scale: float

    def read(self, message: Message) -> None:
        """Grid, classes, anchors and scales."""
        super().read(message)
        param = message.child(self.name)
        self.classes, self.boxes = param.integer("num_class"), param.integer("num")
        self.biases = param.numbers("biases")
        self.threshold = param.number("thresh")
        self.object_scale = param.number("object_scale")
        self.class_scale = param.number("class_scale")
        self.coord_scale = param.number("coord_scale")

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The bound, as if each image had 300 boxes in its truth: the activation of every value,
        the overlap of every predicted box with all of the truth, the best anchor for each box of
        it, and the square of every gradient."""
        values = bottoms[0].count()
        boxes = values // (5 + self.classes)
        pairs = boxes * MOST + bottoms[0][0] * MOST * self.boxes
        return OpCount(
            adds=10 * pairs + 2 * values + 2 * boxes,
            muls=3 * pairs + values + 3 * boxes,
            divs=9 * pairs + values + 4 * boxes + 1,
            compares=7 * pairs + boxes,
            exps=values + 2 * boxes,
        )

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """Values, what they are activated to, gradients and their squares, predicted boxes, and the truth: in 64
        bits."""
        values, truth = (bottom.count() for bottom in bottoms)
        boxes = values // (5 + self.classes)
        return WorkingMemory(forward=8 * values + 16 * boxes + 2 * truth)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Image by image, and in an image box by box of the truth, as matches are made in order."""
        x, truth = bottoms
        images, high, wide = len(x), *(*x.shape, 1, 1, 1, 1)[2:4]
        if truth.size != images * MOST * 5:
            self.refuse(
                f"{self.named(1)} {Shape(truth.shape)} must hold {MOST} rows of 5 values per image",
                "bottom",
                1,
                advice=self.given_bottoms(1),
            )
        rows = truth.reshape(images, MOST, 5).astype(np.float64)
        self._check_truth(rows)
        if x.size != images * self.boxes * (5 + self.classes) * high * wide:
            self.refuse(
                f"{self.named(0)} {Shape(x.shape)} must have {self.boxes} boxes of 5 + "
                f"{self.classes} values in a cell",
                "bottom",
            )
        cells = x.reshape(images, self.boxes, 5 + self.classes, high, wide).astype(np.float64)
        return [number(self.total(cells, rows) / images)]

    @abstractmethod
    def total(self, cells: Values, truth: Values) -> float:
        """The loss of N×boxes×(5 + classes)×H×W predictions against N×300×5."""

    def _check_truth(self, truth: Values) -> None:
        """Refuse boxes outside the image and classes that are none."""
        for row in np.concatenate([until(rows, 3) for rows in truth]):
            if not ((row[1:3] >= 0) & (row[1:3] < 1)).all() or not 0 <= int(row[0]) < self.classes:
                self.refuse(
                    f"the truth has a box of class {row[0]:g} at {row[1]:g}, {row[2]:g}; classes go from 0 to "
                    f"{self.classes - 1}, centres from 0 to 1",
                    "bottom",
                    1,
                    advice=self.given_bottoms(1),
                )


def until(rows: Values, column: int) -> Values:
    """The rows before the first whose value in `column` is 0."""
    ends = np.flatnonzero(rows[:, column] == 0)
    return rows[: ends[0]] if len(ends) else rows


def overlap(a: Values, b: Values, kind: str = "IOU") -> Values:
    """Intersection over union of centre-form boxes (…×4), or what GIoU, DIoU and CIoU make of it
    (Rezatofighi et al. 2019; Zheng et al. 2020, with DIoU's penalty to the power of 0.6)."""
    low = np.maximum(a[..., :2] - a[..., 2:] / 2, b[..., :2] - b[..., 2:] / 2)
    high = np.minimum(a[..., :2] + a[..., 2:] / 2, b[..., :2] + b[..., 2:] / 2)
    sides = high - low
    shared = np.where((sides < 0).any(axis=-1), 0, sides[..., 0] * sides[..., 1])
    union = a[..., 2] * a[..., 3] + b[..., 2] * b[..., 3] - shared
    with np.errstate(divide="ignore", invalid="ignore"):
        share: Values = shared / union
        if kind not in ("GIOU", "DIOU", "CIOU"):
            return share
        around = np.maximum(a[..., :2] + a[..., 2:] / 2, b[..., :2] + b[..., 2:] / 2) - np.minimum(
            a[..., :2] - a[..., 2:] / 2, b[..., :2] - b[..., 2:] / 2
        )
        if kind == "GIOU":
            whole = around[..., 0] * around[..., 1]
            penalty = (whole - union) / whole
        else:
            whole = np.square(around).sum(axis=-1)
            penalty = np.square(a[..., :2] - b[..., :2]).sum(axis=-1) / whole
            if kind == "DIOU":
                penalty = penalty**0.6
            else:
                turn = np.arctan(b[..., 2] / b[..., 3]) - np.arctan(a[..., 2] / a[..., 3])
                shape = 4 / np.pi**2 * turn * turn
                penalty = penalty + shape / (1 - share + shape + 1e-6) * shape
        reduced: Values = np.where(whole == 0, share, share - penalty)
    return reduced


def logistic(x: Values) -> Values:
    """1 / (1 + exp(−x)), computed so that it never overflows."""
    y: Values = 0.5 * np.tanh(0.5 * x) + 0.5
    return y


def best_overlap(boxes: Values, rows: Values, kind: str = "IOU") -> Values:
    """For each box (…×4) the largest overlap with a box of the truth (G×5), at least 0."""
    best = np.zeros(boxes.shape[:-1])
    for row in rows:
        best = np.fmax(best, overlap(boxes, row[1:], kind))
    return best
