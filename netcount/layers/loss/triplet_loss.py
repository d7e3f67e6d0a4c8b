from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import legacy
from netcount.layers.layer import Arity, Wanted
from netcount.layers.loss._loss import Loss, mean
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class TripletLoss(Loss):
    """How much nearer an anchor is to its positive than to its negative, up to a margin.

    (anchors N×C, positives N×C, negatives N×C[, weights, not read]) -> number: Σ max(0, margin + ‖a−p‖² −
    ‖a−n‖²) / 2N.  Source: triplet_loss_layer.cpp of caffe-windows.
    (features N×*S, triplets T×3 of their numbers) -> 1: the same sum over T.  Source:
    triplet_loss_layer.cpp of caffe_train (yuqj1991).
    """

    type = "TripletLoss"
    source = "caffe-windows, caffe_train"
    bottoms: ClassVar[Arity] = Arity(2, 4)
    margin: float
    chosen: bool
    weighs: bool

    def read(self, message: Message) -> None:
        """The margin, and which fork's it is."""
        super().read(message)
        self.margin = message.child("triplet_loss_param").number("margin")
        self.chosen = len(message.texts("bottom")) == 2
        self.weighs = not self.chosen

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """One number."""
        if not self.chosen:
            first = legacy(self, bottoms[0], 0)
            for index, shape in enumerate(bottoms[:3]):
                if legacy(self, shape, index) != (*first[:2], 1, 1):
                    self.refuse(
                        f"{self.named(index)} {shape} must be {Shape((*first[:2], 1, 1))}", "bottom", index
                    )
            return [Shape()]
        if not bottoms[0]:
            self.refuse(f"{self.named(0)} has no axes", "bottom")
        legacy(self, bottoms[1], 1)
        return [Shape((1,))]

    def indices(self, bottoms: Sequence[Shape]) -> dict[int, int]:
        """The triplets: rows of the features."""
        return {1: bottoms[0][0]} if self.chosen else {}

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A triplet: for each value two differences, squares and adds; two adds, a compare and an
        add.  A div, or two."""
        triplets = legacy(self, bottoms[1], 1)[0]
        values = triplets * bottoms[0].count(1)
        return OpCount(
            adds=4 * values + 3 * triplets, muls=2 * values, compares=triplets, divs=1 if self.chosen else 2
        )

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """For each of the three a factor, and a mul a value of differences that are kept.  caffe_train's: for each
        triplet, in its Forward_cpu, three differences doubled, a value, and all features times a factor."""
        if self.chosen:
            if not wanted.bottoms[0]:
                return NOTHING
            values = 3 * legacy(self, bottoms[1], 1)[0] * bottoms[0].count(1)
            return OpCount(adds=values, muls=values + bottoms[0].count(), divs=1)
        number = sum(wanted.bottoms[:3])
        return OpCount(muls=bottoms[0].count() * number, divs=number)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The triplets of features, or of rows that are named."""
        if self.chosen:
            features, rows = bottoms[0].reshape(len(bottoms[0]), -1), bottoms[1].reshape(-1)
            names = rows[: len(rows) // 3 * 3].astype(np.int64)
            if len(names) and not 0 <= names.min() <= names.max() < len(features):
                self.refuse(f"a triplet names a row outside the {len(features)} of {self.named(0)}", "bottom", 1)
            parts = list(features[names].reshape(-1, 3, features.shape[1]).transpose(1, 0, 2))
        else:
            parts = [np.atleast_1d(bottom) for bottom in bottoms[:3]]  # a number is one triplet, as in Caffe
            parts = [part.reshape(len(part), -1) for part in parts]
        losses = triplet_losses(parts[0], parts[1], parts[2], self.margin)
        if self.chosen:
            return [mean(losses.sum(), len(losses)).reshape(1)]
        return [mean(losses.sum() / 2, len(losses))]


def triplet_losses(anchors: Array, positives: Array, negatives: Array, margin: float) -> Array:
    """max(0, margin + ‖a−p‖² − ‖a−n‖²) of each row."""
    near, far = (np.square(anchors - others).sum(axis=1) for others in (positives, negatives))
    losses: Array = np.maximum(np.float32(margin) + near - far, 0)
    return losses
