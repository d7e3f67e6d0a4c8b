from __future__ import annotations

from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.layers.bases import ElementWise
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class Threshold(ElementWise):
    """1 where x is above the threshold, else 0.  Source: threshold_layer.cpp."""

    type = "Threshold"
    each: OpCount = OpCount(compares=1)
    threshold: float

    def read(self, message: Message) -> None:
        """The threshold."""
        self.threshold = message.child("threshold_param").number("threshold")

    def value(self, x: Array) -> Array:
        """Ones and zeros."""
        return (x > np.float32(self.threshold)).astype(np.float32)
