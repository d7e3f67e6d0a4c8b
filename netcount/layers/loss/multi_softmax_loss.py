from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.activation.softmax import softmax, softmax_ops
from netcount.layers.bases import legacy
from netcount.layers.loss._loss import SMALLEST, Loss, indices_of, number
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

SCALE = 336.0
"""What the fork divides by besides the batch."""


class MultiSoftmaxLoss(Loss):
    """−log of the softmax at the label of each position, over 336·N; labels start at 1.

    (N×C×H×W, N·H·W labels) -> number, which no top holds; in V1 form only.
    Source: multi_softmax_loss_layer.cpp of 3dnormal_joint_pose's Caffe.
    """

    type = "MULTI_SOFTMAX_LOSS"
    source = "3dnormal_joint_pose"
    weighs = False

    def read(self, message: Message) -> None:
        """No parameters, and no tops."""
        super().read(message)
        if message.texts("top"):
            self.refuse("takes no top", "top")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """One number; the fork checks nothing."""
        for index, shape in enumerate(bottoms):
            legacy(self, shape, index)
        return [Shape()]

    def indices(self, bottoms: Sequence[Shape]) -> dict[int, int]:
        """The labels."""
        return {1: legacy(self, bottoms[0], 0)[1] + 1}

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The softmax; a compare, a log and an add a label; two divs."""
        n, _, high, wide = legacy(self, bottoms[0], 0)
        labels = n * high * wide
        return softmax_ops(bottoms[0].count()) + OpCount(adds=2 * labels, compares=labels, exps=labels, divs=2)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Position after position; a label that is none is refused."""
        x = bottoms[0].reshape(*(*bottoms[0].shape, 1)[:2], -1)
        labels = bottoms[1].reshape(-1)
        if labels.size != len(x) * x.shape[2]:
            self.refuse(f"{labels.size} labels for {len(x) * x.shape[2]} positions", "bottom", 1)
        wanted = indices_of(self, labels - 1, x.shape[1]).reshape(len(x), 1, -1)
        picked = np.maximum(np.take_along_axis(softmax(x, 1), wanted, axis=1), np.float32(SMALLEST))
        return [number(-np.log(picked).sum() / max(1, len(x)) / SCALE)]
