from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import SameShape, touch
from netcount.layers.filler import Filler
from netcount.layers.layer import Layer, ParamBlob, Wanted
from netcount.layers.sight import Sight, all_of, each
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Pass, Run


NVIDIA_EPS = 1e-5
"""The least eps of NVIDIA's BatchNorm."""


class BatchNorm(SameShape, Layer):
    """(x − mean) / √(variance + eps) a channel.  N×C×*S; statistics C, C and a correction factor 1.

    Nothing is learned here; a Scale layer behind it does that.  Source: batch_norm_layer.cpp.
    NVIDIA's, known by scale_bias, scale_filler or bias_filler, learns a scale C and a bias C too, and
    sets every lr_mult itself.  Source: batch_norm_layer.cpp of NVIDIA's Caffe.
    """

    type = "BatchNorm"
    makes_diffs = True
    eps: float
    kept: bool
    fillers: list[Filler]
    learned: bool

    def read(self, message: Message) -> None:
        """eps, whether the kept statistics are used, and whether a scale and a bias are learned."""
        values = message.values
        param = message.child("batch_norm_param")
        self.eps = param.number("eps")
        self.kept = self.phase == "TEST"
        if param.has("use_global_stats"):
            self.kept = param.flag("use_global_stats")
        self.fillers = [Filler(param, name) for name in ("scale_filler", "bias_filler")]
        self.learned = param.flag("scale_bias") or any(filler.given for filler in self.fillers)
        if self.learned:
            self.eps = max(self.eps, NVIDIA_EPS)
            return
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
        """Mean, variance, correction factor; with NVIDIA's, scale and bias."""
        channels = Shape((bottoms[0][1],))
        statistics = [ParamBlob(shape, "statistic") for shape in (channels, channels, Shape((1,)))]
        if not self.learned:
            return statistics
        scale, bias = self.fillers
        return [*statistics, ParamBlob(channels, "weight", scale), ParamBlob(channels, "bias", bias)]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An add and a div an element; a channel: two muls, an add, a root.  With own statistics
        also the mean and the variance: two adds and a mul an element, two muls a channel.  A learned
        scale and bias: a mul and an add an element."""
        elements, channels = tops[0].count(), bottoms[0][1]
        affine = OpCount(adds=elements, muls=elements) if self.learned else NOTHING
        if self.kept:
            return affine + OpCount(adds=elements + channels, muls=2 * channels, divs=elements, exps=channels)
        return affine + OpCount(
            adds=3 * elements + channels,
            muls=elements + 2 * channels,
            divs=elements,
            exps=channels,
        )

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """With kept statistics a div each; else three muls, four adds and a div.  NVIDIA's with a scale: five muls
        and six adds, and two muls a channel; with kept statistics it is not known."""
        elements = tops[0].count()  # it computes the gradient in any case
        if self.learned:
            return None if self.kept else OpCount(adds=6 * elements, muls=5 * elements + 2 * bottoms[0][1])
        if self.kept:
            return OpCount(divs=elements)
        return OpCount(adds=4 * elements, muls=3 * elements, divs=elements)

    def block_pass(self, blobs: Sequence[Array], axes: int) -> Pass | None:
        """A factor and a shift per channel, by the kept statistics."""
        if not self.kept:
            return None
        from netcount.kernels.run import Affine

        mean, variance = self._statistics(blobs)
        factor = 1 / np.sqrt(variance + np.float32(self.eps))
        shift = -mean * factor
        return Affine(factor * blobs[3], shift * blobs[3] + blobs[4]) if self.learned else Affine(factor, shift)

    def _statistics(self, blobs: Sequence[Array]) -> tuple[Array, Array]:
        """The kept mean and variance, divided by their correction factor."""
        mean, variance, factor = blobs[:3]
        scale = np.float32(0 if factor[0] == 0 else 1 / factor[0])
        return mean * scale, variance * scale

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """Each value alone; with statistics of the batch everything."""
        return each(bottoms[0]) if self.kept else all_of(bottoms[0])

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """By the kept statistics, divided by their correction factor, or by the batch's own."""
        (x,) = bottoms
        ones = (1,) * (x.ndim - 2)
        if self.kept:
            mean, variance = self._statistics(blobs)
        else:
            axes = (0, *range(2, x.ndim))
            mean, variance = x.mean(axis=axes), x.var(axis=axes)
        inverse = 1 / np.sqrt(variance + np.float32(self.eps))
        y = x - mean.reshape(-1, *ones)
        y *= inverse.reshape(-1, *ones)
        if self.learned:
            y *= blobs[3].reshape(-1, *ones)
            y += blobs[4].reshape(-1, *ones)
        return [y]
