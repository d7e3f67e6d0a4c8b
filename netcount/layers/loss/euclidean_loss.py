from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.layer import Wanted
from netcount.layers.loss._loss import Loss, check_values, mean

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class EuclideanLoss(Loss):
    """Σ(a − b)² / 2N.  (N×*S, N×*S) -> number.  Source: euclidean_loss_layer.cpp."""

    type = "EuclideanLoss"
    in_place = False
    never_backward: ClassVar[frozenset[int]] = frozenset()

    def check(self, bottoms: Sequence[Shape]) -> None:
        """As many values per image."""
        check_values(self, bottoms, 1)

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A difference, a square and an add an element; two divs."""
        elements = bottoms[0].count()
        return OpCount(adds=2 * elements, muls=elements, divs=2)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """The kept difference times a factor, for each bottom."""
        number = sum(wanted.bottoms)
        return OpCount(muls=bottoms[0].count() * number, divs=number)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Over all elements."""
        a, b = bottoms
        difference = (a.reshape(-1) - b.reshape(-1)).astype(np.float64)
        return [mean(np.square(difference).sum() / 2, len(a))]
