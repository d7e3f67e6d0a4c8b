from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import ShapesOnly
from netcount.layers.detection._groups import check_branch, fields_of
from netcount.layers.layer import THREE, Arity
from netcount.prototxt.message import Message

PARAM = "detection_group_accuracy_param"


class DetectionGroupAccuracy(ShapesOnly):
    """How often a branch of Cascade R-CNN is right, and how well its boxes fit.

    (scores (N·fields)×classes×H×W, boxes (N·fields)×4×H×W, truth (N·fields)×6×H×W) -> 1×1×1×2, of all
    and of the objects[, 1×1×1×1, the mean overlap].
    Source: detection_group_accuracy_layer.cpp of cascade-rcnn.
    """

    type = "DetectionGroupAccuracy"
    source = "cascade-rcnn"
    bottoms = THREE
    tops: ClassVar[Arity] = Arity(1, 2)
    fields: int
    classes: int

    def read(self, message: Message) -> None:
        """Fields and classes."""
        self.fields, self.classes = fields_of(self, PARAM), message.child(PARAM).integer("cls_num")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Two numbers, and one."""
        check_branch(self, bottoms, self.fields, self.classes)
        return [Shape((1, 1, 1, 2)), Shape((1, 1, 1, 1))][: self.top_count]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The bound, as if every position held an object: the best of the classes, the decoding of
        its box and the overlap with the truth; three means."""
        cells = bottoms[0][0] * bottoms[0].count(2)
        return OpCount(
            adds=28 * cells,
            muls=15 * cells,
            divs=5 * cells + 3,
            compares=cells * (self.classes + 16),
            exps=2 * cells,
        )
