from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import SameShape, touch
from netcount.layers.layer import Layer, ParamBlob
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class BatchNorm(SameShape, Layer):
    """(x − mean) / √(variance + eps) a channel.  N×C×*S; statistics C, C and a correction factor 1.

    Nothing is learned here; a Scale layer behind it does that.  Source: batch_norm_layer.cpp.
    """

    type = "BatchNorm"

    def read(self, message: Message) -> None:
        """eps, and whether the kept statistics are used."""
        values = message.values
        param = message.child("batch_norm_param")
        self.eps = param.number("eps")
        self.kept = self.phase == "TEST"
        if param.has("use_global_stats"):
            self.kept = param.flag("use_global_stats")
        for index, spec in enumerate(values.get("param", ())):
            if (spec.number("lr_mult") != 0 and spec.has("lr_mult")) or not spec.has("lr_mult"):
                self.refuse("its statistics are not learned: lr_mult must be 0", "param", index)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottom's shape, which needs a channel axis and elements."""
        (bottom,) = bottoms
        if len(bottom) < 2:
            self.refuse(f"{self.named(0)} {bottom} needs at least 2 axes N×C", "bottom")
        touch(self, bottom.count(), "the values to normalize")
        return [bottom]

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """Mean, variance, correction factor."""
        channels = Shape((bottoms[0][1],))
        return [
            ParamBlob(channels, "statistic"),
            ParamBlob(channels, "statistic"),
            ParamBlob(Shape((1,)), "statistic"),
        ]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An add and a div an element; a channel: two muls, an add, a root.  With own statistics
        also the mean and the variance: two adds and a mul an element, two muls a channel."""
        elements, channels = tops[0].count(), bottoms[0][1]
        if self.kept:
            return OpCount(adds=elements + channels, muls=2 * channels, divs=elements, exps=channels)
        return OpCount(
            adds=3 * elements + channels,
            muls=elements + 2 * channels,
            divs=elements,
            exps=channels,
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """By the kept statistics, divided by their correction factor, or by the batch's own."""
        (x,) = bottoms
        ones = (1,) * (x.ndim - 2)
        if self.kept:
            mean, variance, factor = blobs
            scale = np.float32(0 if factor[0] == 0 else 1 / factor[0])
            mean, variance = mean * scale, variance * scale
        else:
            axes = (0, *range(2, x.ndim))
            mean, variance = x.mean(axis=axes), x.var(axis=axes)
        inverse = 1 / np.sqrt(variance + np.float32(self.eps))
        y = x - mean.reshape(-1, *ones)
        y *= inverse.reshape(-1, *ones)
        return [y]
