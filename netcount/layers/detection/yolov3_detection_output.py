from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.detection._grid_detections import GridDetections
from netcount.layers.detection._grid_loss import logistic
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Yolov3DetectionOutput(GridDetections):
    """YOLO v3's detections from several grids: a box for each anchor and each class.

    N×(boxes·(5+classes))×H×W, … -> 1×1×detections×7.  Anchors (biases) are in pixels, a grid's
    cell has anchors_scale of them, and mask says which anchors a grid uses.
    Source: yolov3_detection_output_layer.cpp of MobileNet-YOLO.
    """

    type = "Yolov3DetectionOutput"
    source = "MobileNet-YOLO"
    groups: int
    mask: list[int]
    scales: list[int]
    gaussian: bool

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
            corners = self.decoded(places, own, (x.shape[3] * scale, x.shape[2] * scale))
            classes = (logistic(grid[..., -self.classes :]) * has).reshape(-1, self.classes)
            rows, columns = np.nonzero(classes > self.confidence)
            boxes.append(corners.reshape(-1, 4)[rows])
            labels.append(columns)
            scores.append(classes[rows, columns])
        return self.top(np.concatenate(boxes), np.concatenate(labels), np.concatenate(scores), len(bottoms[0]))
