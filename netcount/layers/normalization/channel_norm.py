from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.layer import Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class ChannelNorm(NoBlobs):
    """How long the vector of channels is at each position.  N×C×H×W -> N×1×H×W.  No weights.

    Source: channel_norm_layer.cpp of lmb-freiburg/flownet2.
    """

    type = "ChannelNorm"
    source = "FlowNet2"
    temporaries = 1
    in_place = False

    def read(self, message: Message) -> None:
        """No parameters."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """One channel."""
        n, _, h, w = legacy(self, bottoms[0], 0)
        return [Shape((n, 1, h, w))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A square and an add an element, a root a position."""
        elements = bottoms[0].count()
        return OpCount(adds=elements, muls=elements, exps=tops[0].count())

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """A mul, an add of 1e−9 and a div each, in any case."""
        elements = bottoms[0].count()
        return OpCount(adds=elements, muls=elements, divs=elements)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The root of the sum of squares."""
        x = bottoms[0].reshape(*bottoms[0].shape, *(1,) * (4 - bottoms[0].ndim))
        return [np.sqrt(np.square(x).sum(axis=1, keepdims=True))]
