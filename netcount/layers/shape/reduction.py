from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, rows, touch
from netcount.layers.layer import Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Reduction(NoBlobs):
    """The axes from `axis` on as one number: SUM, ASUM, SUMSQ or MEAN, times coeff.

    Source: reduction_layer.cpp.
    """

    type = "Reduction"
    operation: str
    axis_given: int
    coefficient: float

    def read(self, message: Message) -> None:
        """Operation, axis, coefficient."""
        param = message.child("reduction_param")
        self.operation = param.text("operation")
        self.axis_given = param.integer("axis")
        self.coefficient = param.number("coeff")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The axes before `axis`."""
        (bottom,) = bottoms
        axis = self.axis(bottom, self.axis_given, "reduction_param.axis")
        if self.operation in ("SUM", "MEAN"):
            touch(self, bottom.count(axis), "what is added up")
        return [Shape(bottom[:axis])]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An add an element (with its square or absolute value), and a mul a result."""
        elements, results = bottoms[0].count(), tops[0].count()
        scaled = results if self.operation == "MEAN" or self.coefficient != 1 else 0
        squares = elements if self.operation == "SUMSQ" else 0
        signs = elements if self.operation == "ASUM" else 0
        return OpCount(adds=elements, muls=squares + scaled, compares=signs)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """The gradient times coeff; of ASUM times the sign, of SUMSQ times twice the value, each."""
        if not wanted.bottoms[0]:
            return NOTHING
        elements, results = bottoms[0].count(), tops[0].count()
        if self.operation == "ASUM":
            return OpCount(muls=elements + results, compares=elements)
        return OpCount(muls=elements + 2 * results if self.operation == "SUMSQ" else results)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Over the flattened rest."""
        (x,) = bottoms
        axis = self.axis_given % x.ndim
        y = rows(x, axis)
        if self.operation == "ASUM":
            y = np.abs(y)
        elif self.operation == "SUMSQ":
            y = y * y
        total = y.mean(axis=-1) if self.operation == "MEAN" else y.sum(axis=-1)
        return [np.asarray(total * np.float32(self.coefficient), dtype=np.float32).reshape(x.shape[:axis])]
