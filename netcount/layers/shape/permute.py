from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.shape import Shape
from netcount.layers.bases import Moving
from netcount.layers.sight import Sight, same
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Permute(Moving):
    """The axes in another order; those not named follow in theirs.  Source: permute_layer.cpp (SSD)."""

    type = "Permute"
    source = "SSD"
    order: list[int]
    shares_bottom: bool

    def read(self, message: Message) -> None:
        """The order."""
        self.order = message.child("permute_param").integers("order")
        if len(set(self.order)) != len(self.order):
            self.refuse(f"order {self.order} names an axis twice", "permute_param.order")
        self.shares_bottom = self.order == list(range(len(self.order)))

    def _whole(self, axes: int) -> list[int]:
        return [*self.order, *(axis for axis in range(axes) if axis not in self.order)]

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The extents in the new order."""
        (bottom,) = bottoms
        for index, axis in enumerate(self.order):
            if axis >= len(bottom):
                self.refuse(f"axis {axis} is out of range for {bottom}", "permute_param.order", index)
        return [bottom.permuted(self._whole(len(bottom)))]

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """Each value alone, its axes in the new order."""
        order = self._whole(len(bottoms[0]))
        return [same(order.index(axis)) for axis in range(len(bottoms[0]))]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Transposed and made contiguous; the bottom itself where no axis moves."""
        (x,) = bottoms
        if self.shares_bottom:
            return [x]
        return [x.transpose(self._whole(x.ndim)).copy()]
