"""What a caller says of a layer that netcount does not know, or that another fork reads in its own way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from netcount.core.errors import InputError
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.layer import Arity, Layer, ParamBlob
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

IDENTITY = "identity"


class Assumption(NamedTuple):
    """What is assumed of a layer.

    Attributes:
        shapes: One a top, or one for all tops; none: bottom 0's shape (the identity).
        like: A known layer type that it is read and counted as.
        params: Its params, where the caller gives its cost; None: unknown.
        madds: Its multiply-adds for one image, likewise.
        ignored: Of a field: it is passed over.
        optional: Whether it is no mistake that no layer of the net has the type or name.
    """

    shapes: tuple[Shape, ...] = ()
    like: str | None = None
    params: int | None = None
    madds: int | None = None
    ignored: bool = False
    optional: bool = False

    @property
    def has_cost(self) -> bool:
        """Whether the caller gave what the layer costs, so that nothing is missing."""
        return self.params is not None and self.madds is not None


class Assumed(Layer):
    """A layer whose tops have the shapes the caller gave, or bottom 0's.

    Without a cost from the caller its params and operations are unknown and counted as 0, which is why
    the report is then incomplete.
    """

    bottoms: ClassVar[Arity] = Arity(0, None)
    tops: ClassVar[Arity] = Arity(0, None)
    type = "Assumed"
    source = "assumed"
    replaceable = True
    shapes: list[Shape]

    def __init__(self, message: Message, top_count: int, phase: str, assumption: Assumption) -> None:
        self.assumption = assumption
        self.shapes = list(assumption.shapes)
        super().__init__(message, top_count, phase)

    def read(self, message: Message) -> None:
        """Nothing of its parameters is known."""
        if len(self.shapes) > 1 and len(self.shapes) != self.top_count:
            raise InputError(
                f"{len(self.shapes)} shapes are given for the {self.top_count} tops of {self.described()}",
                message.place(),
                argument="assume",
            )

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The assumed shapes."""
        if self.shapes:
            return self.shapes if len(self.shapes) > 1 else self.shapes * self.top_count
        if self.top_count and not bottoms:
            self.refuse("has no bottom, so that it cannot be assumed to be the identity")
        return [bottoms[0] for _ in range(self.top_count)]

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """One that holds the params given; unknown ones are not counted."""
        params = self.assumption.params
        return [ParamBlob(Shape((params,)), "weight")] if params else []

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The multiply-adds given, once for each image; unknown ones are not counted."""
        first = [*tops, *bottoms][:1]
        images = first[0][0] if first and first[0] else 1
        return OpCount(images * self.assumption.madds) if self.assumption.madds else NOTHING

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The identity; any other assumption cannot be run."""
        if self.shapes:
            self.refuse("only its shape was assumed, so it cannot be run; its tops have to be given as inputs")
        return [bottoms[0]] * self.top_count

    @property
    def fixed(self) -> bool:
        """Whether the shape or the cost that the caller gave holds for the bottoms of the file alone."""
        return bool(self.shapes) or self.assumption.has_cost

    def described(self) -> str:
        """The layer for a message."""
        return f'{self.message.text("type")} "{self.message.text("name")}"'
