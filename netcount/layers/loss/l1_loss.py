from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.loss._loss import Loss, check_values, mean

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class L1Loss(Loss):
    """Σ|a − b| / N.  (N×*S, N×*S) -> number.  Source: l1_loss_layer.cpp of NVIDIA's Caffe."""

    type = "L1Loss"
    source = "NVIDIA"

    def check(self, bottoms: Sequence[Shape]) -> None:
        """As many values an image."""
        check_values(self, bottoms, 1)

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An element: a difference, a sign, an absolute value and an add.  A div."""
        elements = bottoms[0].count()
        return OpCount(adds=2 * elements, divs=1, compares=2 * elements)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Over all elements."""
        a, b = bottoms
        return [mean(np.abs(a.reshape(-1) - b.reshape(-1)).sum(), len(a))]
