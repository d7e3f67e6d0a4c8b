from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.shape import Shape
from netcount.layers.bases import Moving, touch
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Filter(Moving):
    """Keeps the images whose selector is not 0.  (N×*S, …, N×1) -> M×*S, …; M depends on the data.

    Source: filter_layer.cpp.
    """

    type = "Filter"
    bottoms: ClassVar[Arity] = Arity(2, None)
    tops: ClassVar[Arity] = Arity(1, None)

    def read(self, message: Message) -> None:
        """One top for each bottom but the selector."""
        bottoms = len(message.texts("bottom"))
        if bottoms - 1 != self.top_count:
            self.refuse(f"needs one top less than its {bottoms} bottoms, not {self.top_count}", "top")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Every image kept: the bound that Caffe sets up."""
        *data, selector = bottoms
        if not selector or selector.count(1) != 1:
            self.refuse(f"the selector {selector} must hold one value per image", "bottom", len(data))
        touch(self, selector.count(), "the selector")
        for index, one in enumerate(data):
            if one[:1] != selector[:1]:
                self.refuse(
                    f"{self.named(index)} {one} and the selector {selector} differ in axis 0",
                    "bottom",
                    index,
                )
        return list(data)

    def data_dependent(self, bottoms: Sequence[Shape]) -> str | None:
        """The kept images."""
        return f"keeps as many images as the selector says; {bottoms[0][0]} is the most"

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """By a mask."""
        *data, selector = bottoms
        kept = selector.reshape(len(selector)) != 0
        return [one[kept] for one in data]
