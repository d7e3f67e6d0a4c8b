"""Caffe's losses: predictions and labels -> one number without axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import legacy, rows, touch
from netcount.layers.loss_base import (
    LOG_THRESHOLD,
    SMALLEST,
    Loss,
    by_position,
    check_labels,
    check_values,
    indices_of,
    mean,
    normalization_of,
    number,
)
from netcount.layers.softmax import softmax, softmax_ops
from netcount.lazy import np
from netcount.opcount import OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run


class SoftmaxWithLoss(Loss):
    """−log of the softmax at the label, averaged.  (N×C×*S, N×*S) -> number.

    Caffe declares a second top for the probabilities but cannot set it up: the Softmax inside
    inherits both loss weights for its one top (BVLC/caffe issue 2968).
    With SegNet's weight_by_label_freqs a label counts as much as its class_weighting says.
    Source: softmax_loss_layer.cpp, of SegNet's Caffe too.
    """

    type = "SoftmaxWithLoss"
    in_place = False

    def read(self, message: Message) -> None:
        """The axis of the classes, and their weights."""
        super().read(message)
        self.axis_given = message.child("softmax_param").integer("axis")
        param = message.child("loss_param")
        weighs = param.flag("weight_by_label_freqs")
        self.weights = param.numbers("class_weighting") if weighs else None

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
        """The probabilities at the labels, ignored ones left out."""
        x, label = bottoms
        each, valid = self.losses(softmax(x, self.axis_given), label)
        return [self.averaged(each, valid, x)]


class HingeLoss(Loss):
    """Σ max(0, 1 ± x), or its square, over N.  (N×C, N) -> number.

    Source: hinge_loss_layer.cpp.
    """

    type = "HingeLoss"

    def read(self, message: Message) -> None:
        """The norm."""
        super().read(message)
        self.norm = message.child("hinge_loss_param").text("norm")

    def indices(self, bottoms: Sequence[Shape]) -> dict[int, int]:
        """The labels: classes."""
        return {1: bottoms[0].count(1)}

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Two adds and a compare an element (a square for L2); a sign an image; a div."""
        elements, images = bottoms[0].count(), bottoms[0][0]
        squares = elements if self.norm == "L2" else 0
        return OpCount(adds=2 * elements, muls=squares + images, compares=elements, divs=1)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The labelled class counts downwards."""
        x, label = bottoms
        margins = rows(x, 1).copy()
        wanted = indices_of(self, label.reshape(-1)[: len(x)], margins.shape[1])
        margins[np.arange(len(x)), wanted] *= -1
        margins = np.maximum(0, 1 + margins)
        return [mean((np.square(margins) if self.norm == "L2" else margins).sum(), len(x))]


class MultinomialLogisticLoss(Loss):
    """−log of the probability at the label, over N.  (N×C, N) -> number.

    Source: multinomial_logistic_loss_layer.cpp.
    """

    type = "MultinomialLogisticLoss"

    def check(self, bottoms: Sequence[Shape]) -> None:
        """One label an image."""
        if legacy(self, bottoms[1], 1)[1:] != (1, 1, 1):
            self.refuse(f"{self.named(1)} {bottoms[1]} must hold one label an image", "bottom", 1)

    def indices(self, bottoms: Sequence[Shape]) -> dict[int, int]:
        """The labels: classes."""
        return {1: bottoms[0].count(1)}

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A compare, a log and an add an image; a div."""
        images = bottoms[0][0]
        return OpCount(adds=images, divs=1, compares=images, exps=images)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The probabilities at the labels."""
        x, label = bottoms
        each = rows(x, 1)
        wanted = indices_of(self, label, each.shape[1])
        picked = np.maximum(each[np.arange(len(x)), wanted], np.float32(LOG_THRESHOLD))
        return [mean(-np.log(picked).sum(), len(x))]


class SigmoidCrossEntropyLoss(Loss):
    """Cross entropy of sigmoids and targets.  (N×*S, N×*S) -> number.

    Source: sigmoid_cross_entropy_loss_layer.cpp.
    """

    type = "SigmoidCrossEntropyLoss"
    in_place = False

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
