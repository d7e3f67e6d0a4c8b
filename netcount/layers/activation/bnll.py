from __future__ import annotations

from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.layers.bases import ElementWise

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class BNLL(ElementWise):
    """log(1 + exp(x)), from the side that does not overflow.  Source: bnll_layer.cpp."""

    type = "BNLL"
    temporaries = 0
    each: OpCount = OpCount(adds=2, compares=1, exps=2)
    each_back: OpCount | None = OpCount(adds=1, muls=1, divs=1, compares=1, exps=1)

    def value(self, x: Array) -> Array:
        """By logaddexp."""
        return np.logaddexp(x, np.float32(0))
