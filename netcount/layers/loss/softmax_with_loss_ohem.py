from __future__ import annotations

from netcount.layers.loss.softmax_with_loss import SoftmaxWithLoss


class SoftmaxWithLossOHEM(SoftmaxWithLoss):
    """SoftmaxWithLoss that also tells each instance's loss.  -> number[, N×C×*S[, N×*S]].

    Source: softmax_loss_ohem_layer.cpp and .cu of R-FCN's Caffe.
    """

    type = "SoftmaxWithLossOHEM"
    source = "R-FCN"
