from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import ElementWise
from netcount.layers.layer import Wanted, WorkingMemory
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Pass


class ReLU(ElementWise):
    """max(x, 0), or with negative_slope s: max(x, 0) + s·min(x, 0).  Source: relu_layer.cpp."""

    type = "ReLU"
    param = "relu_param"

    def read(self, message: Message) -> None:
        """The slope for negative values."""
        values = message.values
        self.slope: float = values[self.param].number("negative_slope") if self.param in values else 0.0

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A compare each; with a slope a second one, a mul and an add."""
        elements = tops[0].count()
        if not self.slope:
            return OpCount(compares=elements)
        return OpCount(adds=elements, muls=elements, compares=2 * elements)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """A compare and a mul each; with a slope a compare, a mul and an add more."""
        elements = tops[0].count() if wanted.bottoms[0] else 0
        more = elements if self.slope else 0
        return OpCount(adds=more, muls=elements + more, compares=elements + more)

    def block_pass(self, blobs: Sequence[Array], axes: int) -> Pass | None:
        """One pass without a slope."""
        return super().block_pass(blobs, axes) if self.slope else lambda block: np.maximum(block, 0, out=block)

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """With a slope, which values keep their own: a byte each."""
        return WorkingMemory(forward=ceil(bottoms[0].count() / 4) if self.slope else 0)

    def value(self, x: Array) -> Array:
        """One pass, or two with a slope."""
        if not self.slope:
            return np.maximum(x, 0)
        y = np.multiply(x, np.float32(self.slope), out=np.empty_like(x))
        np.copyto(y, x, where=x > 0)
        return y
