"""Powers, exponentials and logarithms of each element: *S -> *S, without weights."""

from __future__ import annotations

from collections.abc import Sequence
from math import e, inf, isinf, log
from typing import TYPE_CHECKING

from netcount.layers.activation import ElementWise
from netcount.lazy import np
from netcount.opcount import NOTHING, OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array


class Power(ElementWise):
    """(shift + scale·x)^power; only what differs from 1 or 0 is computed.  Source: power_layer.cpp."""

    type = "Power"

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

    def value(self, x: Array) -> Array:
        """A constant where power·scale is 0."""
        if self.constant:
            with np.errstate(all="ignore"):  # 0 to a negative power is infinite, as in C
                value = np.float32(self.shift) ** np.float32(self.power)
            return np.full(x.shape, value, dtype=np.float32)
        y = np.float32(self.scale) * x + np.float32(self.shift)
        return y if self.power == 1 else y ** np.float32(self.power)


class Exp(ElementWise):
    """base^(shift + scale·x); base −1 stands for e.  Source: exp_layer.cpp."""

    type = "Exp"

    def read(self, message: Message) -> None:
        """The inner scale and the outer one that Caffe folds base and shift into."""
        param = message.child("exp_param")
        base, scale, shift = (param.number(name) for name in ("base", "scale", "shift"))
        self.inner = _log_of(self, base, "exp_param.base") * scale
        self.outer = _power(e if base == -1 else base, shift)

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An exp, and a mul for each of the two scales that is not 1."""
        elements = tops[0].count()
        return OpCount(muls=elements * ((self.inner != 1) + (self.outer != 1)), exps=elements)

    def value(self, x: Array) -> Array:
        """outer · exp(inner·x)."""
        return np.float32(self.outer) * np.exp(np.float32(self.inner) * x)


class Log(ElementWise):
    """log_base(shift + scale·x); base −1 stands for e.  Source: log_layer.cpp."""

    type = "Log"
    temporaries = 2

    def read(self, message: Message) -> None:
        """The factor 1/log(base), and scale and shift."""
        param = message.child("log_param")
        base = param.number("base")
        self.scale, self.shift = param.number("scale"), param.number("shift")
        log_base = _log_of(self, base, "log_param.base")
        if log_base == 0:
            self.refuse("base 1 has no logarithm", "log_param.base")
        self.outer = 1.0 / log_base

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A log, and what scale, shift and base add to it."""
        elements = tops[0].count()
        return OpCount(
            adds=elements if self.shift != 0 else 0,
            muls=elements * ((self.scale != 1) + (self.outer != 1)),
            exps=elements,
        )

    def value(self, x: Array) -> Array:
        """outer · log(scale·x + shift)."""
        inner = np.float32(self.scale) * x + np.float32(self.shift)
        result: Array = np.float32(self.outer) * np.log(inner)
        return result


class BNLL(ElementWise):
    """log(1 + exp(x)), from the side that does not overflow.  Source: bnll_layer.cpp."""

    type = "BNLL"
    temporaries = 0
    each = OpCount(adds=2, compares=1, exps=2)

    def value(self, x: Array) -> Array:
        """By logaddexp."""
        return np.logaddexp(x, np.float32(0))


def _log_of(layer: ElementWise, base: float, field: str) -> float:
    """log(base), where -1 stands for e."""
    if base == -1:
        return 1.0
    if not base > 0 or isinf(base):
        layer.refuse(f"base {base:g} must be positive and finite, or -1 for e", field)
    return log(base)


def _power(base: float, exponent: float) -> float:
    """base^exponent; infinite rather than an error where it is too large."""
    try:
        return float(base**exponent)
    except OverflowError:
        return inf
