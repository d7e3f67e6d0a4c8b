from __future__ import annotations

from collections.abc import Sequence
from math import e, inf, isinf, log
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import ElementWise
from netcount.layers.layer import Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class Exp(ElementWise):
    """base^(shift + scale·x); base −1 stands for e.  Source: exp_layer.cpp."""

    type = "Exp"
    inner: float
    outer: float

    def read(self, message: Message) -> None:
        """The inner scale and the outer one that Caffe folds base and shift into."""
        param = message.child("exp_param")
        base, scale, shift = (param.number(name) for name in ("base", "scale", "shift"))
        self.inner = log_of(self, base, "exp_param.base") * scale
        self.outer = _power(e if base == -1 else base, shift)

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An exp, and a mul for each of the two scales that is not 1."""
        elements = tops[0].count()
        return OpCount(muls=elements * ((self.inner != 1) + (self.outer != 1)), exps=elements)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """The top times its gradient, and a mul for an inner scale that is not 1."""
        return OpCount(muls=tops[0].count() * wanted.bottoms[0] * (1 + (self.inner != 1)))

    def value(self, x: Array) -> Array:
        """outer · exp(inner·x)."""
        return np.float32(self.outer) * np.exp(np.float32(self.inner) * x)


def log_of(layer: ElementWise, base: float, field: str) -> float:
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
