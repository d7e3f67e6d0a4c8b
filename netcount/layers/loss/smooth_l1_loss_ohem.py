from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.layers.layer import Arity
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
    bottoms: ClassVar[Arity] = Arity(2, 3)
    weighs = False

    def read(self, message: Message) -> None:
        """As SmoothL1Loss with a second top, also with one."""
        super().read(message)
        self.by_instance()

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Divided as the normalization says."""
        return self.forward_by_instance(bottoms)
