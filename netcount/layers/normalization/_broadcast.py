"""A factor or a shift for each channel, learned or from a second bottom."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.shape import Shape
from netcount.layers.filler import Filler
from netcount.layers.layer import Arity, Layer
from netcount.layers.sight import Sight, same
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class _Broadcast(Layer):
    """What Scale and Bias share: an operand over the axes from `axis`, of a blob or of bottom 1."""

    bottoms: ClassVar[Arity] = Arity(1, 2)
    param: str
    axis_given: int
    num_axes: int
    learned: bool
    filler: Filler | None

    def read(self, message: Message) -> None:
        """axis; num_axes and the filler, which only count when the operand is learned."""
        param = message.child(self.param)
        self.axis_given = param.integer("axis")
        self.num_axes = param.integer("num_axes")
        self.learned = len(message.texts("bottom")) == 1
        self.filler = Filler(param, "filler") if self.learned else None
        if self.learned and self.num_axes < -1:
            self.refuse(f"num_axes {self.num_axes} must be -1 or more", f"{self.param}.num_axes")

    def operand(self, bottoms: Sequence[Shape]) -> tuple[int, Shape]:
        """The axis it starts at, and its shape."""
        first, *rest = bottoms
        if rest:
            (other,) = rest
            axis = self.axis(first, self.axis_given, f"{self.param}.axis") if other else 0
            if first[axis : axis + len(other)] != other:
                self.refuse(
                    f"{self.named(1)} {other} must be the axes of {self.named(0)} {first} from axis {axis} on",
                    f"{self.param}.axis",
                )
            return axis, other
        axis = self.axis(first, self.axis_given, f"{self.param}.axis")
        if self.num_axes == 0:
            return 0, Shape()
        if self.num_axes == -1:
            return axis, Shape(first[axis:])
        if axis + self.num_axes > len(first):
            self.refuse(
                f"{self.num_axes} axes from axis {axis} are more than {first} has",
                f"{self.param}.num_axes",
            )
        return axis, Shape(first[axis : axis + self.num_axes])

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Bottom 0's shape."""
        axis, operand = self.operand(bottoms)
        self.check_spread(bottoms[0], axis, axis + len(operand))
        return [bottoms[0]]

    def of_channels(self, blobs: Sequence[Array], axes: int) -> bool:
        """Whether the operand is one learned value for each channel of axis 1."""
        return self.learned and self.axis_given % axes == 1 and blobs[0].ndim == 1

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """Each value alone, with the operand's that stands over it."""
        start = self.operand(bottoms)[0] if bottom else 0
        return [same(start + axis) for axis in range(len(bottoms[bottom]))]

    @abstractmethod
    def check_spread(self, x: Shape, start: int, end: int) -> None:
        """Refuse where Caffe's vector of ones, which spreads the operand of `x`'s axes from `start`
        to before `end`, would be empty."""

    def spread(self, operand: Array, x: Array) -> Array:
        """The operand with axes of 1 behind it, so that it broadcasts over `x`."""
        if not operand.ndim:
            return operand
        axis = self.axis_given % x.ndim
        return operand.reshape(*operand.shape, *(1,) * (x.ndim - axis - operand.ndim))
