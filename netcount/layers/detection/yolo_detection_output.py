from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.activation.softmax import softmax
from netcount.layers.detection._grid_detections import GridDetections
from netcount.layers.detection._grid_loss import logistic
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class YoloDetectionOutput(GridDetections):
    """YOLO v2's detections: a box for each anchor, of its best class.

    N×(boxes·(5+classes))×S×S[, a second grid] -> 1×1×detections×7.  Anchors (biases) are in cells.
    Source: yolo_detection_output_layer.cpp of MobileNet-YOLO.
    """

    type = "YoloDetectionOutput"
    source = "MobileNet-YOLO"

    def read(self, message: Message) -> None:
        """Classes, boxes per cell and their anchors."""
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
