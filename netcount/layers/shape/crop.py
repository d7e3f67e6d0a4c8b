from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.shape import Shape
from netcount.layers.bases import Moving
from netcount.layers.layer import TWO
from netcount.layers.sight import Sight, same, shifted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Crop(Moving):
    """Cuts bottom 0 to the extents of bottom 1 from `axis` on, at given offsets.  crop_layer.cpp."""

    type = "Crop"
    makes_diffs = True
    bottoms = TWO
    extents_only: ClassVar[frozenset[int]] = frozenset({1})
    axis_given: int
    offsets: list[int]

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
                f"{len(self.offsets)} offsets for {cut} cut axes; give none, one, or one per axis",
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

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """Each value alone, from the offsets on."""
        axis = bottoms[0].axis(self.axis_given)
        cut = range(axis, len(bottoms[0]))
        return [*map(same, range(axis)), *(shifted(at, self._offset(at - axis)) for at in cut)]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """A copy, as a view would keep all of bottom 0 in memory."""
        data, like = bottoms
        axis = self.axis_given % data.ndim
        index = [slice(None)] * data.ndim
        for number, axis_cut in enumerate(range(axis, data.ndim)):
            start = self._offset(number)
            index[axis_cut] = slice(start, start + like.shape[axis_cut])
        return [data[tuple(index)].copy()]
