from __future__ import annotations

from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.layers.bases import ElementWise

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class TanH(ElementWise):
    """The hyperbolic tangent.  Source: tanh_layer.cpp."""

    type = "TanH"
    temporaries = 0
    each: OpCount = OpCount(exps=1)
    each_back: OpCount | None = OpCount(adds=1, muls=2)

    def value(self, x: Array) -> Array:
        """As numpy has it."""
        return np.tanh(x)
