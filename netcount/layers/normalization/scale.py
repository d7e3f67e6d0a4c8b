from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import touch
from netcount.layers.filler import Filler
from netcount.layers.layer import ParamBlob, Wanted
from netcount.layers.normalization._broadcast import _Broadcast
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Pass, Run


class Scale(_Broadcast):
    """x times a factor, plus a shift if wanted.  *S, broadcast from `axis` over num_axes axes.

    One bottom: weights of those axes, and bias; two bottoms: the second is the factor.
    Source: scale_layer.cpp.
    """

    type = "Scale"
    param = "scale_param"
    bias: bool
    makes_diffs: bool
    bias_filler: Filler | None

    def read(self, message: Message) -> None:
        """The shift besides."""
        super().read(message)
        param = message.child(self.param)
        self.bias = param.flag("bias_term")
        self.bias_filler = Filler(param, "bias_filler") if self.bias else None
        self.makes_diffs = len(message.texts("bottom")) == 1  # Backward multiplies there

    def check_spread(self, x: Shape, start: int, end: int) -> None:
        """Ones before and behind; with a shift, which reads `axis` in any case, only behind."""
        touch(self, max(x.count(0, start), x.count(end)), "the ones that spread the factor")
        if self.bias:
            self.axis(x, self.axis_given, f"{self.param}.axis")
            touch(self, x.count(end), "the ones that spread the shift")

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """The factor, unless bottom 1 is it, and the shift."""
        _, shape = self.operand(bottoms)
        params = [ParamBlob(shape, "weight", self.filler)] if len(bottoms) == 1 else []
        if self.bias:
            params.append(ParamBlob(shape, "bias", self.bias_filler))
        return params

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A mul an element, and an add for the shift."""
        elements = tops[0].count()
        return OpCount(adds=elements if self.bias else 0, muls=elements)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """Of the bottom a mul each; of the factor a mul and an add; of the shift an add."""
        elements = tops[0].count()
        own = len(bottoms) == 1
        factor = elements * (wanted.params[0] if own else wanted.bottoms[1])
        shift = elements * wanted.params[-1] if self.bias else 0
        return OpCount(adds=factor + shift, muls=elements * wanted.bottoms[0] + factor)

    def block_pass(self, blobs: Sequence[Array], axes: int) -> Pass | None:
        """A factor and a shift per channel."""
        if not self.of_channels(blobs, axes):
            return None
        from netcount.kernels.run import Affine

        return Affine(blobs[0], blobs[1] if self.bias else None)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """One pass, or two with a shift."""
        x = bottoms[0]
        factor, *rest = [*bottoms[1:], *blobs]
        y = x * self.spread(factor, x)
        for shift in rest:
            y += self.spread(shift, x)
        return [y]
