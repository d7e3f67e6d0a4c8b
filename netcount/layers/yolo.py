"""Detections from YOLO's grids, as the MobileNet-YOLO fork of Caffe makes them.

A cell of a grid predicts boxes: x, y (within the cell), w, h (as exponents of an anchor), whether
there is an object, and a score a class.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import NoBlobs
from netcount.layers.boxes import suppressed
from netcount.layers.detection_output import as_rows
from netcount.layers.eval_detection import corners_of
from netcount.layers.grid_loss import logistic
from netcount.layers.layer import Arity
from netcount.layers.softmax import softmax
from netcount.lazy import np
from netcount.opcount import OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.loss_base import Indices
    from netcount.layers.run import Array, Run


class GridDetections(NoBlobs):
    """Rows 1×1×detections×7 of 0, class (from 1), score and corners; one row until data come.

    Suppression knows neither classes nor images: boxes of different classes, and of different
    images of a batch, suppress each other, and every row names image 0, as in the fork.
    """

    bottoms = Arity(1, None)

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
        return "one row a detection; Caffe sets up one"

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


class YoloDetectionOutput(GridDetections):
    """YOLO v2's detections: a box for each anchor, of its best class.

    N×(boxes·(5+classes))×S×S[, a second grid] -> 1×1×detections×7.  Anchors (biases) are in cells.
    Source: yolo_detection_output_layer.cpp of MobileNet-YOLO.
    """

    type = "YoloDetectionOutput"
    source = "MobileNet-YOLO"

    def read(self, message: Message) -> None:
        """Classes, boxes a cell and their anchors."""
        self._read("yolo_detection_output_param")

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A box: four exps, ten other operations and two compares; a class: the softmax, and a
        compare for the best.  Suppression depends on the data and is not counted."""
        boxes = sum(x.count() for x in bottoms[:2]) // (5 + self.classes)
        scores = boxes * self.classes
        return OpCount(
            adds=5 * boxes + 2 * scores,
            muls=3 * boxes,
            divs=7 * boxes + scores,
            compares=boxes + 2 * scores,
            exps=5 * boxes + scores,
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Objectness times the softmax of the best class; a third grid is not read."""
        if len(self.biases) < 2 * self.boxes:
            self.refuse(
                f"{len(self.biases)} biases for {self.boxes} boxes, which need two each",
                f"{self.name}.biases",
            )
        anchors = np.array(self.biases[: 2 * self.boxes]).reshape(-1, 2)
        boxes, labels, scores = [], [], []
        for index, x in enumerate(bottoms[:2]):
            grid = self.grid(x, index)
            classes = softmax(grid[..., 5:], -1)
            boxes.append(self.decoded(grid, anchors, (x.shape[3], x.shape[2])).reshape(-1, 4))
            labels.append(classes.argmax(axis=-1).reshape(-1))
            scores.append((classes.max(axis=-1) * logistic(grid[..., 4])).reshape(-1))
        score = np.concatenate(scores)
        chosen = np.flatnonzero(score >= self.confidence)
        label, box = np.concatenate(labels)[chosen], np.concatenate(boxes)[chosen]
        return self.top(box, label, score[chosen], len(bottoms[0]))


class Yolov3DetectionOutput(GridDetections):
    """YOLO v3's detections from several grids: a box for each anchor and each class.

    N×(boxes·(5+classes))×H×W, … -> 1×1×detections×7.  Anchors (biases) are in pixels, a grid's
    cell has anchors_scale of them, and mask says which anchors a grid uses.
    Source: yolov3_detection_output_layer.cpp of MobileNet-YOLO.
    """

    type = "Yolov3DetectionOutput"
    source = "MobileNet-YOLO"

    def read(self, message: Message) -> None:
        """Classes, anchors and which of them each bottom uses."""
        param = self._read("yolov3_detection_output_param")
        self.groups, self.mask = param.integer("mask_group_num"), param.integers("mask")
        self.scales, self.gaussian = param.integers("anchors_scale"), param.flag("gaussian_box")
        bottoms = len(message.texts("bottom"))
        if self.groups != bottoms:
            self.refuse(
                f"mask_group_num {self.groups} must be the number of bottoms, {bottoms}",
                f"{self.name}.mask_group_num",
            )

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A sigmoid (exp, add, div) for x, y, object and each class (and each deviation of a gaussian
        box), a mul and a compare a class, and the coding of a box, as if each anchor had one class
        that counts.  Suppression depends on the data and is not counted."""
        boxes = sum(x.count() for x in bottoms) // ((9 if self.gaussian else 5) + self.classes)
        scores, deviations = boxes * self.classes, 4 * boxes if self.gaussian else 0
        return OpCount(
            adds=5 * boxes + scores + 2 * deviations,
            muls=2 * boxes + scores + deviations // 4,
            divs=7 * boxes + scores + deviations + deviations // 4,
            compares=scores,
            exps=5 * boxes + scores + deviations,
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Objectness, less the mean uncertainty of a gaussian box, times the sigmoid of each class."""
        each = len(self.mask) // len(bottoms)
        anchors = np.array(self.biases[: len(self.biases) // 2 * 2]).reshape(-1, 2)
        if (
            len(self.scales) < len(bottoms)
            or len(self.mask) < each * (len(bottoms) - 1) + self.boxes
            or max(self.mask) >= len(anchors)
        ):
            self.refuse(
                f"{len(self.mask)} mask, {len(self.scales)} anchors_scale and {len(self.biases)} "
                f"biases do not fit {len(bottoms)} grids of {self.boxes} boxes",
                f"{self.name}.mask",
            )
        boxes, labels, scores = [], [], []
        for index, x in enumerate(bottoms):
            grid, scale = self.grid(x, index, 8 if self.gaussian else 4), self.scales[index]
            own = anchors[self.mask[index * each : index * each + self.boxes]]
            has = logistic(grid[..., -self.classes - 1 : -self.classes])
            if self.gaussian:  # each coordinate is followed by its deviation
                has = has * (1 - logistic(grid[..., 1:8:2]).mean(axis=-1, keepdims=True))
            places = grid[..., 0:8:2] if self.gaussian else grid
            found = self.decoded(places, own, (x.shape[3] * scale, x.shape[2] * scale))
            classes = (logistic(grid[..., -self.classes :]) * has).reshape(-1, self.classes)
            rows, columns = np.nonzero(classes > self.confidence)
            boxes.append(found.reshape(-1, 4)[rows])
            labels.append(columns)
            scores.append(classes[rows, columns])
        return self.top(np.concatenate(boxes), np.concatenate(labels), np.concatenate(scores), len(bottoms[0]))
