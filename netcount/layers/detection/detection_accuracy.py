from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import ShapesOnly, legacy
from netcount.layers.layer import TWO, Arity
from netcount.prototxt.message import Message

PARAM = "detection_accuracy_param"


class DetectionAccuracy(ShapesOnly):
    """How often a branch of MS-CNN is right, and how well its boxes fit.

    (predictions N×(classes+coordinates)×H×W, truth N×C×H×W) -> 1×1×1×2, of all and of the objects[,
    1×1×1×1, the mean overlap].  Source: detection_accuracy_layer.cpp of mscnn.
    """

    type = "DetectionAccuracy"
    source = "mscnn"
    bottoms = TWO
    tops: ClassVar[Arity] = Arity(1, 2)
    classes: int
    coordinates: int
    top_k: int

    def read(self, message: Message) -> None:
        """Classes and coordinates."""
        param = message.child(PARAM)
        self.classes, self.coordinates = param.integer("cls_num"), param.integer("coord_num")
        self.top_k = param.integer("top_k")
        if param.flag("objectness") and self.classes != 2:
            self.refuse(f"objectness needs cls_num 2, not {self.classes}", f"{PARAM}.cls_num")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Two numbers, and one."""
        data, truth = (legacy(self, shape, index) for index, shape in enumerate(bottoms))
        wanted = self.classes + self.coordinates
        if data[1] != wanted:
            self.refuse(f"{self.named(0)} {bottoms[0]} must have {wanted} channels", "bottom")
        if (data[0], *data[2:]) != (truth[0], *truth[2:]):
            self.refuse(
                f"{self.named(0)} {bottoms[0]} and {self.named(1)} {bottoms[1]} differ in images, height or width",
                "bottom",
                1,
            )
        return [Shape((1, 1, 1, 2)), Shape((1, 1, 1, 1))][: self.top_count]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The bound, as if every position held an object: the best top_k of the classes, the decoding
        of its box and the overlap with the truth; three means."""
        cells = bottoms[0][0] * bottoms[0].count(2)
        return OpCount(
            adds=24 * cells,
            muls=15 * cells,
            divs=9 * cells + 3,
            compares=cells * (self.classes * self.top_k + 16),
            exps=2 * cells,
        )
