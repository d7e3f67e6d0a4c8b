from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.activation.softmax import softmax, softmax_ops
from netcount.layers.bases import legacy, touch
from netcount.layers.layer import Arity, Wanted
from netcount.layers.loss._loss import (
    SMALLEST,
    Loss,
    by_position,
    check_labels,
    indices_of,
    number,
)
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class SoftmaxWithLoss(Loss):
    """−log of the softmax at the label, averaged.  (N×C×*S, N×*S) -> number[, N×C×*S[, N×*S]].

    The further tops are the probabilities and each label's loss.  Caffe declares the first of them
    but cannot set it up: the Softmax inside inherits both loss weights for its one top (BVLC/caffe
    issue 2968); R-FCN's Caffe can, and has the second.
    With SegNet's weight_by_label_freqs a label counts as much as its class_weighting says.
    Source: softmax_loss_layer.cpp, of SegNet's and R-FCN's Caffe too.
    """

    type = "SoftmaxWithLoss"
    tops: ClassVar[Arity] = Arity(1, 3)
    in_place = False
    axis_given: int
    weights: list[float] | None

    def read(self, message: Message) -> None:
        """The axis of the classes, and their weights."""
        super().read(message)
        self.axis_given = message.child("softmax_param").integer("axis")
        param = message.child("loss_param")
        weighs = param.flag("weight_by_label_freqs")
        self.weights = param.numbers("class_weighting") if weighs else None

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The loss, the probabilities, and the label's shape."""
        loss = super().infer(bottoms)[0]
        return [loss, bottoms[0], bottoms[1]][: self.top_count]

    def check(self, bottoms: Sequence[Shape]) -> None:
        """A label for each position, and a weight for each class."""
        axis = self.axis(bottoms[0], self.axis_given, "softmax_param.axis")
        check_labels(self, bottoms[0], bottoms[1], axis)
        if self.weights is not None and len(self.weights) != legacy(self, bottoms[0], 0)[1]:
            self.refuse(
                f"{len(self.weights)} class_weighting for the classes of {self.named(0)} {bottoms[0]}",
                "loss_param.class_weighting",
            )
        touch(self, bottoms[0][axis], f"axis {axis}")
        if self.message.numbers("loss_weight") != [0]:  # the Softmax inside has it too
            touch(self, bottoms[0].count(), "the probabilities")

    def indices(self, bottoms: Sequence[Shape]) -> dict[int, int]:
        """The labels: classes along the axis."""
        return {1: bottoms[0][bottoms[0].axis(self.axis_given)]}

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The softmax; a compare, a log and an add a label (and a mul, if weighted); a div."""
        labels = bottoms[1].count()
        weighted = 0 if self.weights is None else labels
        each = OpCount(adds=labels, muls=weighted, compares=labels, exps=labels, divs=1)
        return softmax_ops(bottoms[0].count()) + each

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """The probabilities, less 1 at the label, times the loss's weight: a mul each, and an add a label; with
        SegNet's weights of the classes a mul more."""
        muls = bottoms[0].count() * wanted.bottoms[0] * (1 if self.weights is None else 2)
        return OpCount(adds=bottoms[1].count() * wanted.bottoms[0], muls=muls, divs=int(wanted.bottoms[0]))

    def losses(self, probabilities: Array, label: Array) -> tuple[Array, int]:
        """The loss of each position, 0 for ignored labels, and how many are not ignored."""
        each = by_position(probabilities, self.axis_given)
        kept = self.kept(label.reshape(-1).astype(np.int64))
        wanted = indices_of(self, np.where(kept, label.reshape(-1), 0), each.shape[1])
        picked = np.maximum(each[np.arange(len(each)), wanted], np.float32(SMALLEST))
        losses = np.where(kept, -np.log(picked), np.float32(0))
        if self.weights is not None:
            losses = losses * np.array(self.weights, dtype=np.float32)[wanted]
        return losses, int(kept.sum())

    def averaged(self, each: Array, valid: int, x: Array) -> Array:
        """The sum, divided as the normalization says."""
        outer = int(np.prod(x.shape[: self.axis_given % x.ndim]))
        return number(each.sum() / self.divisor(outer, len(each) // max(1, outer), valid))

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The probabilities at the labels; ignored ones have no loss."""
        x, label = bottoms
        probabilities = softmax(x, self.axis_given)
        each, valid = self.losses(probabilities, label)
        loss = self.averaged(each, valid, x)
        return [loss, probabilities, each.reshape(label.shape)][: self.top_count]
