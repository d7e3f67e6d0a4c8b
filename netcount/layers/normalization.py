"""Layers that bring values to a common scale, by kept, local or own statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import NoBlobs, SameShape, legacy, rows, touch
from netcount.layers.filler import Filler
from netcount.layers.layer import Arity, Layer, ParamBlob
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


class LRN(SameShape, NoBlobs):
    """x / (k + alpha/n · Σ x²)^beta over neighbours: channels, or a window within each channel.

    N×C×H×W.  Source: lrn_layer.cpp; Krizhevsky et al. 2012.
    """

    type = "LRN"
    temporaries = 1

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
        y = self._within(x) if self.within else self._across(x)
        np.power(y, np.float32(-self.beta), out=y)
        y *= x
        return [y]

    def _across(self, x: Array) -> Array:
        channels, half = x.shape[1], self.local_size // 2
        squares = np.zeros((len(x), channels + 2 * half, *x.shape[2:]), np.float32)
        np.multiply(x, x, out=squares[:, half : half + channels])
        total = np.zeros_like(x)
        for offset in range(self.local_size):
            total += squares[:, offset : offset + channels]
        total *= np.float32(self.alpha / self.local_size)
        total += np.float32(self.k)
        return total

    def _within(self, x: Array) -> Array:
        """Caffe averages by a padded AVE pooling, which divides by the window inside the padding."""
        height, width, half = *x.shape[2:], self.local_size // 2
        squares = np.zeros((*x.shape[:2], height + 2 * half, width + 2 * half), np.float32)
        np.multiply(x, x, out=squares[:, :, half : half + height, half : half + width])
        total = np.zeros_like(x)
        for down in range(self.local_size):
            for right in range(self.local_size):
                total += squares[:, :, down : down + height, right : right + width]
        total /= np.float32(self.local_size**2)
        total *= np.float32(self.alpha)
        total += np.float32(1)
        return total


class MVN(NoBlobs):
    """Mean 0 and, if wanted, variance 1, for each channel of each image or across channels.

    N×C×H×W, or fewer axes -> N×C×H×W.  Source: mvn_layer.cpp.
    """

    type = "MVN"
    temporaries = 1

    def read(self, message: Message) -> None:
        """What is normalized, and over what."""
        param = message.child("mvn_param")
        self.variance = param.flag("normalize_variance")
        self.across = param.flag("across_channels")
        self.eps = param.number("eps")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottom's shape, made up to 4 axes."""
        found = Shape(legacy(self, bottoms[0], 0))
        touch(self, found.count(1 if self.across else 2), "what has one mean")
        return [found]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The mean and the difference: two adds an element, a mul a group; with the variance also a
        square, an add and a div an element, and a mul, an add and a root a group."""
        (top,) = tops
        elements, groups = top.count(), top.count(0, 1 if self.across else 2)
        if not self.variance:
            return OpCount(adds=2 * elements, muls=groups)
        return OpCount(adds=3 * elements + groups, muls=elements + 2 * groups, divs=elements, exps=groups)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Caffe adds eps to the deviation, not to the variance."""
        (x,) = bottoms
        x = x.reshape(*x.shape, *(1,) * (4 - x.ndim))
        groups = rows(x, 1 if self.across else 2)
        y = groups - groups.mean(axis=1, keepdims=True)
        if self.variance:
            deviation = np.sqrt((y * y).mean(axis=1, keepdims=True))
            y /= deviation + np.float32(self.eps)
        return [y.reshape(x.shape)]


class Normalize(Layer):
    """x / ‖x‖ over the channels of each position (or over the image), times a learned scale.

    N×C×H×W; weights C, or one.  Source: normalize_layer.cpp of SSD; Liu et al. 2015 (ParseNet).
    happynear's, known by normalize_param or a second top for the norms N×1×H×W, learns no scale and
    has the norm L1 too.  Source: normalize_layer.cpp of caffe-windows.
    """

    type = "Normalize"
    temporaries = 1
    source = "SSD, happynear"
    tops = Arity(1, 2)

    def read(self, message: Message) -> None:
        """What the norm runs over, and the scale's shape."""
        self.unscaled = not message.has("norm_param") and (message.has("normalize_param") or self.top_count > 1)
        if self.top_count > 1 and not self.unscaled:
            self.refuse("takes 1 top; only happynear's, without norm_param, has a second", "top", 1)
        param = message.child("norm_param")
        self.across = not self.unscaled and param.flag("across_spatial")
        self.shared = param.flag("channel_shared")
        self.eps = 1e-6 if self.unscaled else param.number("eps")
        self.filler = Filler(param, "scale_filler")
        self.norm = message.child("normalize_param").text("normalize_type") if self.unscaled else "L2"

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottom's shape; with happynear's made up to 4 axes, and the norms."""
        if self.unscaled:
            n, c, h, w = legacy(self, bottoms[0], 0)
            return [Shape((n, c, h, w)), Shape((n, 1, h, w))][: self.top_count]
        if len(bottoms[0]) < 2:
            self.refuse(f"needs at least 2 axes, not {bottoms[0]}", "bottom")
        return [bottoms[0]]

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """C scales, or a single one without axes; none with happynear's."""
        shape = Shape() if self.shared else Shape((bottoms[0][1],))
        return [] if self.unscaled else [ParamBlob(shape, "weight", self.filler)]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A square (L1: a sign), an add, a div and the scale's mul an element; an add and a root
        (L2) a norm."""
        elements = bottoms[0].count()
        norms = tops[0][0] if self.across else elements // max(1, tops[0][1])
        squares = elements if self.norm == "L2" else 0
        return OpCount(
            adds=elements + norms,
            muls=squares + (0 if self.unscaled else elements),
            divs=elements,
            compares=elements - squares,
            exps=norms if squares else 0,
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """eps is added to the sum of squares (L1: of sizes)."""
        (x,) = bottoms
        if self.norm not in ("L1", "L2"):
            self.refuse("normalize_type must be L1 or L2", "normalize_param.normalize_type")
        if self.unscaled:
            x = x.reshape(*x.shape, *(1,) * (4 - x.ndim))
        axes = tuple(range(1, x.ndim)) if self.across else (1,)
        norm = (x * x if self.norm == "L2" else np.abs(x)).sum(axis=axes, keepdims=True) + np.float32(self.eps)
        if self.norm == "L2":
            norm = np.sqrt(norm)
        if self.unscaled:
            return [x / norm, norm][: self.top_count]
        return [x / norm * blobs[0].reshape(-1, *(1,) * (x.ndim - 2))]
