"""YOLO's layers in the MobileNet-YOLO and caffe-yolo forks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import NoBlobs
from netcount.layers.boxes import suppressed
from netcount.layers.detection import TrainingOnly
from netcount.layers.layer import Arity
from netcount.layers.softmax import softmax
from netcount.lazy import np
from netcount.opcount import OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run


class RegionLoss(TrainingOnly):
    """YOLO v2's loss over a grid of boxes.  (N×(boxes·(5+classes))×S×S, truth) -> number.

    Source: region_loss_layer.cpp of YOLO forks.
    """

    type = "RegionLoss"
    source = "YOLO forks"

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An exp and four more operations a predicted value: the bound without matching."""
        values = bottoms[0].count()
        return OpCount(adds=2 * values, muls=values, divs=values, exps=values)


class Yolov3(RegionLoss):
    """YOLO v3's loss over one grid.  (N×(3·(5+classes))×S×S, truth) -> number.

    Source: yolov3_layer.cpp of MobileNet-YOLO.
    """

    type = "Yolov3"
    source = "MobileNet-YOLO"


class _Detections(NoBlobs):
    """Rows 1×1×detections×7 of image, class, score and box; one row until data come."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """1×1×1×7, after the check of the channels."""
        for index, shape in enumerate(bottoms):
            wanted = self.boxes_of(index) * (5 + self.classes)
            if len(shape) != 4 or shape[1] != wanted:
                self.refuse(
                    f"{self.named(index)} {shape} must have boxes·(5 + classes) = {wanted} channels",
                    "bottom",
                    index,
                )
        return [Shape((1, 1, 1, 7))]

    classes: int
    confidence: float
    threshold: float

    def boxes_of(self, index: int) -> int:
        """Boxes a cell that bottom `index` predicts."""
        return 1

    def data_dependent(self, bottoms: Sequence[Shape]) -> str | None:
        """The detections."""
        return "one row a detection; Caffe sets up one"

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An exp, an add and a div a predicted value, a compare a class; no suppression."""
        values = sum(bottom.count() for bottom in bottoms)
        return OpCount(adds=values, divs=values, compares=values, exps=values)

    def rows(self, boxes: Array, scores: Array, image: int) -> list[list[float]]:
        """Detections above the threshold, suppressed class by class."""
        found: list[list[float]] = []
        for label in range(self.classes):
            chosen = np.flatnonzero(scores[:, label] > self.confidence)
            own = scores[chosen, label]
            for kept in suppressed(boxes[chosen], own, self.threshold):
                corners = np.clip(boxes[chosen[kept]], 0, 1).tolist()
                found.append([float(image), float(label + 1), float(own[kept]), *corners])
        return found

    def collected(self, found: list[list[float]], images: int) -> list[Array]:
        """All rows, or a row of −1 an image."""
        if not found:
            found = [[float(image), *[-1.0] * 6] for image in range(images)]
        return [np.array(found, dtype=np.float32).reshape(1, 1, -1, 7)]


def _decoded(cells: Array, anchors: Array, size: tuple[float, float]) -> Array:
    """Corners (boxes·H·W, 4) in units of the image, from B×4×H×W and anchors B×2."""
    height, width = cells.shape[2:]
    x = (_sigmoid(cells[:, 0]) + np.arange(width)) / width
    y = (_sigmoid(cells[:, 1]) + np.arange(height)[:, None]) / height
    half_w = np.exp(cells[:, 2]) * anchors[:, 0, None, None] / size[0] / 2
    half_h = np.exp(cells[:, 3]) * anchors[:, 1, None, None] / size[1] / 2
    return np.stack([x - half_w, y - half_h, x + half_w, y + half_h], axis=-1).reshape(-1, 4)


def _sigmoid(x: Array) -> Array:
    return 0.5 * np.tanh(0.5 * x) + 0.5


