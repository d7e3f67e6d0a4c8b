from __future__ import annotations

from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.layers.bases import ElementWise

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class HardSigmoid(ElementWise):
    """min(max(0.2·x + 0.5, 0), 1).  Source: hard_sigmoid_layer.cpp of MobileNet forks."""

    type = "HardSigmoid"
    source = "MobileNet-YOLO"
    each: OpCount = OpCount(adds=1, muls=1, compares=2)
    each_back: OpCount | None = OpCount(muls=2, compares=2)

    def value(self, x: Array) -> Array:
        """A clipped line."""
        result: Array = np.clip(np.float32(0.2) * x + np.float32(0.5), 0, 1)
        return result
