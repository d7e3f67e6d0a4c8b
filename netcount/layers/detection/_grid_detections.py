"""Detections from YOLO's grids, as the MobileNet-YOLO fork of Caffe makes them.

A cell of a grid predicts boxes: x, y (within the cell), w, h (as exponents of an anchor), whether
there is an object, and a score a class.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.shape import Shape
from netcount.kernels.boxes import suppressed
from netcount.layers.bases import NoBlobs
from netcount.layers.detection._grid_loss import logistic
from netcount.layers.detection.detection_output import as_rows
from netcount.layers.detection.eval_detection import corners_of
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Indices


class GridDetections(NoBlobs):
    """Rows 1×1×detections×7 of 0, class (from 1), score and corners; one row until data come.

    Suppression knows neither classes nor images: boxes of different classes, and of different
    images of a batch, suppress each other, and every row names image 0, as in the fork.
    """

    bottoms: ClassVar[Arity] = Arity(1, None)
    classes: int
    boxes: int
    biases: list[float]
    confidence: float
    threshold: float

    def _read(self, name: str) -> Message:
        """What the versions have in common."""
        param = self.message.child(name)
        if not param.has("num_classes"):
            self.refuse("needs num_classes", name)
        self.name = name
        self.classes, self.boxes = param.integer("num_classes"), param.integer("num_box")
        self.biases = param.numbers("biases")
        self.confidence = param.number("confidence_threshold")
        self.threshold = param.number("nms_threshold")
        return param

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """1×1×1×7."""
        return [Shape((1, 1, 1, 7))]

    def data_dependent(self, bottoms: Sequence[Shape]) -> str | None:
        """The detections."""
        return "one row per detection; Caffe sets up one"

    def grid(self, x: Array, index: int, coordinates: int = 4) -> Array:
        """N×(boxes·V)×H×W -> N×H×W×boxes×V, as the fork loops over them; V: coordinates, 1, classes."""
        values = coordinates + 1 + self.classes
        if x.ndim != 4 or x.shape[1] != self.boxes * values:
            self.refuse(
                f"{self.named(index)} {Shape(x.shape)} must be N×{self.boxes * values}×H×W: {self.boxes} boxes "
                f"of {coordinates + 1} + {self.classes} values",
                "bottom",
                index,
            )
        cells = x.reshape(len(x), self.boxes, values, *x.shape[2:])
        grid: Array = cells.transpose(0, 3, 4, 1, 2)
        return grid

    def decoded(self, grid: Array, anchors: Array, size: tuple[float, float]) -> Array:
        """Centre-form boxes in units of the image; `size` is what anchors are measured in."""
        high, wide = grid.shape[1:3]
        boxes = np.empty((*grid.shape[:4], 4), dtype=np.float32)
        boxes[..., 0] = (logistic(grid[..., 0]) + np.arange(wide)[:, None]) / wide
        boxes[..., 1] = (logistic(grid[..., 1]) + np.arange(high)[:, None, None]) / high
        boxes[..., 2:] = np.exp(grid[..., 2:4]) * anchors / np.array(size)
        return boxes

    def top(self, boxes: Array, labels: Indices, scores: Array, images: int) -> list[Array]:
        """The boxes that stay, the best first; boxes are in centre form."""
        corners = corners_of(boxes)
        kept = suppressed(corners, scores, self.threshold, equal=True)
        rows = [[0, labels[k] + 1, scores[k], *corners[k]] for k in kept]
        return [as_rows(rows, images)]
