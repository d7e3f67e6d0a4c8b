from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import touch
from netcount.layers.layer import ParamBlob, Wanted
from netcount.layers.normalization._broadcast import _Broadcast

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Pass, Run


class Bias(_Broadcast):
    """x plus a shift.  *S, broadcast from `axis` over num_axes axes; bias, or bottom 1.

    Source: bias_layer.cpp.
    """

    type = "Bias"
    param = "bias_param"

    def check_spread(self, x: Shape, start: int, end: int) -> None:
        """Ones behind."""
        touch(self, x.count(end), "the ones that spread the shift")

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """The shift, unless bottom 1 is it."""
        _, shape = self.operand(bottoms)
        return [ParamBlob(shape, "bias", self.filler)] if len(bottoms) == 1 else []

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An add an element."""
        return OpCount(adds=tops[0].count())

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """Of the bottom none: its gradient is the top's; of the shift an add each."""
        shift = wanted.params[0] if len(bottoms) == 1 else wanted.bottoms[1]
        return OpCount(adds=tops[0].count() * shift)

    def block_pass(self, blobs: Sequence[Array], axes: int) -> Pass | None:
        """A shift per channel."""
        if not self.of_channels(blobs, axes):
            return None
        from netcount.kernels.run import Affine

        return Affine(None, blobs[0])

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """One pass."""
        x = bottoms[0]
        (shift,) = [*bottoms[1:], *blobs]
        return [x + self.spread(shift, x)]
