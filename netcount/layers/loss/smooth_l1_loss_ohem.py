from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import legacy
from netcount.layers.layer import Arity
from netcount.layers.loss._loss import number
from netcount.layers.loss.smooth_l1_loss import SmoothL1Loss
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class SmoothL1LossOHEM(SmoothL1Loss):
    """SmoothL1Loss that also tells each instance's loss.  (N×C×H×W, …) -> number[, N×1×H×W].

    Its set-up leaves out the loss's own, so that two tops need no loss_weight.
    Source: smooth_L1_loss_ohem_layer.cpp and .cu of R-FCN's Caffe.
    """

    type = "SmoothL1LossOHEM"
    source = "R-FCN"
    bottoms = Arity(2, 3)
    tops = Arity(1, 2)
    weighs = False

    def read(self, message: Message) -> None:
        """It has no sigma of its own."""
        super().read(message)
        self.sigma, self.turn = 1.0, None

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The loss, and one value an instance."""
        loss = super().infer(bottoms)[0]
        n, _, *spatial = legacy(self, bottoms[0], 0)
        return [loss, Shape((n, 1, *spatial))][: self.top_count]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """As SmoothL1Loss; one more add an element where instances are told."""
        again = bottoms[0].count() if len(tops) > 1 else 0
        return super().ops(bottoms, tops) + OpCount(adds=again)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """VALID, the default, divides by all instances as FULL does."""
        each = self.losses(bottoms)
        instances = each.reshape(each.shape + (1,) * (4 - each.ndim)).sum(axis=1, keepdims=True)
        outer = len(each)
        divisor = self.divisor(outer, instances.size // max(1, outer), instances.size)
        return [number(each.sum() / divisor), instances][: self.top_count]
