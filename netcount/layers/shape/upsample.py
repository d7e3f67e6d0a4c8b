from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.kernels.resample import resampling, weighted
from netcount.layers.bases import NoBlobs
from netcount.layers.layer import Arity, Wanted, WorkingMemory
from netcount.layers.sight import Sight, all_of, repeated, same
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


SEGNET_SCALE = 2
"""The default of SegNet's scale; that of the YOLO forks is 1."""


class Upsample(NoBlobs):
    """Enlarges height and width.  N×C×H×W -> N×C×H'×W'.  No weights.  Five forks share the name.

    One bottom: the value that stands where the new one does; scale (YOLO forks), upsample_h and upsample_w
    or scale_h and scale_w (nets of PytorchToCaffe), or height_scale and width_scale (nets of ONNXToCaffe).
    Two bottoms of one shape (SegNet): values go to the positions in a pooling mask, the rest is 0;
    upsample_h and upsample_w, or scale.  Two of different shapes, and no parameters (Tiny-DSOD's DFPN):
    bottom 1 is interpolated to the extents of bottom 0.
    Sources: upsample_layer.cpp of MobileNet-YOLO, of SegNet's Caffe and of lyxok1/Tiny-DSOD.
    """

    type = "Upsample"
    source = "YOLO forks, SegNet, Tiny-DSOD"
    bottoms: ClassVar[Arity] = Arity(1, 2)
    paired: bool
    bare: bool
    linear: bool
    extents: tuple[int, int]
    cut: tuple[bool, bool]

    def read(self, message: Message) -> None:
        """The factors, or the extents."""
        param = message.child("upsample_param")
        self.paired, self.bare = len(message.texts("bottom")) > 1, not message.has("upsample_param")
        self.linear = param.text("mode") == "BILINEAR"
        scale = param.integer("scale") if param.has("scale") or not self.paired else SEGNET_SCALE
        self.factors: tuple[float, float] = (scale, scale)
        self.extents, self.cut = (0, 0), (False, False)
        pairs = [[param.has(f"{name}_{axis}") for axis in "hw"] for name in ("upsample", "scale")]
        if all(pairs[0]):
            self.extents = (param.integer("upsample_h"), param.integer("upsample_w"))
            self._above(param, self.paired, "upsample_h", "upsample_w")
        elif any(pairs[1]):
            if param.has("scale") or not all(pairs[1]):
                self.refuse("needs upsample_h and upsample_w, scale_h and scale_w, or scale", "upsample_param")
            self.factors = (param.integer("scale_h"), param.integer("scale_w"))
            self._above(param, self.paired, "scale_h", "scale_w")
        elif not self.paired and (param.has("height_scale") or param.has("width_scale")):
            self.factors = (param.number("height_scale"), param.number("width_scale"))
        elif self.paired and scale < 2:
            self.refuse(f"scale {scale} must be more than 1", "upsample_param.scale")
        if self.paired and not all(self.extents):
            self._read_cut(param)

    def _read_cut(self, param: Message) -> None:
        """pad_out cuts a row or column."""
        self.cut = (param.flag("pad_out_h"), param.flag("pad_out_w"))
        for axis, cut, factor in zip("hw", self.cut, self.factors, strict=True):
            if cut and factor != 2:
                self.refuse(f"pad_out_{axis} needs a scale of 2, not {factor}", f"upsample_param.pad_out_{axis}")

    def _above(self, param: Message, least: int, *fields: str) -> None:
        for field in fields:
            if param.integer(field) <= least:
                self.refuse(
                    f"{field} {param.integer(field)} must be more than {int(least)}", f"upsample_param.{field}"
                )

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The extents given, or those of the bottom times the factors."""
        data, *other = bottoms
        if not other:
            if len(data) < 2:
                self.refuse(f"needs height and width, not {data}", "bottom")
            made = self._made(data[-2:])
            if min(made) < 0 or (self.linear and 0 in (*data, *made)):
                self.refuse(f"makes {made[0]}×{made[1]} of {data[-2]}×{data[-1]}", "upsample_param")
            return [Shape((*data[:-2], *made))]
        if len(data) != 4:
            self.refuse(f"needs 4 axes N×C×H×W, not {data}", "bottom")
        if self._fine(data, other[0]):
            return [data]
        if other[0] != data:
            self.refuse(f"{self.named(1)} {other[0]} must be as {self.named(0)} {data}", "bottom", 1)
        return [Shape((*data[:2], *self._made(data[2:])))]

    def _fine(self, data: Sequence[int], other: Sequence[int]) -> bool:
        """Whether bottom 1 is a coarse image to be brought to the extents of bottom 0."""
        return (
            self.bare
            and tuple(data) != tuple(other)
            and tuple(data[:2]) == tuple(other[:2])
            and all(d >= o > 0 for d, o in zip(data[2:], other[2:], strict=True))
        )

    def _made(self, spatial: Sequence[int]) -> list[int]:
        if all(self.extents):
            return list(self.extents)
        return [int(e * f) - cut for e, f, cut in zip(spatial, self.factors, self.cut, strict=True)]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """None where values are moved; interpolation: eight muls and three adds an output."""
        if not self.linear and not (len(bottoms) > 1 and self._fine(*bottoms)):
            return NOTHING
        return OpCount(adds=3 * tops[0].count(), muls=8 * tops[0].count())

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """SegNet's, by a mask: none; the YOLO forks', by `scale`: an add an output.  The others' is not written
        down."""
        if len(bottoms) > 1 and not self._fine(*bottoms):
            return NOTHING
        param = self.message.child("upsample_param")
        others = ("upsample_h", "scale_h", "height_scale", "width_scale")
        if len(bottoms) > 1 or self.linear or any(param.has(field) for field in others):
            return None
        return OpCount(adds=tops[0].count() * wanted.bottoms[0])

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """The rows; of a mask the positions, in 64 bits; of an interpolation also two shares of each value."""
        data, *other = bottoms
        if not other:
            return WorkingMemory(forward=tops[0].count(0, len(data) - 1) * data[-1])
        if self._fine(data, other[0]):
            return WorkingMemory(forward=resampling(tops[0], other[0][3], 2))
        return WorkingMemory(forward=2 * data.count())

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """The value that stands where the new one does; all of them where it is not one of a whole factor."""
        x = bottoms[0]
        factors = [new // max(1, old) for new, old in zip(tops[0][-2:], x[-2:], strict=True)]
        exact = [old * factor == new for new, old, factor in zip(tops[0][-2:], x[-2:], factors, strict=True)]
        if self.linear or len(bottoms) > 1 or not all(exact):
            return all_of(bottoms[bottom])
        first = len(x) - 2
        return [*map(same, range(first)), *(repeated(first + axis, factor) for axis, factor in enumerate(factors))]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Taken from where they stand, scattered by the mask, or interpolated."""
        data, *other = bottoms
        if other and self._fine(data.shape, other[0].shape):
            return [self._interpolated(other[0], data.shape[2:])]
        if not other:
            if self.linear:
                self.refuse("mode BILINEAR is not repeated here", "upsample_param.mode", advice=self.given_tops())
            for axis, extent in zip((-2, -1), self._made(data.shape[-2:]), strict=True):
                data = data.take(np.arange(extent) * data.shape[axis] // max(1, extent), axis)
            return [data]
        n, c, *spatial = data.shape
        high, wide = self._made(spatial)
        out = np.zeros((n * c, high * wide), dtype=np.float32)
        positions = other[0].reshape(n * c, -1).astype(np.int64)
        if positions.size and not (positions.min() >= 0 and positions.max() < high * wide):
            self.refuse("the mask points outside the output", "bottom", 1)
        np.put_along_axis(out, positions, data.reshape(n * c, -1), axis=1)
        return [out.reshape(n, c, high, wide)]

    def _interpolated(self, y: Array, extents: Sequence[int]) -> Array:
        """By the last pixel of each block; before the first one the line through the first two goes on."""
        for axis, extent in zip((2, 3), extents, strict=True):
            at = (np.arange(extent) + 1) * (y.shape[axis] / extent) - 1
            low = at.astype(np.int64)
            y = weighted(y, axis, [(low, 1 - (at - low)), (low + 1, at - low)])
        return y
