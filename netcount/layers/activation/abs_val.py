from __future__ import annotations

from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.layers.bases import ElementWise

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class AbsVal(ElementWise):
    """|x|, a sign test per element.  Source: absval_layer.cpp."""

    type = "AbsVal"
    temporaries = 0
    in_place = False
    each: OpCount = OpCount(compares=1)
    each_back: OpCount | None = OpCount(muls=1, compares=1)

    def value(self, x: Array) -> Array:
        """As numpy has it."""
        return np.abs(x)
