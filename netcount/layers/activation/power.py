from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import ElementWise
from netcount.layers.layer import Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class Power(ElementWise):
    """(shift + scale·x)^power; only what differs from 1 or 0 is computed.  Source: power_layer.cpp."""

    type = "Power"
    power: float
    scale: float
    shift: float
    constant: bool

    def read(self, message: Message) -> None:
        """power, scale, shift."""
        param = message.child("power_param")
        self.power = param.number("power")
        self.scale = param.number("scale")
        self.shift = param.number("shift")
        self.constant = abs(self.power * self.scale) <= 2.0**-150  # as a float, the product is 0

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Caffe skips a scale of 1, a shift of 0 and a power of 1; a constant costs nothing."""
        elements = tops[0].count()
        if self.constant:
            return NOTHING
        return OpCount(
            adds=elements if self.shift != 0 else 0,
            muls=elements if self.scale != 1 else 0,
            exps=elements if self.power != 1 else 0,
        )

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """Caffe has cases: a constant, power 1, power 2, no shift, and the rest by y / (shift + scale·x)."""
        elements = tops[0].count() * wanted.bottoms[0]
        if self.constant:
            return NOTHING
        if self.power == 1:
            return OpCount(muls=elements)
        shifts = elements if self.shift != 0 else 0
        if self.power == 2:
            return OpCount(adds=shifts, muls=2 * elements)
        if not shifts:
            return OpCount(muls=2 * elements, divs=elements)
        muls = 1 + (self.scale != 1) + (self.power * self.scale != 1)
        return OpCount(adds=shifts, muls=muls * elements, divs=elements)

    def value(self, x: Array) -> Array:
        """A constant where power·scale is 0."""
        if self.constant:
            with np.errstate(all="ignore"):  # 0 to a negative power is infinite, as in C
                value = np.float32(self.shift) ** np.float32(self.power)
            return np.full(x.shape, value, dtype=np.float32)
        y = np.float32(self.scale) * x + np.float32(self.shift)
        return y if self.power == 1 else y ** np.float32(self.power)
