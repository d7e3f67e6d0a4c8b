from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import Moving
from netcount.layers.layer import Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Tile(Moving):
    """The blob repeated along an axis.  Source: tile_layer.cpp."""

    type = "Tile"
    axis_given: int
    tiles: int

    def read(self, message: Message) -> None:
        """The axis and how often."""
        param = message.child("tile_param")
        self.axis_given = param.integer("axis")
        if not param.has("tiles"):
            self.refuse("needs tiles, the number of copies", "tile_param")
        self.tiles = param.integer("tiles")
        if self.tiles <= 0:
            self.refuse(f"tiles {self.tiles} must be positive", "tile_param.tiles")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """`tiles` times the extent."""
        (bottom,) = bottoms
        axis = self.axis(bottom, self.axis_given, "tile_param.axis")
        return [bottom.replaced(axis, bottom[axis] * self.tiles)]

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """The copies' gradients added up."""
        return OpCount(adds=(tops[0].count() - bottoms[0].count()) if wanted.bottoms[0] else 0)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """By numpy."""
        (x,) = bottoms
        return [np.concatenate([x] * self.tiles, axis=self.axis_given)]
