from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import legacy, rows
from netcount.layers.layer import Wanted
from netcount.layers.loss._loss import (
    LOG_THRESHOLD,
    Loss,
    indices_of,
    mean,
)

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class MultinomialLogisticLoss(Loss):
    """−log of the probability at the label, over N.  (N×C, N) -> number.

    Source: multinomial_logistic_loss_layer.cpp.
    """

    type = "MultinomialLogisticLoss"

    def check(self, bottoms: Sequence[Shape]) -> None:
        """One label per image."""
        if legacy(self, bottoms[1], 1)[1:] != (1, 1, 1):
            self.refuse(f"{self.named(1)} {bottoms[1]} must hold one label per image", "bottom", 1)

    def indices(self, bottoms: Sequence[Shape]) -> dict[int, int]:
        """The labels: classes."""
        return {1: bottoms[0].count(1)}

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A compare, a log and an add an image; a div."""
        images = bottoms[0][0]
        return OpCount(adds=images, divs=1, compares=images, exps=images)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """A compare and a div a label."""
        labels = bottoms[1].count() * wanted.bottoms[0]
        return OpCount(divs=labels + wanted.bottoms[0], compares=labels)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The probabilities at the labels."""
        x, label = bottoms
        each = rows(x, 1)
        wanted = indices_of(self, label, each.shape[1])
        picked = np.maximum(each[np.arange(len(x)), wanted], np.float32(LOG_THRESHOLD))
        return [mean(-np.log(picked).sum(), len(x))]
