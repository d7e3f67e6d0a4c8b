from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import legacy
from netcount.layers.layer import TWO, Arity, Layer, ParamBlob, Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class ChannelScale(Layer):
    """x times one factor a position, the same in all channels.  (N×C×H×W, N×1×H×W) -> N×C×H×W.

    With global_scale one kept factor for all, within bounds, which is also top 1; without
    do_forward x itself.  Source: channel_scale_layer.cpp of happynear's Caffe.
    """

    type = "ChannelScale"
    source = "happynear"
    bottoms = TWO
    tops: ClassVar[Arity] = Arity(1, 2)
    scales: bool
    globally: bool
    least: float
    most: float

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

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """Of the bottom a mul each, unless do_backward_feature is false; of the factors a mul and an add each,
        unless do_backward_scale is."""
        param = self.message.child("channel_scale_param")
        elements = tops[0].count()
        down = elements * (wanted.bottoms[0] and param.flag("do_backward_feature"))
        factors = elements * (wanted.bottoms[1] and param.flag("do_backward_scale"))
        return OpCount(adds=factors, muls=down + factors)

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
