from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.shape import Shape
from netcount.layers.bases import Moving
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Transpose(Moving):
    """Axis i of the top is axis dim[i] of the bottom; every axis is named once.  *S -> *S permuted.

    Source: transpose_layer.cpp of CTPN's Caffe (tianzhi0549/CTPN).
    """

    type = "Transpose"
    source = "CTPN"
    in_place = False
    order: list[int]

    def read(self, message: Message) -> None:
        """The axes in their new order."""
        self.order = message.child("transpose_param").integers("dim")
        if sorted(self.order) != list(range(len(self.order))):
            self.refuse(
                f"dim must name each axis from 0 to {len(self.order) - 1} once, not {self.order}",
                "transpose_param.dim",
            )

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottom's extents in the new order."""
        (bottom,) = bottoms
        if not bottom or len(bottom) != len(self.order):
            self.refuse(
                f"names {len(self.order)} axes with dim, where {self.named(0)} {bottom} has {len(bottom)}",
                "transpose_param.dim",
            )
        return [bottom.permuted(self.order)]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """By numpy."""
        return [np.ascontiguousarray(bottoms[0].transpose(self.order))]
