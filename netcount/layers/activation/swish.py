from __future__ import annotations

from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.layers.bases import ElementWise
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class Swish(ElementWise):
    """x · sigmoid(beta·x).  Source: swish_layer.cpp."""

    type = "Swish"
    each: OpCount = OpCount(adds=1, muls=4, exps=1)
    each_back: OpCount | None = OpCount(adds=2, muls=3)
    beta: float

    def read(self, message: Message) -> None:
        """The factor inside the sigmoid."""
        self.beta = message.child("swish_param").number("beta")

    def value(self, x: Array) -> Array:
        """By tanh, as Sigmoid."""
        half = np.float32(0.5)
        result: Array = x * (half * np.tanh(half * np.float32(self.beta) * x) + half)
        return result
