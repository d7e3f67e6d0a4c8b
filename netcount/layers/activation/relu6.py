from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.activation.relu import ReLU
from netcount.layers.layer import Wanted

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class ReLU6(ReLU):
    """min(ReLU, 6): ReLU clipped at 6.  Source: relu6_layer.cpp of MobileNet forks."""

    type = "ReLU6"
    source = "MobileNet forks"
    param = "relu6_param"

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A compare more."""
        return super().ops(bottoms, tops) + OpCount(compares=tops[0].count())

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """A compare more than ReLU's; with a slope also a mul, as in caffe_train (yuqj1991)."""
        elements = tops[0].count() if wanted.bottoms[0] else 0
        before = super().backward(bottoms, tops, wanted)
        more = OpCount(muls=elements if self.slope else 0, compares=elements)
        return None if before is None else before + more

    def value(self, x: Array) -> Array:
        """Clipped from above."""
        y = np.asarray(super().value(x))
        np.minimum(y, np.float32(6), out=y)
        return y
