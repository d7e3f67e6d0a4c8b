from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.shape import Shape
from netcount.layers.activation.softmax import softmax
from netcount.layers.layer import Arity
from netcount.layers.loss.softmax_with_loss import SoftmaxWithLoss

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class SoftmaxWithLossOHEM(SoftmaxWithLoss):
    """SoftmaxWithLoss that also tells each instance's loss.  -> number[, N×C×*S[, N×*S]].

    Source: softmax_loss_ohem_layer.cpp and .cu of R-FCN's Caffe.
    """

    type = "SoftmaxWithLossOHEM"
    source = "R-FCN"
    tops = Arity(1, 3)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The loss, the probabilities, and the label's shape."""
        loss = super().infer(bottoms)[0]
        return [loss, bottoms[0], bottoms[1]][: self.top_count]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Ignored labels have no loss."""
        x, label = bottoms
        probabilities = softmax(x, self.axis_given)
        each, valid = self.losses(probabilities, label)
        loss = self.averaged(each, valid, x)
        return [loss, probabilities, each.reshape(label.shape)][: self.top_count]
