from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.loss._loss import Loss, check_values, mean

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class DiceLoss(Loss):
    """1 − 2·Σab / (Σa² + Σb²), the mean over N.  (N×*S, N×*S) -> number.

    Forks differ in what they sum over; this is the definition of the paper behind them all
    (Milletari et al. 2016, V-Net, arXiv 1606.04797).
    """

    type = "DiceLoss"
    source = "V-Net"

    def check(self, bottoms: Sequence[Shape]) -> None:
        """As many values."""
        check_values(self, bottoms)

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Three products and sums an element; a sum, a mul and a div an image; the mean."""
        elements, images = bottoms[0].count(), bottoms[0][0]
        return OpCount(adds=3 * elements + 2 * images, muls=3 * elements + images, divs=images + 1)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Two blobs of nothing but zeros have nothing in common: 1."""
        a, b = (bottom.reshape(len(bottom), -1) for bottom in bottoms)
        squares = np.square(a).sum(axis=1) + np.square(b).sum(axis=1)
        dice = 2 * (a * b).sum(axis=1) / np.where(squares > 0, squares, 1)
        return [mean((1 - dice).sum(), len(a))]
