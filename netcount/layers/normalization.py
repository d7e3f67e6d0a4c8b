"""Layers that bring values to a common scale, by kept, local or own statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import NoBlobs, SameShape
from netcount.layers.filler import Filler
from netcount.layers.layer import Layer, ParamBlob
from netcount.lazy import np
from netcount.opcount import OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run


def _channels(shape: Shape) -> int:
    return 1 if len(shape) == 1 else shape[1]


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

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """Mean, variance, correction factor."""
        self.axis(bottoms[0], 0)
        channels = Shape((_channels(bottoms[0]),))
        return [
            ParamBlob(channels, "statistic"),
            ParamBlob(channels, "statistic"),
            ParamBlob(Shape((1,)), "statistic"),
        ]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An add and a div an element; a channel: two muls, an add, a root.  With own statistics
        also the mean and the variance: two adds and a mul an element, two muls a channel."""
        elements, channels = tops[0].count(), _channels(bottoms[0])
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


class BN(SameShape, Layer):
    """A fork's batch normalization with scale and shift in one layer.

    N×C×*S; slope, bias, mean and inverse deviation, each 1×C.  Source: bn_layer of PSPNet's Caffe,
    whose fourth blob multiplies, as its outputs show.
    """

    type = "BN"
    source = "PSPNet"

    def read(self, message: Message) -> None:
        """eps and the fillers."""
        param = message.child("bn_param")
        self.eps = param.number("eps")
        self.slope_filler = Filler(param, "slope_filler")
        self.bias_filler = Filler(param, "bias_filler")
        self.kept = self.phase == "TEST" or param.flag("frozen")

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """Slope, bias, mean, inverse deviation."""
        self.axis(bottoms[0], 0)
        shape = Shape((1, _channels(bottoms[0])))
        return [
            ParamBlob(shape, "weight", self.slope_filler),
            ParamBlob(shape, "bias", self.bias_filler),
            ParamBlob(shape, "statistic"),
            ParamBlob(shape, "statistic"),
        ]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Two adds and two muls an element."""
        elements = tops[0].count()
        return OpCount(adds=2 * elements, muls=2 * elements)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """slope · (x − mean) · inverse deviation + bias."""
        (x,) = bottoms
        slope, bias, mean, inverse = (blob.reshape(-1, *(1,) * (x.ndim - 2)) for blob in blobs)
        if not self.kept:
            axes = (0, *range(2, x.ndim))
            mean = x.mean(axis=axes, keepdims=True)
            inverse = 1 / np.sqrt(x.var(axis=axes, keepdims=True) + np.float32(self.eps))
        return [(x - mean) * inverse * slope + bias]


class LRN(SameShape, NoBlobs):
    """x / (k + alpha/n · Σ x²)^beta over neighbours: channels, or a window within each channel.

    N×C×H×W.  Source: lrn_layer.cpp; Krizhevsky et al. 2012.
    """

    type = "LRN"

    def read(self, message: Message) -> None:
        """The neighbourhood and the constants."""
        param = message.child("lrn_param")
        self.local_size = param.integer("local_size")
        self.alpha, self.beta = param.number("alpha"), param.number("beta")
        self.k = param.number("k")
        self.within = param.text("norm_region") == "WITHIN_CHANNEL"
        if self.local_size % 2 != 1:
            self.refuse(f"local_size {self.local_size} must be odd", "lrn_param.local_size")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottom's shape, of 4 axes."""
        if len(bottoms[0]) != 4:
            self.refuse(f"needs 4 axes N×C×H×W, not {bottoms[0]}", "bottom")
        return [bottoms[0]]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Across channels, a running sum: square, scale and final mul, two adds, a power.  Within a
        channel the whole window is added up: local_size² adds, a div, a square, scale, shift,
        power and final mul."""
        elements = tops[0].count()
        if self.within:
            return OpCount(
                adds=elements * (self.local_size**2 + 1),
                muls=2 * elements,
                divs=elements,
                exps=2 * elements,
            )
        return OpCount(adds=2 * elements, muls=3 * elements, exps=elements)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Sums of squares by shifted slices."""
        (x,) = bottoms
        half, squares = self.local_size // 2, x * x
        if self.within:
            return [x * self._within(squares, half) ** np.float32(-self.beta)]
        wide = np.pad(squares, ((0, 0), (half, half), (0, 0), (0, 0)))
        total = np.zeros_like(x)
        for offset in range(self.local_size):
            total += wide[:, offset : offset + x.shape[1]]
        scale = np.float32(self.k) + np.float32(self.alpha / self.local_size) * total
        return [x * scale ** np.float32(-self.beta)]

    def _within(self, squares: Array, half: int) -> Array:
        """Caffe averages by a padded AVE pooling, which divides by the window inside the padding."""
        height, width = squares.shape[2:]
        wide = np.pad(squares, ((0, 0), (0, 0), (half, half), (half, half)))
        total = np.zeros_like(squares)
        for down in range(self.local_size):
            for right in range(self.local_size):
                total += wide[:, :, down : down + height, right : right + width]
        mean = total / np.float32(self.local_size**2)
        return np.float32(1) + np.float32(self.alpha) * mean


