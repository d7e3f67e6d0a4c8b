"""Stand-ins for layers that netcount does not know, when the caller says what to assume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.layer import Arity, Layer, ParamBlob
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

IDENTITY = "identity"


class Assumed(Layer):
    """A layer of unknown type: its tops have the shapes the caller gave, or bottom 0's.

    Params and operations are unknown and told as 0, which is why the report is incomplete.
    `shapes`: one a top, or one for all tops; empty for identity.
    """

    bottoms = Arity(0, None)
    tops = Arity(0, None)
    type = "Assumed"
    source = "assumed"
    replaceable = True

    def __init__(self, message: Message, top_count: int, phase: str, shapes: Sequence[Shape]) -> None:
        self.shapes = list(shapes)
        super().__init__(message, top_count, phase)

    def read(self, message: Message) -> None:
        """Nothing of an unknown layer's parameters is known."""
        if len(self.shapes) > 1 and len(self.shapes) != self.top_count:
            self.refuse(f"{len(self.shapes)} shapes are assumed for its {self.top_count} tops")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The assumed shapes."""
        if self.shapes:
            return self.shapes if len(self.shapes) > 1 else self.shapes * self.top_count
        if self.top_count and not bottoms:
            self.refuse("has no bottom, so that it cannot be assumed to be the identity")
        return [bottoms[0]] * self.top_count

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """Unknown; none are counted."""
        return []

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Unknown; none are counted."""
        return NOTHING

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The identity; any other assumption cannot be run."""
        if self.shapes:
            self.refuse("only its shape was assumed, so it cannot be run", advice=self.given_tops())
        return [bottoms[0]] * self.top_count
