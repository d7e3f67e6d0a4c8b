from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.shape import Shape
from netcount.layers.bases import Moving, legacy
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Reorg(Moving):
    """Space to channels, in YOLO v2's own order.  N×C×H×W -> N×(C·s²)×(H/s)×(W/s).

    reverse goes the other way.  The values of the input are taken in order as C/s² channels of s times
    the extents, and their blocks told apart.  Without a stride it is 2, as in caffe-yolo9000, where
    other forks ask for one.  Source: reorg_layer.cpp of YOLO forks, after darknet.
    """

    type = "Reorg"
    source = "YOLO forks"
    in_place = False
    stride: int
    reverse: bool

    def read(self, message: Message) -> None:
        """stride and direction."""
        param = message.child("reorg_param")
        self.stride = param.integer("stride") if param.has("stride") else 2
        self.reverse = param.flag("reverse")
        if self.stride < 1:
            self.refuse("stride must be positive", "reorg_param.stride")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Channels grow as the extents shrink."""
        n, c, h, w = legacy(self, bottoms[0], 0)
        s = self.stride
        if self.reverse:
            return [Shape((n, c // (s * s), h * s, w * s))]
        return [Shape((n, c * s * s, h // s, w // s))]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Blocks of s×s; the offset within a block is the slowest of the new channels."""
        (x,) = bottoms
        n, c, h, w = (*x.shape, 1, 1, 1, 1)[:4]
        s = self.stride
        if c % (s * s) or (not self.reverse and (h % s or w % s)):
            self.refuse(f"{c}×{h}×{w} cannot be divided by stride {s}", "reorg_param.stride")
        if self.reverse:
            parts = x.reshape(n, s, s, c // (s * s), h, w)
            return [np.ascontiguousarray(parts.transpose(0, 3, 4, 1, 5, 2)).reshape(n, -1, h * s, w * s)]
        parts = x.reshape(n, c // (s * s), h, s, w, s)
        moved = parts.transpose(0, 3, 5, 1, 2, 4)
        return [np.ascontiguousarray(moved).reshape(n, c * s * s, h // s, w // s)]
