from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import touch
from netcount.layers.layer import Wanted
from netcount.layers.loss._loss import (
    Loss,
    check_values,
    normalization_of,
    number,
)
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class SigmoidCrossEntropyLoss(Loss):
    """Cross entropy of sigmoids and targets.  (N×*S, N×*S) -> number.

    Source: sigmoid_cross_entropy_loss_layer.cpp.
    """

    type = "SigmoidCrossEntropyLoss"
    in_place = False
    normalization: str

    def read(self, message: Message) -> None:
        """By default the sum is divided by the batch."""
        super().read(message)
        self.normalization = normalization_of(message.child("loss_param"), "BATCH_SIZE")

    def check(self, bottoms: Sequence[Shape]) -> None:
        """A target for each value."""
        check_values(self, bottoms)
        if any(self.message.numbers("loss_weight")):  # the Sigmoid inside has it too
            touch(self, bottoms[0].count(), "the sigmoids")

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A value: the sigmoid (tanh, two muls, an add), and of the loss an exp, a log, three muls,
        two compares and five adds.  A div."""
        values = bottoms[0].count()
        return OpCount(adds=6 * values, muls=5 * values, divs=1, compares=2 * values, exps=3 * values)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """The sigmoid less the target, times a factor."""
        elements = bottoms[0].count() * wanted.bottoms[0]
        return OpCount(adds=elements, muls=elements, divs=int(wanted.bottoms[0]))

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """In the form that does not overflow."""
        x, target = (bottom.reshape(-1) for bottom in bottoms)
        kept = self.kept(target.astype(np.int64))
        outer = len(bottoms[0])
        total = cross_entropy(x, target)[kept].sum()
        divisor = self.divisor(outer, x.size // max(1, outer), int(kept.sum()))
        return [number(total / divisor)]


def cross_entropy(x: Array, target: Array) -> Array:
    """Cross entropy of sigmoid(x) and a target, in the form that does not overflow."""
    positive = x >= 0
    losses: Array = np.log1p(np.exp(x - 2 * x * positive)) - x * (target - positive)
    return losses
