from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.layer import Arity, Wanted
from netcount.layers.loss._loss import Loss, check_values, mean, number
from netcount.layers.loss._measured import check_images, differences, divisor, over_channels
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

PARAM = "l1_loss_param"


class L1Loss(Loss):
    """Σ|a − b| / N.  (N×*S, N×*S) -> number.  Source: l1_loss_layer.cpp of NVIDIA's Caffe.

    FlowNet2's, known by l1_loss_param or a missing bottom 1, leaves out what is not a number or less than
    plateau; l2_per_location sums √(Σ over channels of squares + epsilon); normalize_by_num_entries divides
    by the positions that hold numbers.  Source: l1loss_layer.cpp and .cu of lmb-freiburg/flownet2.
    """

    type = "L1Loss"
    source = "NVIDIA, FlowNet2"
    bottoms: ClassVar[Arity] = Arity(1, 2)
    measured: bool
    by_location: bool
    by_entries: bool
    mean_of_channels: bool
    epsilon: float
    plateau: float

    def read(self, message: Message) -> None:
        """Which fork's it is."""
        super().read(message)
        self.measured = message.has(PARAM) or len(message.texts("bottom")) == 1
        param = message.child(PARAM)
        self.by_location, self.by_entries = param.flag("l2_per_location"), param.flag("normalize_by_num_entries")
        self.mean_of_channels = param.flag("l2_prescale_by_channels")
        self.epsilon, self.plateau = param.number("epsilon"), param.number("plateau")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """One number."""
        if self.measured:
            check_images(self, bottoms)
            return [Shape()] * self.top_count
        return super().infer(bottoms)

    def check(self, bottoms: Sequence[Shape]) -> None:
        """As many values per image."""
        check_values(self, bottoms, 1)

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An element: a difference, a sign, an absolute value and an add.  A div.

        FlowNet2's: a difference of two, a test for a number; then a compare with the plateau, a sign, a mul
        and an add, or a square and an add, and a position's compare, add of epsilon, root and add; a div, and
        an add an element where entries are counted.
        """
        elements = bottoms[0].count()
        if not self.measured:
            return OpCount(adds=2 * elements, divs=1, compares=2 * elements)
        plateau = int(self.plateau > 0)
        seen = OpCount(
            adds=(len(bottoms) - 1 + self.by_entries) * elements, divs=1 + self.by_entries, compares=elements
        )
        if not self.by_location:
            return seen + OpCount(adds=elements, muls=elements, compares=(1 + plateau) * elements)
        positions = bottoms[0].count(0, 1) * bottoms[0].count(2)
        scaled = elements if self.mean_of_channels else 0
        return seen + OpCount(
            adds=elements + 2 * positions,
            muls=elements + scaled,
            exps=positions,
            compares=plateau * positions,
        )

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """The kept signs times a factor, for each bottom.  FlowNet2's once, a compare for what is left out, and
        for bottom 1 a mul to turn it round; with l2_per_location it is not written down."""
        elements, number = bottoms[0].count(), sum(wanted.bottoms)
        if not self.measured:
            return OpCount(muls=elements * number, divs=number)
        if not number:
            return NOTHING
        turned = elements * any(wanted.bottoms[1:])
        return None if self.by_location else OpCount(muls=elements + turned, divs=1, compares=elements)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Over all elements."""
        if not self.measured:
            a, b = bottoms
            return [mean(np.abs(a.reshape(-1) - b.reshape(-1)).sum(), len(a))]
        between, numbers = differences(bottoms)
        if self.by_location:
            squares = over_channels(np.square(between), self.mean_of_channels)
            squares = np.where(np.abs(squares) < self.plateau**2, 0, squares)
            total = np.sqrt(squares + np.float32(self.epsilon)).sum()
        else:
            sizes = np.abs(between)
            total = np.where(sizes < self.plateau, 0, sizes).sum()
        return [number(total / divisor(numbers, self.by_entries))]
