from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import SameShape, legacy, touch
from netcount.layers.filler import Filler
from netcount.layers.layer import Layer, ParamBlob, Wanted
from netcount.layers.sight import Sight, each
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class PReLU(SameShape, Layer):
    """max(x, 0) + a·min(x, 0) with a learned slope a channel, or one.  N×C×*S; weights C.

    Source: prelu_layer.cpp.
    """

    type = "PReLU"
    shared: bool
    filler: Filler

    def read(self, message: Message) -> None:
        """Whether all channels share a slope."""
        param = message.child("prelu_param")
        self.shared = param.flag("channel_shared")
        self.filler = Filler(param, "filler")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottom's shape, which needs a channel axis."""
        if len(bottoms[0]) < 2:
            self.refuse(f"needs at least 2 axes, not {bottoms[0]}", "bottom")
        legacy(self, bottoms[0], 0)
        touch(self, bottoms[0].count(1), "an image")
        return [bottoms[0]]

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """C slopes; a shared one is a number without axes."""
        shape = Shape() if self.shared else Shape((bottoms[0][1],))
        return [ParamBlob(shape, "weight", self.filler)]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Two compares, a mul and an add an element."""
        elements = tops[0].count()
        return OpCount(adds=elements, muls=elements, compares=2 * elements)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """Of the bottom two compares, two muls and an add each; of the slopes a compare, two muls and an add."""
        elements = tops[0].count()
        bottom, slopes = elements * wanted.bottoms[0], elements * wanted.params[0]
        return OpCount(adds=bottom + slopes, muls=2 * (bottom + slopes), compares=2 * bottom + slopes)

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """Each value alone."""
        return each(bottoms[bottom])

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The slope stands along axis 1."""
        (x,) = bottoms
        slope = blobs[0].reshape(-1, *(1,) * (x.ndim - 2))
        y = slope * x
        np.copyto(y, x, where=x > 0)
        return [y]
