"""A factor or a shift for each channel, learned or from a second bottom."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import legacy, touch
from netcount.layers.filler import Filler
from netcount.layers.layer import TWO, Arity, Layer, ParamBlob
from netcount.lazy import np
from netcount.opcount import NOTHING, OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run


class _Broadcast(Layer):
    """What Scale and Bias share: an operand over the axes from `axis`, of a blob or of bottom 1."""

    bottoms = Arity(1, 2)
    param: str

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


class Scale(_Broadcast):
    """x times a factor, plus a shift if wanted.  *S, broadcast from `axis` over num_axes axes.

    One bottom: weights of those axes, and bias; two bottoms: the second is the factor.
    Source: scale_layer.cpp.
    """

    type = "Scale"
    param = "scale_param"

    def read(self, message: Message) -> None:
        """The shift besides."""
        super().read(message)
        param = message.child(self.param)
        self.bias = param.flag("bias_term")
        self.bias_filler = Filler(param, "bias_filler") if self.bias else None

    def check_spread(self, x: Shape, start: int, end: int) -> None:
        """Ones before and behind; with a shift, which reads `axis` in any case, only behind."""
        touch(self, max(x.count(0, start), x.count(end)), "the ones that spread the factor")
        if self.bias:
            self.axis(x, self.axis_given, f"{self.param}.axis")
            touch(self, x.count(end), "the ones that spread the shift")

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """The factor, unless bottom 1 is it, and the shift."""
        _, shape = self.operand(bottoms)
        found = [ParamBlob(shape, "weight", self.filler)] if len(bottoms) == 1 else []
        if self.bias:
            found.append(ParamBlob(shape, "bias", self.bias_filler))
        return found

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A mul an element, and an add for the shift."""
        elements = tops[0].count()
        return OpCount(adds=elements if self.bias else 0, muls=elements)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """One pass, or two with a shift."""
        x = bottoms[0]
        factor, *rest = [*bottoms[1:], *blobs]
        y = x * self.spread(factor, x)
        for shift in rest:
            y += self.spread(shift, x)
        return [y]


class Bias(_Broadcast):
    """x plus a shift.  *S, broadcast from `axis` over num_axes axes; bias, or bottom 1.

    Source: bias_layer.cpp.
    """

    type = "Bias"
    param = "bias_param"

    def check_spread(self, x: Shape, start: int, end: int) -> None:
        """Ones behind."""
        touch(self, x.count(end), "the ones that spread the shift")

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """The shift, unless bottom 1 is it."""
        _, shape = self.operand(bottoms)
        return [ParamBlob(shape, "bias", self.filler)] if len(bottoms) == 1 else []

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An add an element."""
        return OpCount(adds=tops[0].count())

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """One pass."""
        x = bottoms[0]
        (shift,) = [*bottoms[1:], *blobs]
        return [x + self.spread(shift, x)]


class ChannelScale(Layer):
    """x times one factor a position, the same in all channels.  (N×C×H×W, N×1×H×W) -> N×C×H×W.

    With global_scale one kept factor for all, within bounds, which is also top 1; without
    do_forward x itself.  Source: channel_scale_layer.cpp of happynear's Caffe.
    """

    type = "ChannelScale"
    source = "happynear"
    bottoms = TWO
    tops = Arity(1, 2)

    def read(self, message: Message) -> None:
        """Which factor there is, if any."""
        param = message.child("channel_scale_param")
        self.scales, self.globally = param.flag("do_forward"), param.flag("global_scale")
        self.least, self.most = param.number("min_global_scale"), param.number("max_global_scale")
        specs = message.children("param")
        if self.globally and specs and specs[0].number("lr_mult") != 0:
            self.refuse("its global scale is not learned: lr_mult must be 0", "param")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Bottom 0's shape, and one number."""
        data, scale = bottoms
        n, c, *_ = legacy(self, data, 0)
        if n != legacy(self, scale, 1)[0] or not c or data.count() // c != scale.count():
            self.refuse(
                f"{self.named(1)} {scale} must hold a value for each position of {self.named(0)} {data}",
                "bottom",
                1,
            )
        return [data, Shape((1,) if self.globally else ())][: self.top_count]

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """The global scale."""
        return [ParamBlob(Shape((1,)), "statistic")] if self.globally else []

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A mul an element; two compares to bound the global scale."""
        if not self.scales:
            return NOTHING
        return OpCount(muls=tops[0].count(), compares=2 if self.globally else 0)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Broadcast over the channels."""
        data, scale = bottoms
        if not self.scales:
            if self.top_count > 1:
                self.refuse("has no scale to tell without do_forward", "top", 1)
            return [data]
        if self.globally:
            factor = np.maximum(np.minimum(blobs[0], np.float32(self.most)), np.float32(self.least))
            return [data * factor, factor][: self.top_count]
        if self.top_count > 1:
            self.refuse("tells a scale only with global_scale", "top", 1)
        return [data * scale.reshape(len(data), 1, *data.shape[2:])]
