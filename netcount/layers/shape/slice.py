from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.shape import Shape
from netcount.layers.bases import Moving, touch
from netcount.layers.layer import Arity
from netcount.layers.sight import Sight, each, shifted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Slice(Moving):
    """Cuts along an axis, at given points or into equal parts.  Source: slice_layer.cpp."""

    type = "Slice"
    tops: ClassVar[Arity] = Arity(1, None)
    cuts = True
    legacy: bool
    axis_given: int
    points: list[int]
    in_place: bool
    shares_bottom: bool

    def read(self, message: Message) -> None:
        """axis (or the older slice_dim) and the points."""
        param = message.child("slice_param")
        self.legacy = param.has("slice_dim")
        if self.legacy and param.has("axis"):
            self.refuse("axis and slice_dim exclude each other", "slice_param.slice_dim")
        self.axis_given = param.integer("slice_dim" if self.legacy else "axis")
        self.points = param.integers("slice_point")
        self.in_place = self.shares_bottom = self.top_count == 1

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """One part a top."""
        (bottom,) = bottoms
        field = "slice_param.slice_dim" if self.legacy else "slice_param.axis"
        axis = self.axis(bottom, self.axis_given, field)
        extent = bottom[axis]
        if self.top_count == 1:
            touch(self, bottom.count(), "the blob to share")
        if not self.points:
            if extent % self.top_count:
                self.refuse(
                    f"{extent} along axis {axis} cannot be cut into {self.top_count} equal parts",
                    "top",
                )
            return [bottom.replaced(axis, extent // self.top_count)] * self.top_count
        if len(self.points) != self.top_count - 1:
            self.refuse(
                f"{len(self.points)} slice_points make {len(self.points) + 1} parts, not {self.top_count} tops",
                "slice_param.slice_point",
            )
        ends = [0, *self.points, extent]
        for index, (before, after) in enumerate(itertools.pairwise(ends)):
            last = index == len(self.points)
            if after < before or (after == before and not last) or self.top_count > extent:
                self.refuse(
                    f"slice_points {self.points} must rise from 1 to at most {extent}",
                    "slice_param.slice_point",
                    min(index, len(self.points) - 1),
                )
        return [bottom.replaced(axis, b - a) for a, b in itertools.pairwise(ends)]

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """Each value alone; along the axis from where the part begins."""
        axis = bottoms[0].axis(self.axis_given)
        sights = each(bottoms[0])
        sights[axis] = shifted(axis, sum(part[axis] for part in tops[:top]))
        return sights

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Copies, as a view would keep the whole bottom in memory; one top alone is the bottom."""
        (x,) = bottoms
        if self.shares_bottom:
            return [x]
        cuts = self.points or self.top_count
        return [part.copy() for part in np.split(x, cuts, axis=self.axis_given)]
