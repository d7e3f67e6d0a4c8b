from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.shape import Shape
from netcount.layers.bases import CHECK_WINDOWS, Moving, touch
from netcount.layers.layer import Arity
from netcount.layers.sight import Sight, each, shifted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Concat(Moving):
    """Joins bottoms along an axis; all other axes agree.  Source: concat_layer.cpp."""

    type = "Concat"
    bottoms: ClassVar[Arity] = Arity(1, None)
    legacy: bool
    axis_given: int
    shares_bottom: bool

    def read(self, message: Message) -> None:
        """axis, or the older concat_dim."""
        param = message.child("concat_param")
        self.legacy = param.has("concat_dim")
        if self.legacy and param.has("axis"):
            self.refuse("axis and concat_dim exclude each other", "concat_param.concat_dim")
        self.axis_given = param.integer("concat_dim" if self.legacy else "axis")
        self.shares_bottom = len(message.texts("bottom")) == 1

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The sum of the extents along the axis."""
        first = bottoms[0]
        field = "concat_param.concat_dim" if self.legacy else "concat_param.axis"
        axis = self.axis(first, self.axis_given, field)
        total = 0
        for index, other in enumerate(bottoms):
            if len(other) != len(first) or any(
                a != b for i, (a, b) in enumerate(zip(first, other, strict=True)) if i != axis
            ):
                self.refuse(_unjoinable(self, first, other, axis, index), "bottom", index)
            total += other[axis]
        if len(bottoms) == 1:
            touch(self, first.count(), "the blob to share")
        return [first.replaced(axis, total)]

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """Each value alone; along the axis it stands further on."""
        axis = bottoms[0].axis(self.axis_given)
        sights = each(bottoms[bottom])
        sights[axis] = shifted(axis, -sum(other[axis] for other in bottoms[:bottom]))
        return sights

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """By numpy; one bottom alone as it is."""
        if len(bottoms) == 1:
            return list(bottoms)
        return [np.concatenate(bottoms, axis=self.axis_given)]


def _unjoinable(layer: Concat, first: Shape, other: Shape, axis: int, index: int) -> str:
    if len(first) != len(other):
        return f"{layer.named(0)} {first} and {layer.named(index)} {other} have different numbers of axes"
    names = {2: "height", 3: "width"} if len(first) == 4 else {}
    where = " and ".join(
        names.get(i, f"axis {i}")
        for i, (a, b) in enumerate(zip(first, other, strict=True))
        if a != b and i != axis
    )
    return (
        f"{layer.named(0)} {first.hwc()} and {layer.named(index)} {other.hwc()} differ in {where}{CHECK_WINDOWS}"
    )
