from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import ElementWise
from netcount.layers.layer import WorkingMemory
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class NegReLU(ElementWise):
    """min(x, 0), or slope·x above 0.  *S -> *S.  No weights.

    Source: neg_relu_layer.cpp of lmb-freiburg/flownet2.
    """

    type = "NegReLU"
    source = "FlowNet2"
    slope: float
    each: OpCount
    each_back: OpCount | None

    def read(self, message: Message) -> None:
        """The slope above 0, which relu_param calls negative_slope."""
        self.slope = message.child("relu_param").number("negative_slope")
        self.each = OpCount(compares=2, muls=1, adds=1) if self.slope else OpCount(compares=1)
        self.each_back = OpCount(adds=1, muls=2, compares=2) if self.slope else OpCount(muls=1, compares=1)

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """With a slope, which values keep their own: a byte each."""
        return WorkingMemory(forward=ceil(bottoms[0].count() / 4) if self.slope else 0)

    def value(self, x: Array) -> Array:
        """One pass, or two with a slope."""
        if not self.slope:
            return np.minimum(x, np.float32(0))
        y = np.multiply(x, np.float32(self.slope))
        np.copyto(y, x, where=x <= 0)
        return y
