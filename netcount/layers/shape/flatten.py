from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from netcount.core.shape import Shape
from netcount.layers.bases import Moving
from netcount.layers.sight import Sight, kept
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Flatten(Moving):
    """Axes from axis to end_axis as one.  Source: flatten_layer.cpp."""

    type = "Flatten"
    in_place = False
    shares_bottom = True
    first: int
    last: int

    def read(self, message: Message) -> None:
        """The first and the last axis."""
        param = message.child("flatten_param")
        self.first, self.last = param.integer("axis"), param.integer("end_axis")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The product of those extents in their place."""
        (bottom,) = bottoms
        first = self.axis(bottom, self.first, "flatten_param.axis")
        last = self.axis(bottom, self.last, "flatten_param.end_axis")
        if last < first - 1:
            self.refuse(f"end_axis {last} lies before axis {first}", "flatten_param.end_axis")
        return [Shape((*bottom[:first], bottom.count(first, last + 1), *bottom[last + 1 :]))]

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """The axes that stay."""
        return kept(bottoms[0], tops[top])

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """By numpy."""
        (x,) = bottoms
        first, last = self.first % x.ndim, self.last % x.ndim
        return [x.reshape(*x.shape[:first], prod(x.shape[first : last + 1]), *x.shape[last + 1 :])]
