from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.layers.bases import ElementWise

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class SeLU(ElementWise):
    """λ·x, or λ·α·(exp(x) − 1) below 0 (Klambauer et al. 2017, arXiv 1706.02515)."""

    type = "SeLU"
    names: ClassVar[tuple[str, ...]] = ("SeLu",)
    temporaries = 2
    source = "SELU forks"
    each: OpCount = OpCount(adds=1, muls=2, compares=1, exps=1)
    each_back: OpCount | None = OpCount(muls=3, compares=1, exps=1)
    LAMBDA = 1.0507009873554805
    ALPHA = 1.6732632423543772

    def value(self, x: Array) -> Array:
        """Both branches by one sign test."""
        below = np.float32(self.ALPHA) * np.expm1(np.minimum(x, 0))
        return np.float32(self.LAMBDA) * np.where(x > 0, x, below)
