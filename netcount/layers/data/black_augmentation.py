from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import ShapesOnly, legacy
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message


class BlackAugmentation(ShapesOnly):
    """Makes borders or all of some images and flows black, by chance.  N×C×H×W each -> the same.  No weights.

    Source: black_augmentation_layer.cpp of lmb-freiburg/flownet2.
    """

    type = "BlackAugmentation"
    source = "FlowNet2"
    bottoms: ClassVar[Arity] = Arity(1, None)
    tops: ClassVar[Arity] = Arity(1, None)
    equal_bottoms_tops = True

    def read(self, message: Message) -> None:
        """Nothing that changes a shape."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottoms' shapes: images (3 channels) and flows (2) of one size."""
        first = legacy(self, bottoms[0], 0)
        for index, bottom in enumerate(bottoms):
            images, channels, *extents = legacy(self, bottom, index)
            if channels not in (2, 3):
                self.refuse(f"{self.named(index)} {bottom} must have 2 or 3 channels", "bottom", index)
            if (images, *extents) != (first[0], *first[2:]):
                self.refuse(
                    f"{self.named(index)} {bottom} must have images and extents of {self.named(0)} {bottoms[0]}",
                    "bottom",
                    index,
                )
        return list(bottoms)

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """None: values pass or become 0."""
        return NOTHING
