from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.window_reduce import LOWEST
from netcount.layers.bases import NoBlobs
from netcount.layers.layer import Arity, Wanted, WorkingMemory
from netcount.layers.sight import Sight, each
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Eltwise(NoBlobs):
    """Sum, product or maximum of bottoms of one shape.  *S, … -> *S.  Source: eltwise_layer.cpp.

    Caffe clears the top before it adds or compares: where the top is bottom 0, that bottom is lost.
    """

    type = "Eltwise"
    bottoms: ClassVar[Arity] = Arity(2, None)
    operation: str
    coefficients: list[float]
    lost: bool
    warning: str | None

    def read(self, message: Message) -> None:
        """Operation and coefficients."""
        param = message.child("eltwise_param")
        self.operation = param.text("operation")
        self.coefficients = param.numbers("coeff")
        number = len(message.texts("bottom"))
        if self.coefficients:
            if len(self.coefficients) != number:
                self.refuse(
                    f"{len(self.coefficients)} coeff for {number} bottoms; give one per bottom",
                    "eltwise_param.coeff",
                )
            if self.operation == "PROD":
                self.refuse("coeff has no meaning for PROD", "eltwise_param.coeff")
        self.lost = self.operation != "PROD" and message.texts("top")[:1] == message.texts("bottom")[:1]
        if self.lost:
            name = message.texts("bottom")[0]
            self.warning = (
                f'works in place: Caffe clears its top, which is bottom 0 "{name}", before it '
                f'{"adds" if self.operation == "SUM" else "compares"}, so that the values of "{name}" are lost; '
                "give the top a name of its own"
            )

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

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """For each bottom.  SUM: a mul for a coeff that is not 1.  MAX: a compare.  PROD: the gradient times the
        product of the others, or times the top by the bottom (stable_prod_grad: false)."""
        elements, number = tops[0].count(), sum(wanted.bottoms)
        if self.operation == "MAX":
            return OpCount(compares=elements * number)
        if self.operation == "PROD":
            stable = self.message.child("eltwise_param").flag("stable_prod_grad")
            muls = elements * number * (len(bottoms) - 1 if stable else 1)
            return OpCount(muls=muls, divs=0 if stable else elements * number)
        given = self.coefficients or [1.0] * len(bottoms)
        scaled = sum(wants and factor != 1 for wants, factor in zip(wanted.bottoms, given, strict=True))
        return OpCount(muls=elements * scaled)

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """A bottom times its coefficient."""
        return WorkingMemory(forward=tops[0].count() if self.coefficients else 0)

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """Each value alone."""
        return each(bottoms[bottom])

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Bottom after bottom."""
        first, *rest = bottoms
        if self.operation == "PROD":
            y = first * rest[0]
            for x in rest[1:]:
                y *= x
            return [y]
        if self.lost:
            first = np.full_like(first, 0 if self.operation == "SUM" else LOWEST)
        if self.operation == "MAX":
            y = np.array(rest[0])
            for x in (first, *rest[1:]):  # not-a-numbers lose as they do in Caffe
                np.copyto(y, x, where=x > y)
        elif not self.coefficients:
            y = first + rest[0]
            for x in rest[1:]:
                y += x
        else:
            y = np.zeros_like(first)
            for factor, x in zip(self.coefficients, (first, *rest), strict=True):
                y += np.float32(factor) * x
        return [y]
