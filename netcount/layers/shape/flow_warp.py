from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.layer import TWO, WorkingMemory
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class FlowWarp(NoBlobs):
    """An image looked up where a flow points.  (N×C×H×W, flow N×2×H×W) -> N×C×H×W.  No weights.

    Bilinear; 0 (fill_value NOT_A_NUMBER: not a number) where the flow points outside.  The flow's first
    channel is along the width.  Source: flow_warp_layer.cpp of lmb-freiburg/flownet2.
    """

    type = "FlowWarp"
    source = "FlowNet2"
    bottoms = TWO
    in_place = False
    zero: bool

    def read(self, message: Message) -> None:
        """What stands where nothing is."""
        self.zero = message.child("flow_warp_param").text("fill_value") == "ZERO"

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The image's shape."""
        image, flow = (legacy(self, bottom, index) for index, bottom in enumerate(bottoms))
        if flow != (image[0], 2, *image[2:]):
            wanted = Shape((image[0], 2, *image[2:]))
            self.refuse(f"{self.named(1)} {bottoms[1]} must be a flow {wanted}", "bottom", 1)
        return [Shape(image)]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A position: two adds for where it points, two for how far between pixels; an output: eight muls,
        three adds, and of a position four compares."""
        outputs, positions = tops[0].count(), tops[0][0] * tops[0].count(2)
        return OpCount(adds=3 * outputs + 6 * positions, muls=8 * outputs, compares=4 * positions)

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """Of one image ten numbers a position in 64 bits, and whether it is inside; two sums in 64 bits with the
        neighbours of the next and their weight, or three sums."""
        image, positions = tops[0].count(1), tops[0].count(2)
        numbers = ceil(20.25 * positions)
        return WorkingMemory(forward=numbers + max(5 * image + 2 * positions, 6 * image))

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Image by image."""
        image, flow = (x.reshape(*x.shape, *(1,) * (4 - x.ndim)) for x in bottoms)
        high, wide = image.shape[2:]
        y = np.full(image.shape, 0 if self.zero else np.nan, dtype=np.float32)
        for picture, (across, down), made in zip(image, flow, y, strict=True):
            at_x, at_y = np.arange(wide) + across, np.arange(high)[:, None] + down
            inside = (at_x >= 0) & (at_y >= 0) & (at_x < wide) & (at_y < high)
            x, z = at_x[inside], at_y[inside]
            left, top = x.astype(np.int64), z.astype(np.int64)
            right, low = np.minimum(left + 1, wide - 1), np.minimum(top + 1, high - 1)
            alpha, beta = x - left, z - top
            made[:, inside] = (
                (1 - alpha) * (1 - beta) * picture[:, top, left]
                + alpha * (1 - beta) * picture[:, top, right]
                + (1 - alpha) * beta * picture[:, low, left]
                + alpha * beta * picture[:, low, right]
            )
        return [y]
