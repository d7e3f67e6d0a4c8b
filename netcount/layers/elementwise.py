"""Layers that join blobs element by element, and those that sum a blob up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import NoBlobs, rows, touch
from netcount.layers.layer import THREE, Arity
from netcount.lazy import np
from netcount.opcount import OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run


class Eltwise(NoBlobs):
    """Sum, product or maximum of bottoms of one shape.  *S, … -> *S.  Source: eltwise_layer.cpp."""

    type = "Eltwise"
    bottoms = Arity(2, None)

    def read(self, message: Message) -> None:
        """Operation and coefficients."""
        param = message.child("eltwise_param")
        self.operation = param.text("operation")
        self.coefficients = param.numbers("coeff")
        number = len(message.texts("bottom"))
        if self.coefficients:
            if len(self.coefficients) != number:
                self.refuse(
                    f"{len(self.coefficients)} coeff for {number} bottoms; give one a bottom",
                    "eltwise_param.coeff",
                )
            if self.operation == "PROD":
                self.refuse("coeff has no meaning for PROD", "eltwise_param.coeff")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The shape all bottoms have."""
        first = bottoms[0]
        for index, other in enumerate(bottoms):
            if other != first:
                self.refuse(
                    f"bottoms must have one shape: {self.named(0)} is {first}, {self.named(index)} is {other}",
                    "bottom",
                    index,
                )
        return [first]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """One operation an element for each bottom but the first; a mul for a coeff that is not 1."""
        elements = tops[0].count()
        joins = elements * (len(bottoms) - 1)
        if self.operation == "PROD":
            return OpCount(muls=joins)
        if self.operation == "MAX":
            return OpCount(compares=joins)
        scaled = sum(abs(coefficient) != 1 for coefficient in self.coefficients)
        return OpCount(adds=joins, muls=elements * scaled)

    def workspace_elements(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> int:
        """A bottom times its coefficient."""
        return tops[0].count() if self.coefficients else 0

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Bottom after bottom."""
        first, *rest = bottoms
        if self.operation == "PROD":
            y = first * rest[0]
            for x in rest[1:]:
                y *= x
        elif self.operation == "MAX":
            y = np.array(rest[0])
            for x in (first, *rest[1:]):  # not-a-numbers lose as they do in Caffe
                np.copyto(y, x, where=x > y)
        elif not self.coefficients:
            y = first + rest[0]
            for x in rest[1:]:
                y += x
        else:
            y = np.zeros_like(first)
            for factor, x in zip(self.coefficients, bottoms, strict=True):
                y += np.float32(factor) * x
        return [y]


class Axpy(NoBlobs):
    """a·x + y, a factor a channel.  (N×C or N×C×1×1, N×C×H×W, N×C×H×W) -> N×C×H×W.

    Source: axpy_layer.cpp of SENet's Caffe.
    """

    type = "Axpy"
    source = "SENet"
    bottoms = THREE

    def read(self, message: Message) -> None:
        """No parameters."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The shape of x."""
        factor, x, y = bottoms
        if factor[:2] != x[:2] or len(factor) < 2:
            self.refuse(f"{self.named(0)} {factor} must start with the N×C of {self.named(1)} {x}", "bottom")
        if len(factor) == 4 and factor[2:] != (1, 1):
            self.refuse(f"{self.named(0)} {factor} must be N×C×1×1", "bottom")
        if x != y:
            self.refuse(f"{self.named(1)} {x} and {self.named(2)} {y} differ", "bottom", 2)
        return [x]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A mul and an add an element (no madd: the factor is no learned matrix)."""
        elements = tops[0].count()
        return OpCount(adds=elements, muls=elements)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The factor broadcasts over each channel."""
        factor, x, y = bottoms
        return [factor.reshape(*x.shape[:2], *(1,) * (x.ndim - 2)) * x + y]


class Reduction(NoBlobs):
    """The axes from `axis` on as one number: SUM, ASUM, SUMSQ or MEAN, times coeff.

    Source: reduction_layer.cpp.
    """

    type = "Reduction"

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
