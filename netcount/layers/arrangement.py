"""Layers that only rearrange values: join, cut, reshape, permute.  None of them computes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import Moving, touch
from netcount.layers.layer import NONE, TWO, Arity
from netcount.lazy import np
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run


class Concat(Moving):
    """Joins bottoms along an axis; all other axes agree.  Source: concat_layer.cpp."""

    type = "Concat"
    bottoms = Arity(1, None)

    def read(self, message: Message) -> None:
        """axis, or the older concat_dim."""
        param = message.child("concat_param")
        self.legacy = param.has("concat_dim")
        if self.legacy and param.has("axis"):
            self.refuse("axis and concat_dim exclude each other", "concat_param.concat_dim")
        self.axis_given = param.integer("concat_dim" if self.legacy else "axis")

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

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """By numpy."""
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
        f"{layer.named(0)} {first.hwc()} and {layer.named(index)} {other.hwc()} differ in {where}; "
        "check kernel_size, pad and stride of the layers that make them"
    )


class Slice(Moving):
    """Cuts along an axis, at given points or into equal parts.  Source: slice_layer.cpp."""

    type = "Slice"
    tops = Arity(1, None)

    def read(self, message: Message) -> None:
        """axis (or the older slice_dim) and the points."""
        param = message.child("slice_param")
        self.legacy = param.has("slice_dim")
        if self.legacy and param.has("axis"):
            self.refuse("axis and slice_dim exclude each other", "slice_param.slice_dim")
        self.axis_given = param.integer("slice_dim" if self.legacy else "axis")
        self.points = param.integers("slice_point")
        self.in_place = self.top_count == 1

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

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Copies, as a view would keep the whole bottom in memory."""
        (x,) = bottoms
        cuts = self.points or self.top_count
        return [part.copy() for part in np.split(x, cuts, axis=self.axis_given)]


class Split(Moving):
    """The same blob under several names.  Source: split_layer.cpp."""

    type = "Split"
    tops = Arity(1, None)
    in_place = False
    shares_bottom = True

    def read(self, message: Message) -> None:
        """No parameters."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottom's shape for each top."""
        return [bottoms[0]] * self.top_count

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The bottom itself."""
        return [bottoms[0]] * self.top_count


class Tile(Moving):
    """The blob repeated along an axis.  Source: tile_layer.cpp."""

    type = "Tile"

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

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """By numpy."""
        (x,) = bottoms
        return [np.concatenate([x] * self.tiles, axis=self.axis_given)]


class Crop(Moving):
    """Cuts bottom 0 to the extents of bottom 1 from `axis` on, at given offsets.  crop_layer.cpp."""

    type = "Crop"
    bottoms = TWO
    extents_only = frozenset({1})

    def read(self, message: Message) -> None:
        """The first cut axis and the offsets."""
        param = message.child("crop_param")
        self.axis_given = param.integer("axis")
        self.offsets = param.integers("offset")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Bottom 1's extents from `axis` on."""
        data, like = bottoms
        axis = self.axis(data, self.axis_given, "crop_param.axis")
        cut = len(data) - axis
        if len(self.offsets) > 1 and len(self.offsets) != cut:
            self.refuse(
                f"{len(self.offsets)} offsets for {cut} cut axes; give none, one, or one an axis",
                "crop_param.offset",
            )
        if len(like) < len(data):
            self.refuse(f"{self.named(1)} {like} has fewer axes than {self.named(0)} {data}", "bottom", 1)
        for index in range(axis, len(data)):
            offset = self._offset(index - axis)
            if offset + like[index] > data[index]:
                self.refuse(
                    f"{like[index]} at offset {offset} do not fit into the {data[index]} of axis {index}: "
                    f"{self.named(0)} is {data}, {self.named(1)} is {like}",
                    "crop_param.offset" if self.offsets else None,
                )
        return [Shape((*data[:axis], *like[axis : len(data)]))]

    def _offset(self, number: int) -> int:
        if not self.offsets:
            return 0
        return self.offsets[number if len(self.offsets) > 1 else 0]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """A copy, as a view would keep all of bottom 0 in memory."""
        data, like = bottoms
        axis = self.axis_given % data.ndim
        index = [slice(None)] * data.ndim
        for number, axis_cut in enumerate(range(axis, data.ndim)):
            start = self._offset(number)
            index[axis_cut] = slice(start, start + like.shape[axis_cut])
        return [data[tuple(index)].copy()]


class Silence(Moving):
    """Takes blobs nobody reads, so that they are no outputs.  Source: silence_layer.cpp."""

    type = "Silence"
    bottoms = Arity(1, None)
    tops = NONE

    def read(self, message: Message) -> None:
        """No parameters."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """No tops."""
        return []

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Nothing."""
        return []
