from __future__ import annotations

from collections.abc import Sequence

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.activation.softmax import softmax_ops
from netcount.layers.bases import ShapesOnly
from netcount.layers.detection._groups import COORDINATES, check_branch, fields_of
from netcount.layers.layer import THREE, Wanted
from netcount.layers.loss._loss import Loss
from netcount.prototxt.message import Message

PARAM = "detection_group_loss_param"


class DetectionGroupLoss(ShapesOnly, Loss):
    """The loss of a branch of Cascade R-CNN, over several fields at once.

    (scores (N·fields)×classes×H×W, boxes (N·fields)×4×H×W, truth (N·fields)×6×H×W) -> 1×1×1×2, the loss
    of the classes and of the boxes.  Source: detection_group_loss_layer.cpp of cascade-rcnn.
    """

    type = "DetectionGroupLoss"
    source = "cascade-rcnn"
    bottoms = THREE
    fields: int
    classes: int

    def read(self, message: Message) -> None:
        """Fields and classes."""
        super().read(message)
        self.fields, self.classes = fields_of(self, PARAM), message.child(PARAM).integer("cls_num")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Two numbers."""
        super().infer(bottoms)
        return [Shape((1, 1, 1, 2))]

    def check(self, bottoms: Sequence[Shape]) -> None:
        """As many channels as classes, coordinates, and values of the truth."""
        check_branch(self, bottoms, self.fields, self.classes)

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The bound, as if every position held an object: the softmax of the classes and a log, and
        the coding, bounds and difference of the coordinates."""
        cells = bottoms[0][0] * bottoms[0].count(2)
        return softmax_ops(cells * self.classes) + OpCount(
            adds=cells * (16 + 2 * COORDINATES),
            muls=cells * (3 + COORDINATES),
            divs=cells * 8 + 2,
            compares=cells * (13 + 2 * COORDINATES),
            exps=cells * 3,
        )

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """Of the classes, the bound, as if every position held an object: a difference, and two muls a score; of
        the boxes a mul a value."""
        classes, boxes = wanted.bottoms[:2]
        cells = bottoms[0][0] * bottoms[0].count(2)
        scores = cells * self.classes + bottoms[0].count()
        return OpCount(
            adds=cells * classes,
            muls=scores * classes + (bottoms[1].count() + 1) * boxes,
            divs=int(classes),
        )
