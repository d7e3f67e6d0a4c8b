from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import ShapesOnly, legacy
from netcount.layers.layer import THREE, Arity
from netcount.prototxt.message import Message


class BboxAccuracy(ShapesOnly):
    """How well boxes overlap the truth after they were moved, and before.

    (predictions R×4K, regions R×5, truth R×6) -> 1×1×1×1[, 1×1×1×1].
    Source: bbox_accuracy_layer.cpp of mscnn.
    """

    type = "BboxAccuracy"
    source = "mscnn"
    bottoms = THREE
    tops: ClassVar[Arity] = Arity(1, 2)

    def read(self, message: Message) -> None:
        """Nothing that moves a shape."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """One number each."""
        boxes = [legacy(self, shape, index)[0] for index, shape in enumerate(bottoms)]
        for index, number in enumerate(boxes):
            if number != boxes[0]:
                self.refuse(
                    f"{self.named(0)} {bottoms[0]} and {self.named(index)} {bottoms[index]} differ in boxes",
                    "bottom",
                    index,
                )
        return [Shape((1, 1, 1, 1))] * self.top_count

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The bound, as if every region were an object: the decoding of its box and two overlaps;
        three means."""
        boxes = legacy(self, bottoms[0], 0)[0]
        return OpCount(adds=51 * boxes, muls=18 * boxes, divs=4 * boxes + 3, compares=26 * boxes, exps=2 * boxes)
