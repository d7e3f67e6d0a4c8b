from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs
from netcount.layers.layer import THREE, TWO, Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Identity2Verify(NoBlobs):
    """Pairs of neighbours, and whether they have the same label.

    (N×*S, N labels) -> N/2×*S, those with even numbers, N/2×*S, those with odd ones, N/2 labels: 1 or 0.
    Source: identity2verify_layer.cpp of caffe_train (yuqj1991).
    """

    type = "Identity2Verify"
    source = "yuqj1991"
    bottoms = TWO
    tops = THREE

    def read(self, message: Message) -> None:
        """No parameters."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Half of the rows; an odd one would have no room."""
        data, label = bottoms
        for index, shape in enumerate(bottoms):
            if not shape or shape[0] % 2:
                self.refuse(f"{self.named(index)} {shape} must have an even number of rows", "bottom", index)
        if label.count(1) != 1:
            self.refuse(f"{self.named(1)} {label} must hold one label per row", "bottom", 1)
        half = Shape((data[0] // 2, *data[1:]))
        return [half, half, Shape((label[0] // 2, *label[1:]))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A pair: the difference of the labels, its absolute value, and whether that is below 1."""
        pairs = tops[2].count()
        return OpCount(adds=pairs, compares=2 * pairs)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """None: the gradients of the halves are copied back to their rows."""
        return NOTHING

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Every second row."""
        x, label = bottoms
        same = np.abs(label[::2] - label[1::2]) < 1
        return [x[::2].copy(), x[1::2].copy(), same.astype(np.float32)]
