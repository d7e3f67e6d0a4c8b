from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import ElementWise
from netcount.layers.layer import Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class Dropout(ElementWise):
    """Nothing at test time: the values pass.  Training scales the kept ones.  dropout_layer.cpp."""

    type = "Dropout"
    temporaries = 0

    def read(self, message: Message) -> None:
        """Nothing: only a debug build of Caffe checks the ratio, and real nets give a 0."""

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """None at test time; in training a mul by the mask and one by the scale an element."""
        return NOTHING if self.phase == "TEST" else OpCount(muls=2 * tops[0].count())

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """As forward: the mask and the scale."""
        return self.ops(bottoms, tops) if wanted.bottoms[0] else NOTHING

    @property
    def passes_bottom(self) -> bool:
        """At test time the top is the bottom's values."""
        return self.phase == "TEST"

    def value(self, x: Array) -> Array:
        """The values themselves; the mask of training is not drawn here."""
        return x
