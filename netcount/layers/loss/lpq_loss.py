from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.layer import Arity
from netcount.layers.loss._loss import Loss, number
from netcount.layers.loss._measured import check_images, differences, divisor, over_channels
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

PARAM = "lpq_loss_param"


class LpqLoss(Loss):
    """Σ over positions of (Σ over channels of (|a − b| + p_epsilon)^p + q_epsilon)^q / N.
    (N×C×H×W[, N×C×H×W]) -> number.

    p and q are those of iteration 0.  Source: lpq_loss_layer.cpp and .cu of lmb-freiburg/flownet2.
    """

    type = "LpqLoss"
    source = "FlowNet2"
    bottoms: ClassVar[Arity] = Arity(1, 2)
    p: float
    q: float
    shifts: tuple[float, float]
    mean_of_channels: bool
    by_entries: bool

    def read(self, message: Message) -> None:
        """The first step of the schedule of p and q."""
        super().read(message)
        param = message.child(PARAM)
        starts = param.integers("pq_episode_starts_at_iter")
        powers, roots = param.numbers("p"), param.numbers("q")
        if len(powers) != len(roots) or (len(starts) != len(powers) and not (len(powers) == 1 and not starts)):
            self.refuse(
                f"needs as many p ({len(powers)}), q ({len(roots)}) and pq_episode_starts_at_iter ({len(starts)})",
                PARAM,
            )
        if not powers:
            self.refuse("needs a p and a q", PARAM)
        if starts and (starts[0] or any(a >= b for a, b in pairwise(starts))):
            self.refuse("pq_episode_starts_at_iter must rise from 0", f"{PARAM}.pq_episode_starts_at_iter")
        self.p, self.q = powers[0], roots[0]
        self.shifts = (param.number("p_epsilon"), param.number("q_epsilon"))
        self.mean_of_channels = param.flag("l2_prescale_by_channels")
        self.by_entries = param.flag("normalize_by_num_entries")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """One number."""
        check_images(self, bottoms)
        return [Shape()] * self.top_count

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An element: a difference of two, a test for a number, a sign, a mul by it and an add; p_epsilon and
        p where they are not 0 and 1.  A position: an add; q_epsilon and q as well.  A div, and an add an
        element where entries are counted."""
        elements = bottoms[0].count()
        positions = bottoms[0].count(0, 1) * bottoms[0].count(2)
        first, second = (int(shift != 0) for shift in self.shifts)
        return OpCount(
            adds=(len(bottoms) + first + self.by_entries) * elements + (1 + second) * positions,
            muls=(1 + self.mean_of_channels) * elements,
            divs=1 + self.by_entries,
            exps=elements * int(self.p != 1) + positions * int(self.q != 1),
            compares=2 * elements,
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Powers of the differences' sizes."""
        between, numbers = differences(bottoms)
        first, second = (np.float32(shift) for shift in self.shifts)
        powers = (np.abs(between) + first) ** np.float32(self.p)
        powers = powers.reshape((*powers.shape, 1, 1, 1)[: max(4, powers.ndim)])
        roots = (over_channels(powers, self.mean_of_channels) + second) ** np.float32(self.q)
        return [number(roots.sum() / divisor(numbers, self.by_entries))]