class YoloDetectionOutput(_Detections):
    """YOLO v2's detections.  N×(boxes·(5+classes))×S×S -> 1×1×detections×7.

    Source: yolo_detection_output_layer.cpp of MobileNet-YOLO.
    """

    type = "YoloDetectionOutput"
    source = "MobileNet-YOLO"
    bottoms = Arity(1, 1)

    def read(self, message: Message) -> None:
        """Classes, boxes a cell and their anchors."""
        name = "yolo_detection_output_param"
        param = message.child(name)
        if not param.has("num_classes"):
            self.refuse("needs num_classes", name)
        self.classes, self.boxes = param.integer("num_classes"), param.integer("num_box")
        self.biases = param.numbers("biases")
        self.confidence = param.number("confidence_threshold")
        self.threshold = param.number("nms_threshold")

    def boxes_of(self, index: int) -> int:
        """The boxes a cell."""
        return self.boxes

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Anchors are in cells; classes by softmax."""
        (x,) = bottoms
        if len(self.biases) != 2 * self.boxes:
            self.refuse(
                f"{len(self.biases)} biases for {self.boxes} boxes",
                "yolo_detection_output_param.biases",
            )
        anchors = np.array(self.biases).reshape(-1, 2)
        cells = x.reshape(len(x), self.boxes, 5 + self.classes, *x.shape[2:])
        found: list[list[float]] = []
        for image, one in enumerate(cells):
            boxes = _decoded(one[:, :4], anchors, (x.shape[3], x.shape[2]))
            classes = softmax(one[:, 5:], 1) * _sigmoid(one[:, 4:5])
            found += self.rows(boxes, np.moveaxis(classes, 1, -1).reshape(-1, self.classes), image)
        return self.collected(found, len(x))


class Yolov3DetectionOutput(_Detections):
    """YOLO v3's detections from several grids.  N×(boxes·(5+classes))×S×S, … -> 1×1×detections×7.

    Source: yolov3_detection_output_layer.cpp of MobileNet-YOLO.
    """

    type = "Yolov3DetectionOutput"
    source = "MobileNet-YOLO"
    bottoms = Arity(1, None)

    def read(self, message: Message) -> None:
        """Classes, anchors and which of them each bottom uses."""
        name = "yolov3_detection_output_param"
        param = message.child(name)
        if not param.has("num_classes"):
            self.refuse("needs num_classes", name)
        self.classes, self.boxes = param.integer("num_classes"), param.integer("num_box")
        self.groups = param.integer("mask_group_num")
        self.mask, self.scales = param.integers("mask"), param.integers("anchors_scale")
        self.biases = param.numbers("biases")
        self.confidence = param.number("confidence_threshold")
        self.threshold = param.number("nms_threshold")
        bottoms = len(message.texts("bottom"))
        if self.groups != bottoms:
            self.refuse(f"mask_group_num {self.groups} for {bottoms} bottoms", f"{name}.mask_group_num")

    def boxes_of(self, index: int) -> int:
        """The anchors of one group."""
        return len(self.mask) // self.groups or self.boxes

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Anchors are in pixels of the input; classes by sigmoid."""
        each = self.boxes_of(0)
        anchors = np.array(self.biases).reshape(-1, 2)
        if (
            len(self.mask) != each * self.groups
            or len(self.scales) != self.groups
            or (max(self.mask, default=0) >= len(anchors))
        ):
            self.refuse("mask, anchors_scale and biases do not fit", "yolov3_detection_output_param")
        found: list[list[float]] = []
        for image in range(len(bottoms[0])):
            boxes, scores = [], []
            for group, x in enumerate(bottoms):
                one = x[image].reshape(each, 5 + self.classes, *x.shape[2:])
                own = anchors[self.mask[group * each : (group + 1) * each]]
                size = (x.shape[3] * self.scales[group], x.shape[2] * self.scales[group])
                boxes.append(_decoded(one[:, :4], own, size))
                classes = _sigmoid(one[:, 5:]) * _sigmoid(one[:, 4:5])
                scores.append(np.moveaxis(classes, 1, -1).reshape(-1, self.classes))
            found += self.rows(np.concatenate(boxes), np.concatenate(scores), image)
        return self.collected(found, len(bottoms[0]))
