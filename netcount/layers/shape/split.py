from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import Moving
from netcount.layers.layer import Arity, Wanted
from netcount.layers.sight import Sight, each
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Split(Moving):
    """The same blob under several names.  Source: split_layer.cpp."""

    type = "Split"
    tops: ClassVar[Arity] = Arity(1, None)
    in_place = False
    shares_bottom = True

    def read(self, message: Message) -> None:
        """No parameters."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottom's shape for each top."""
        return [bottoms[0]] * self.top_count

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """The tops' gradients added up."""
        return OpCount(adds=bottoms[0].count() * (len(tops) - 1) if wanted.bottoms[0] else 0)

    @property
    def shares_diff(self) -> bool:
        """No: the diffs of its tops are added up in the bottom's."""
        return False

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """Each value alone."""
        return each(bottoms[bottom])

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The bottom itself."""
        return [bottoms[0]] * self.top_count
