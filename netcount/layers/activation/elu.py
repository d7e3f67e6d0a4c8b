from __future__ import annotations

from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.layers.bases import ElementWise
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class ELU(ElementWise):
    """max(x, 0) + alpha·(exp(min(x, 0)) − 1).  Source: elu_layer.cpp."""

    type = "ELU"
    temporaries = 2
    each: OpCount = OpCount(adds=2, muls=1, compares=2, exps=1)
    each_back: OpCount | None = OpCount(adds=2, muls=2, compares=2)
    alpha: float

    def read(self, message: Message) -> None:
        """The scale of negative values."""
        self.alpha = message.child("elu_param").number("alpha")

    def value(self, x: Array) -> Array:
        """Exact near 0 by expm1."""
        return np.maximum(x, 0) + np.float32(self.alpha) * np.expm1(np.minimum(x, 0))
