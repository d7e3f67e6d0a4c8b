from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from netcount.core.shape import Shape
from netcount.layers.bases import Moving, touch
from netcount.layers.sight import Sight, kept
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Reshape(Moving):
    """Other extents for the same values: 0 copies an extent, one −1 takes the rest.

    axis and num_axes say which axes are replaced.  Source: reshape_layer.cpp.
    """

    type = "Reshape"
    in_place = False
    shares_bottom = True
    extents: list[int]
    axis_given: int
    num_axes: int

    def read(self, message: Message) -> None:
        """The new extents and the axes they replace."""
        param = message.child("reshape_param")
        self.extents = param.child("shape").integers("dim")
        self.axis_given = param.integer("axis")
        self.num_axes = param.integer("num_axes")
        if self.extents.count(-1) > 1:
            self.refuse("only one dim can be -1", "reshape_param.shape.dim", len(self.extents) - 1)
        for index, extent in enumerate(self.extents):
            if extent < -1:
                self.refuse(f"dim {extent} has no meaning", "reshape_param.shape.dim", index)
        if self.num_axes < -1:
            self.refuse(f"num_axes {self.num_axes} must be -1 or more", "reshape_param.num_axes")

    def _span(self, axes: int) -> tuple[int, int]:
        """The first replaced axis and the first kept one behind."""
        start = self.axis_given if self.axis_given >= 0 else axes + self.axis_given + 1
        end = axes if self.num_axes == -1 else start + self.num_axes
        return start, end

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The new shape, which holds as many values."""
        (bottom,) = bottoms
        start, end = self._span(len(bottom))
        if not 0 <= start <= len(bottom):
            self.refuse(f"axis {self.axis_given} is out of range for {bottom}", "reshape_param.axis")
        if end > len(bottom):
            self.refuse(f"num_axes {self.num_axes} is too much for {bottom}", "reshape_param.num_axes")
        extents = []
        for index, extent in enumerate(self.extents):
            if extent == 0:
                if start + index >= len(bottom):
                    self.refuse(
                        f"dim 0 copies axis {start + index}, which {bottom} does not have",
                        "reshape_param.shape.dim",
                        index,
                    )
                extent = bottom[start + index]
            extents.append(extent)
        shape = [*bottom[:start], *extents, *bottom[end:]]
        if -1 in self.extents:
            known = -prod(shape)
            if not known or bottom.count() % known:
                self.refuse(
                    f"the {bottom.count()} values of {bottom} cannot be cut into {known} for the -1 of "
                    f"{self.extents}",
                    "reshape_param.shape",
                )
            shape[start + self.extents.index(-1)] = bottom.count() // known
        top = Shape(shape)
        if top.count() != bottom.count():
            self.refuse(
                f"{top} holds {top.count()} values, {bottom} {bottom.count()}",
                "reshape_param.shape",
            )
        touch(self, top.count(), "the blob to share")
        return [top]

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """The axes that stay."""
        return kept(bottoms[0], tops[top])

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """numpy works out the −1."""
        (x,) = bottoms
        start, end = self._span(x.ndim)
        extents = [e or x.shape[start + i] for i, e in enumerate(self.extents)]
        return [x.reshape((*x.shape[:start], *extents, *x.shape[end:]))]
