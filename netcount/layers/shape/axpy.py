from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs
from netcount.layers.layer import THREE, Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Axpy(NoBlobs):
    """a·x + y, a factor a channel.  (N×C or N×C×1×1, N×C×H×W, N×C×H×W) -> N×C×H×W.

    Source: axpy_layer.cpp of SENet's Caffe.
    """

    type = "Axpy"
    source = "SENet"
    bottoms = THREE

    def read(self, message: Message) -> None:
        """No parameters."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The shape of x."""
        factor, x, y = bottoms
        if factor[:2] != x[:2] or len(factor) < 2:
            self.refuse(f"{self.named(0)} {factor} must start with the N×C of {self.named(1)} {x}", "bottom")
        if len(factor) == 4 and factor[2:] != (1, 1):
            self.refuse(f"{self.named(0)} {factor} must be N×C×1×1", "bottom")
        if x != y:
            self.refuse(f"{self.named(1)} {x} and {self.named(2)} {y} differ", "bottom", 2)
        return [x]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A mul and an add an element (no madd: the factor is no learned matrix)."""
        elements = tops[0].count()
        return OpCount(adds=elements, muls=elements)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """Of the factor a mul and an add each, of x a mul; that of y is the top's."""
        elements = tops[0].count()
        factor = elements * wanted.bottoms[0]
        return OpCount(adds=factor, muls=factor + elements * wanted.bottoms[1])

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The factor broadcasts over each channel."""
        factor, x, y = bottoms
        return [factor.reshape(*x.shape[:2], *(1,) * (x.ndim - 2)) * x + y]