class MVN(SameShape, NoBlobs):
    """Mean 0 and, if wanted, variance 1, for each channel of each image or across channels.

    N×C×H×W.  Source: mvn_layer.cpp.
    """

    type = "MVN"

    def read(self, message: Message) -> None:
        """What is normalized, and over what."""
        param = message.child("mvn_param")
        self.variance = param.flag("normalize_variance")
        self.across = param.flag("across_channels")
        self.eps = param.number("eps")

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The mean and the difference: two adds an element, a mul a group; with the variance also a
        square, an add and a div an element, and a mul, an add and a root a group."""
        (bottom,) = bottoms
        elements = bottom.count()
        groups = bottom.count(0, 1) if self.across else bottom.count(0, 2)
        if not self.variance:
            return OpCount(adds=2 * elements, muls=groups)
        return OpCount(adds=3 * elements + groups, muls=elements + 2 * groups, divs=elements, exps=groups)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Caffe adds eps to the deviation, not to the variance."""
        (x,) = bottoms
        rows = x.reshape(x.shape[0] if self.across else x.shape[0] * x.shape[1], -1)
        y = rows - rows.mean(axis=1, keepdims=True)
        if self.variance:
            deviation = np.sqrt((y * y).mean(axis=1, keepdims=True))
            y /= deviation + np.float32(self.eps)
        return [y.reshape(x.shape)]


class Normalize(SameShape, Layer):
    """x / ‖x‖₂ over the channels of each position (or over the image), times a learned scale.

    N×C×H×W; weights C, or one.  Source: normalize_layer.cpp of SSD; Liu et al. 2015 (ParseNet).
    """

    type = "Normalize"
    source = "SSD"

    def read(self, message: Message) -> None:
        """What the norm runs over, and the scale's shape."""
        param = message.child("norm_param")
        self.across = param.flag("across_spatial")
        self.shared = param.flag("channel_shared")
        self.eps = param.number("eps")
        self.filler = Filler(param, "scale_filler")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottom's shape."""
        if len(bottoms[0]) < 2:
            self.refuse(f"needs at least 2 axes, not {bottoms[0]}", "bottom")
        return [bottoms[0]]

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """C scales, or a single one without axes."""
        shape = Shape() if self.shared else Shape((bottoms[0][1],))
        return [ParamBlob(shape, "weight", self.filler)]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A square, an add, a div and the scale's mul an element; an add and a root a norm."""
        (bottom,) = bottoms
        elements = bottom.count()
        norms = bottom[0] if self.across else elements // max(1, bottom[1])
        return OpCount(adds=elements + norms, muls=2 * elements, divs=elements, exps=norms)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """eps is added to the sum of squares."""
        (x,) = bottoms
        axes = tuple(range(1, x.ndim)) if self.across else (1,)
        norm = np.sqrt((x * x).sum(axis=axes, keepdims=True) + np.float32(self.eps))
        return [x / norm * blobs[0].reshape(-1, *(1,) * (x.ndim - 2))]
