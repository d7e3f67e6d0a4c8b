from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.layer import TWO, Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class BroadcastMul(NoBlobs):
    """A product with one factor a channel.  (N×C×H×W, N×C×1×1), in either order -> N×C×H×W.

    The top is as the bottom with more values.  Source: broadcast_mul_layer.cpp of jolibrain's Caffe.
    """

    type = "BroadcastMul"
    source = "jolibrain"
    bottoms = TWO

    def read(self, message: Message) -> None:
        """No parameters."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The larger bottom's shape."""
        a, b = bottoms
        whole = a if a.count() > b.count() else b
        legacy(self, whole, 0 if whole is a else 1)
        return [whole]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A mul an element (no madd: the factor is no learned matrix)."""
        return OpCount(muls=tops[0].count())

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """Both gradients, in any case: two muls and an add each."""
        return OpCount(adds=tops[0].count(), muls=2 * tops[0].count())

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The factors broadcast over each channel; fewer of them than channels are refused, as Caffe
        reads beyond their memory."""
        a, b = bottoms
        whole, factors = (a, b) if a.size > b.size else (b, a)
        n, c = [*whole.shape, 1, 1][:2]
        if factors.size < n * c:
            self.refuse(f"{factors.size} factors for {n}×{c} channels", "bottom", 1)
        each = factors.reshape(-1)[: n * c].reshape(n, c, 1)
        return [(whole.reshape(n, c, -1) * each).reshape(whole.shape)]
