"""Softmax, and what its losses share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, SameShape, touch
from netcount.layers.layer import Wanted, WorkingMemory
from netcount.layers.sight import Sight, each, whole
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


def softmax(x: Array, axis: int) -> Array:
    """exp(x − max) / Σ exp(x − max) along an axis."""
    y: Array = x - x.max(axis=axis, keepdims=True)
    np.exp(y, out=y)
    y /= y.sum(axis=axis, keepdims=True)
    return y


def softmax_ops(elements: int) -> OpCount:
    """Each element: a compare, a difference, an exp, an add, a div."""
    return OpCount(adds=2 * elements, divs=elements, compares=elements, exps=elements)


class Softmax(SameShape, NoBlobs):
    """Positive values that sum to 1 along an axis.  *S -> *S.  Source: softmax_layer.cpp."""

    type = "Softmax"
    makes_diffs = True
    axis_given: int

    def read(self, message: Message) -> None:
        """The axis."""
        self.axis_given = message.child("softmax_param").integer("axis")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottom's shape."""
        axis = self.axis(bottoms[0], self.axis_given, "softmax_param.axis")
        touch(self, bottoms[0][axis], f"axis {axis}")
        return [bottoms[0]]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Each element: a compare, a difference, an exp, an add, a div."""
        return softmax_ops(tops[0].count())

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """The products of values and gradients added up and taken off, and a mul: two adds and two muls each."""
        elements = tops[0].count() * wanted.bottoms[0]
        return OpCount(adds=2 * elements, muls=2 * elements)

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """All values along the axis."""
        sights = each(bottoms[0])
        axis = bottoms[0].axis(self.axis_given)
        sights[axis] = whole(bottoms[0][axis])
        return sights

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """A maximum, or a sum, beside each value's place along the axis."""
        (bottom,) = bottoms
        return WorkingMemory(forward=bottom.count() // bottom[bottom.axis(self.axis_given)])

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """As `softmax`."""
        return [softmax(bottoms[0], self.axis_given)]
