from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, SameShape
from netcount.layers.layer import Wanted, WorkingMemory
from netcount.layers.sight import Sight, each, same, whole, windowed
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class LRN(SameShape, NoBlobs):
    """x / (k + alpha/n · Σ x²)^beta over neighbours: channels, or a window within each channel.

    N×C×H×W.  Source: lrn_layer.cpp; Krizhevsky et al. 2012.
    """

    type = "LRN"
    makes_diffs = True
    local_size: int
    alpha: float
    beta: float
    k: float
    within: bool

    def read(self, message: Message) -> None:
        """The neighbourhood and the constants."""
        param = message.child("lrn_param")
        self.local_size = param.integer("local_size")
        self.alpha, self.beta = param.number("alpha"), param.number("beta")
        self.k = param.number("k")
        self.within = param.text("norm_region") == "WITHIN_CHANNEL"
        if self.local_size % 2 != 1:
            self.refuse(f"local_size {self.local_size} must be odd", "lrn_param.local_size")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottom's shape, of 4 axes."""
        if len(bottoms[0]) != 4:
            self.refuse(f"needs 4 axes N×C×H×W, not {bottoms[0]}", "bottom")
        return [bottoms[0]]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Across channels, a running sum: square, scale and final mul, two adds, a power.  Within a
        channel the whole window is added up: local_size² adds, a div, a square, scale, shift,
        power and final mul."""
        elements = tops[0].count()
        if self.within:
            return OpCount(
                adds=elements * (self.local_size**2 + 1),
                muls=2 * elements,
                divs=elements,
                exps=2 * elements,
            )
        return OpCount(adds=2 * elements, muls=3 * elements, exps=elements)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """Across channels, a running sum of y·dy/scale: four muls, three adds, a div and a power.  Within a
        channel what the layers inside cost: a product, a Power, an average of each window, squares, a Split."""
        elements = tops[0].count() * wanted.bottoms[0]
        if self.within:
            window = self.local_size**2
            return OpCount(adds=elements * (window + 2), muls=7 * elements, divs=elements * (window + 1))
        return OpCount(adds=3 * elements, muls=4 * elements, divs=elements, exps=elements)

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """All channels; within a channel the window."""
        if not self.within:
            return [same(0), whole(bottoms[0][1]), same(2), same(3)]
        half = self.local_size // 2
        return [*each(bottoms[0][:2]), *(windowed(axis, self.local_size, 1, half, 1) for axis in (2, 3))]

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """The squares, with zeros around them."""
        n, c, *spatial = bottoms[0]
        more = 2 * (self.local_size // 2)
        if self.within:
            return WorkingMemory(forward=n * c * prod([extent + more for extent in spatial]))
        return WorkingMemory(forward=n * (c + more) * prod(spatial))

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Sums of squares by shifted slices."""
        (x,) = bottoms
        y = self._within(x) if self.within else self._across(x)
        np.power(y, np.float32(-self.beta), out=y)
        y *= x
        return [y]

    def _across(self, x: Array) -> Array:
        channels, half = x.shape[1], self.local_size // 2
        squares = np.zeros((len(x), channels + 2 * half, *x.shape[2:]), np.float32)
        np.multiply(x, x, out=squares[:, half : half + channels])
        total = np.zeros_like(x)
        for offset in range(self.local_size):
            total += squares[:, offset : offset + channels]
        total *= np.float32(self.alpha / self.local_size)
        total += np.float32(self.k)
        return total

    def _within(self, x: Array) -> Array:
        """Caffe averages by a padded AVE pooling, which divides by the window inside the padding."""
        height, width, half = *x.shape[2:], self.local_size // 2
        squares = np.zeros((*x.shape[:2], height + 2 * half, width + 2 * half), np.float32)
        np.multiply(x, x, out=squares[:, :, half : half + height, half : half + width])
        total = np.zeros_like(x)
        for down in range(self.local_size):
            for right in range(self.local_size):
                total += squares[:, :, down : down + height, right : right + width]
        total /= np.float32(self.local_size**2)
        total *= np.float32(self.alpha)
        total += np.float32(1)
        return total
