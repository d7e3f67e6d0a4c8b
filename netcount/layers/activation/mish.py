from __future__ import annotations

from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.layers.bases import ElementWise

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class Mish(ElementWise):
    """x · tanh(log(1 + exp(x))) (Misra 2019, arXiv 1908.08681)."""

    type = "Mish"
    source = "YOLO forks"
    each: OpCount = OpCount(adds=1, muls=1, exps=3)

    def value(self, x: Array) -> Array:
        """The softplus by logaddexp, which never overflows."""
        return x * np.tanh(np.logaddexp(x, np.float32(0)))
