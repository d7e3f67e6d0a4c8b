from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.activation.exp import log_of
from netcount.layers.bases import ElementWise
from netcount.layers.layer import Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class Log(ElementWise):
    """log_base(shift + scale·x); base −1 stands for e.  Source: log_layer.cpp."""

    type = "Log"
    temporaries = 2
    scale: float
    shift: float
    outer: float

    def read(self, message: Message) -> None:
        """The factor 1/log(base), and scale and shift."""
        param = message.child("log_param")
        base = param.number("base")
        self.scale, self.shift = param.number("scale"), param.number("shift")
        log_base = log_of(self, base, "log_param.base")
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

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """scale / (shift + scale·x): a power, a mul, and what scale, shift and base add."""
        elements = tops[0].count() * wanted.bottoms[0]
        return OpCount(
            adds=elements if self.shift != 0 else 0,
            muls=elements * (1 + (self.scale != 1) + (self.scale * self.outer != 1)),
            exps=elements,
        )

    def value(self, x: Array) -> Array:
        """outer · log(scale·x + shift)."""
        inner = np.float32(self.scale) * x + np.float32(self.shift)
        result: Array = np.float32(self.outer) * np.log(inner)
        return result
