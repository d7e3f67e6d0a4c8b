from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.layer import TWO, Window, WorkingMemory
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

PARAM = "correlation_param"


class Correlation(NoBlobs):
    """How alike patches of two images are, over all displacements.  (N×C×H×W twice) -> N×D²×H'×W'.

    D = 2·⌊max_displacement / stride_2⌋ + 1; H' = ⌈(H + 2·pad − 2·(max_displacement + ⌊kernel_size/2⌋)) /
    stride_1⌉.  Each output is the mean of kernel_size²·C products (SUBTRACT: of absolute differences).
    Nothing is learned: no weights, and the products are no madds.  Source: correlation_layer.cpp and .cu
    of lmb-freiburg/flownet2 (Dosovitskiy et al. 2015).
    """

    type = "Correlation"
    source = "FlowNet"
    bottoms = TWO
    flat: ClassVar[bool] = False
    """Whether displacements are along the width only."""

    kernel: int
    reach: int
    pad: int
    stride: int
    step: int
    subtracts: bool
    direction: int

    def read(self, message: Message) -> None:
        """Kernel, displacements and strides."""
        param = message.child(PARAM)
        self.kernel, self.reach = param.integer("kernel_size"), param.integer("max_displacement")
        self.pad = param.integer("pad")
        self.stride, self.step = param.integer("stride_1"), param.integer("stride_2")
        self.subtracts = param.text("correlation_type") == "SUBTRACT"
        self.direction = param.integer("single_direction")
        if self.kernel % 2 != 1:
            self.refuse(f"kernel_size {self.kernel} must be odd", f"{PARAM}.kernel_size")
        if not param.has("max_displacement"):
            self.refuse("needs a max_displacement", PARAM)
        for name in ("stride_1", "stride_2"):
            if not param.integer(name):
                self.refuse(f"{name} must be positive", f"{PARAM}.{name}")

    def _displacements(self) -> list[tuple[int, int]]:
        """Down and right, in the order of the channels."""
        steps = self.reach // self.step
        sides = [place * self.step for place in range(-steps, steps + 1)]
        return list(product(sides, sides))

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """A channel per displacement."""
        first, other = (legacy(self, bottom, index) for index, bottom in enumerate(bottoms))
        if first != other:
            self.refuse(f"{self.named(1)} {bottoms[1]} must be as {self.named(0)} {bottoms[0]}", "bottom", 1)
        n, _, high, wide = first
        border = self.kernel // 2
        down = high - 2 * border if self.flat else high + 2 * self.pad - 2 * (self.reach + border)
        right = wide + 2 * self.pad - 2 * (self.reach + border)
        made = [-(-room // self.stride) for room in (down, right)]
        if min(made) < 1:
            self.refuse(
                f"max_displacement {self.reach} and kernel_size {self.kernel} leave no room in {high}×{wide} with "
                f"pad {self.pad}",
                f"{PARAM}.max_displacement",
            )
        return [Shape((n, len(self._displacements()), *made))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """For each of kernel_size²·C pairs of values a mul (SUBTRACT: an add and a compare) and an add; a div."""
        outputs = tops[0].count()
        pairs = outputs * self.kernel**2 * legacy(self, bottoms[0], 0)[1]
        if self.subtracts:
            return OpCount(adds=2 * pairs, compares=pairs, divs=outputs)
        return OpCount(adds=pairs, muls=pairs, divs=outputs)

    def window(self, bottoms: Sequence[Shape]) -> Window:
        """The patch and its stride."""
        return Window((self.kernel,) * 2, (self.stride,) * 2, (0 if self.flat else self.pad, self.pad), (1, 1))

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """Both images with padding, the pairs of one tap and of the next with their sums (SUBTRACT: and their
        differences), and rows that begin before the image."""
        n, c, high, wide = legacy(self, bottoms[0], 0)
        wide += 2 * self.pad
        padded = n * c * (high if self.flat else high + 2 * self.pad) * wide
        sums = n * tops[0].count(2)
        lacking = -min(0, self.reach + min(right for _, right in self._displacements()))
        wider = n * c * tops[0][2] * (wide + lacking) if lacking else 0
        pairs = max(2 * c + 1, 3 * c * self.subtracts)
        return WorkingMemory(forward=2 * padded + wider + pairs * sums)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Displacement by displacement."""
        tall = 0 if self.flat else self.pad
        one, other = (
            np.pad(x.reshape(*x.shape, *(1,) * (4 - x.ndim)), ((0, 0), (0, 0), (tall, tall), (self.pad, self.pad)))
            for x in bottoms
        )
        border = 2 * (self.kernel // 2)
        reach = (0 if self.flat else self.reach, self.reach)
        rows, columns = (
            range(r, extent - r - border, self.stride) for r, extent in zip(reach, one.shape[2:], strict=True)
        )
        moves = self._displacements()
        y = np.zeros((len(one), len(moves), len(rows), len(columns)), dtype=np.float32)
        for channel, (down, right) in enumerate(moves):
            for tap in product(range(self.kernel), repeat=2):
                here = one[:, :, rows.start + tap[0] : rows.stop + tap[0] : self.stride]
                here = here[..., columns.start + tap[1] : columns.stop + tap[1] : self.stride]
                there = other[:, :, rows.start + tap[0] + down : rows.stop + tap[0] + down : self.stride]
                begin = columns.start + tap[1] + right
                stop = columns.stop + tap[1] + right
                there = (
                    there[..., max(0, begin) : stop : self.stride]
                    if begin >= 0
                    else self._beyond(there, begin, stop)
                )
                pair = np.abs(here - there) if self.subtracts else here * there
                y[:, channel] += pair.sum(axis=1)
        y /= np.float32(self.kernel**2 * one.shape[1])
        return [y]

    def _beyond(self, there: Array, begin: int, stop: int) -> Array:
        """Columns that begin before the image, with zeros there."""
        wider = np.pad(there, ((0, 0), (0, 0), (0, 0), (-begin, 0)))
        return wider[..., 0 : stop - begin : self.stride]
