"""The smooth L1 loss that detectors regress boxes with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import legacy
from netcount.layers.layer import Arity, Wanted
from netcount.layers.loss._loss import Loss, mean, number
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class SmoothL1Loss(Loss):
    """Huber's loss of a difference, over N.  (N×*S, N×*S[, weights inside[, outside]]) -> number.

    Source: smooth_L1_loss_layer.cpp of Fast R-CNN (sigma, 2 or 4 bottoms), SSD (2 or 3) and
    caffe-windows (turn_point, where its line has the slope 1 all the same).  R-FCN's (2 or 3) has a
    second top N×1×H×W, each instance's loss; its set-up leaves out the loss's own, so that it needs
    no loss_weight.  Cascade R-CNN's has that top with 4 bottoms, and sigma and division as Fast R-CNN's.
    """

    type = "SmoothL1Loss"
    temporaries = 6
    never_backward: ClassVar[frozenset[int]] = frozenset()
    source = "Fast R-CNN, SSD"
    bottoms: ClassVar[Arity] = Arity(2, 4)
    tops: ClassVar[Arity] = Arity(1, 2)
    sigma: float
    weighs: bool
    normalized: bool

    def read(self, message: Message) -> None:
        """sigma or turn_point: where the square turns into a line."""
        super().read(message)
        self.sigma = message.child("smooth_l1_loss_param").number("sigma")
        turn = message.child("smoothl1_param")
        self.turn = turn.number("turn_point") if turn.has("turn_point") else None
        if self.top_count > 1:
            self.by_instance()

    def by_instance(self) -> None:
        """R-FCN's layer, which has no sigma of its own; with 4 bottoms Cascade R-CNN's."""
        self.turn, self.weighs = None, False
        self.normalized = len(self.message.texts("bottom")) < 4
        if self.normalized:
            self.sigma = 1.0

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The loss, and one value per instance."""
        loss = super().infer(bottoms)[0]
        n, _, *spatial = legacy(self, bottoms[0], 0)
        return [loss, Shape((n, 1, *spatial))][: self.top_count]

    def check(self, bottoms: Sequence[Shape]) -> None:
        """All of one shape behind axis 0."""
        first = legacy(self, bottoms[0], 0)
        for index, shape in enumerate(bottoms[1:], 1):
            if legacy(self, shape, index)[1:] != first[1:]:
                self.refuse(
                    f"{self.named(index)} {shape} must be as {self.named(0)} {bottoms[0]}",
                    "bottom",
                    index,
                )

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An element: a difference, an absolute value, a compare, two muls (or a difference for
        the line) and an add; a mul a weight.  A div.  One more add where instances are told."""
        elements = bottoms[0].count()
        adds = (1 + len(tops)) * elements
        return OpCount(adds=adds, muls=len(bottoms) * elements, divs=1, compares=2 * elements)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """The kept difference, cut off by two compares and a mul, once; for each bottom a mul by the loss's weight
        and one a weight, and a div.  R-FCN's, with a second top, is not written down."""
        if self.top_count > 1:
            return None
        number = sum(wanted.bottoms[:2])
        each = bottoms[0].count() if number else 0
        return OpCount(muls=each * (1 + number * (len(bottoms) - 1)), divs=number, compares=2 * each)

    def losses(self, bottoms: Sequence[Array]) -> Array:
        """The loss of each element."""
        a, b, *weights = bottoms
        difference = a - b.reshape(a.shape)
        if weights:
            difference = difference * weights[0].reshape(a.shape)
        size, steep = np.abs(difference), np.float32(1 if self.turn is not None else self.sigma**2)
        square = np.float32(0.5) * steep * size * size
        if self.turn is not None:
            values: Array = np.where(size < self.turn, square, size + np.float32(self.turn**2 / 2 - self.turn))
        else:
            values = np.where(size * steep < 1, square, size - 0.5 / (steep or 1))
        return values * weights[1].reshape(a.shape) if len(weights) > 1 else values

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Over all elements, divided by the batch."""
        if self.top_count > 1:
            return self.forward_by_instance(bottoms)
        return [mean(self.losses(bottoms).sum(), len(bottoms[0]))]

    def forward_by_instance(self, bottoms: Sequence[Array]) -> list[Array]:
        """VALID, the default, divides by all instances as FULL does."""
        each = self.losses(bottoms)
        instances = each.reshape(each.shape + (1,) * (4 - each.ndim)).sum(axis=1, keepdims=True)
        outer = len(each)
        if not self.normalized:
            return [mean(each.sum(), outer), instances]
        divisor = self.divisor(outer, instances.size // max(1, outer), instances.size)
        return [number(each.sum() / divisor), instances][: self.top_count]
