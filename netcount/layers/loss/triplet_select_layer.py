from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs
from netcount.layers.layer import THREE, Arity, Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class TripletSelectLayer(NoBlobs):
    """Anchors, positives and negatives of a batch, a third of it each.  (N×C, labels) -> three of N/3×C.

    Positives and negatives are sorted by their distance to the first anchor, the farthest first.
    Source: tripletselectlayer.py of tripletloss, where N is its config's BATCH_SIZE.
    """

    type = "Python"
    source = "tripletloss"
    python = "tripletselectlayer.TripletSelectLayer"
    bottoms: ClassVar[Arity] = Arity(1, None)
    tops = THREE

    def read(self, message: Message) -> None:
        """No parameters."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """A third of the batch, one triplet at least."""
        if len(bottoms[0]) < 2 or bottoms[0].count(2) != 1:
            self.refuse(f"{self.named(0)} {bottoms[0]} must be N×C", "bottom")
        n, c = bottoms[0][:2]
        return [Shape((max(1, n // 3), c))] * 3

    def data_dependent(self, bottoms: Sequence[Shape]) -> str | None:
        """The triplets."""
        return "a third of BATCH_SIZE, which only its config knows; here of the batch, and one at least"

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The distance of each positive and negative to the first anchor; sorting depends on the data
        and is not counted."""
        values = 2 * tops[0].count()
        return OpCount(adds=2 * values, muls=values, compares=tops[0][0])

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """None: each triplet's gradients are copied to its rows."""
        return NOTHING

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Both thirds by their distance; less than three images are refused."""
        x = bottoms[0].reshape(bottoms[0].shape[:2])
        number = len(x) // 3
        if not number:
            self.refuse(f"takes three images or more, not {len(x)}; count for a batch of three", "bottom")
        tops = [x[:number]]
        for start in (number, 2 * number):
            part = x[start : start + number]
            distances = np.square(part - x[0]).reshape(number, -1).sum(axis=1)
            tops.append(part[np.argsort(-distances, kind="stable")])
        return [top.copy() for top in tops]
