from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs
from netcount.layers.layer import Wanted, WorkingMemory
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Norm2Layer(NoBlobs):
    """x / ‖x‖ of each image.  N×C or N×C×1×1 -> N×C.  Source: norm2layer.py of tripletloss."""

    type = "Python"
    source = "tripletloss"
    python = "norm2layer.Norm2Layer"

    def read(self, message: Message) -> None:
        """No parameters."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×C; there is room for one value per channel."""
        (bottom,) = bottoms
        if len(bottom) < 2 or bottom.count(2) != 1:
            self.refuse(f"{self.named(0)} {bottom} must be N×C, or N×C×1×1", "bottom")
        return [Shape(bottom[:2])]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An element: a square, an add and a div; an image: a root."""
        elements = bottoms[0].count()
        return OpCount(adds=elements, muls=elements, divs=elements, exps=bottoms[0][0])

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """None: it propagates no gradients."""
        return NOTHING

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """The norms, as they are and as divisors."""
        return WorkingMemory(forward=2 * bottoms[0][0])

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """An image of zeros stays as it is."""
        x = bottoms[0].reshape(bottoms[0].shape[:2])
        norms = np.sqrt(np.square(x).sum(axis=1, keepdims=True))
        return [x / np.where(norms > 0, norms, np.float32(1))]
