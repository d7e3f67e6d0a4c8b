from __future__ import annotations

from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.layers.bases import ElementWise
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class Clip(ElementWise):
    """max(min, min(x, max)); both bounds are 0 without a clip_param.  Source: clip_layer.cpp."""

    type = "Clip"
    each: OpCount = OpCount(compares=2)
    each_back: OpCount | None = OpCount(muls=1, compares=2)
    least: float
    most: float

    def read(self, message: Message) -> None:
        """Both bounds; 0 and 0 where clip_param is left out as a whole."""
        param = message.child("clip_param")
        self.least, self.most = param.number("min"), param.number("max")

    def value(self, x: Array) -> Array:
        """Caffe's order: the lower bound wins where they cross, and over not-a-numbers."""
        return np.fmax(np.minimum(x, np.float32(self.most)), np.float32(self.least))
