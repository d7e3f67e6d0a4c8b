"""Layers that enlarge or shrink images without weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import Moving, NoBlobs, legacy
from netcount.layers.layer import Arity
from netcount.lazy import np
from netcount.opcount import OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run


SEGNET_SCALE = 2
"""The default of SegNet's scale; that of the YOLO forks is 1."""
_SEGNET_FIELDS = ("upsample_h", "upsample_w", "scale_h", "scale_w", "pad_out_h", "pad_out_w")


class Upsample(Moving):
    """Enlarges height and width; no arithmetic.  Two forks share the name.

    One bottom (YOLO forks): every value repeated scale×scale times.  Two bottoms (SegNet): values
    go to the positions in a pooling mask, the rest is 0; upsample_h and upsample_w, or scale.
    Sources: upsample_layer.cpp of MobileNet-YOLO and of SegNet's Caffe.
    """

    type = "Upsample"
    source = "YOLO forks, SegNet"
    bottoms = Arity(1, 2)

    def read(self, message: Message) -> None:
        """The factors, and SegNet's extents."""
        param = message.child("upsample_param")
        masked = len(message.texts("bottom")) > 1
        self.scale = param.integer("scale") if param.has("scale") or not masked else SEGNET_SCALE
        self.factors, self.extents, self.cut = (self.scale, self.scale), (0, 0), (False, False)
        if masked:
            self._read_segnet(param)
        elif any(param.has(field) for field in _SEGNET_FIELDS):
            self.refuse("needs a pooling mask as a second bottom for SegNet's fields", "upsample_param")

    def _read_segnet(self, param: Message) -> None:
        """upsample_h and upsample_w, or scale_h and scale_w, or scale; pad_out cuts a row or column."""
        pairs = [[param.has(f"{name}_{axis}") for axis in "hw"] for name in ("upsample", "scale")]
        if all(pairs[0]):
            self.extents = (param.integer("upsample_h"), param.integer("upsample_w"))
            self._above_one(param, "upsample_h", "upsample_w")
            return
        if any(pairs[1]):
            if param.has("scale") or not all(pairs[1]):
                self.refuse("needs upsample_h and upsample_w, scale_h and scale_w, or scale", "upsample_param")
            self.factors = (param.integer("scale_h"), param.integer("scale_w"))
            self._above_one(param, "scale_h", "scale_w")
        elif self.scale < 2:
            self.refuse(f"scale {self.scale} must be more than 1", "upsample_param.scale")
        self.cut = (param.flag("pad_out_h"), param.flag("pad_out_w"))
        for axis, cut, factor in zip("hw", self.cut, self.factors, strict=True):
            if cut and factor != 2:
                self.refuse(f"pad_out_{axis} needs a scale of 2, not {factor}", f"upsample_param.pad_out_{axis}")

    def _above_one(self, param: Message, *fields: str) -> None:
        for field in fields:
            if param.integer(field) < 2:
                self.refuse(f"{field} {param.integer(field)} must be more than 1", f"upsample_param.{field}")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×C×(H·scale)×(W·scale), or the extents given."""
        data, *mask = bottoms
        if not mask:
            if len(data) < 2:
                self.refuse(f"needs height and width, not {data}", "bottom")
            *others, high, wide = data
            return [Shape((*others, high * self.scale, wide * self.scale))]
        if len(data) != 4:
            self.refuse(f"needs 4 axes N×C×H×W, not {data}", "bottom")
        if mask[0] != data:
            self.refuse(f"{self.named(1)} {mask[0]} must be as {self.named(0)} {data}", "bottom", 1)
        n, c, *spatial = data
        return [Shape((n, c, *self._masked(spatial)))]

    def _masked(self, spatial: Sequence[int]) -> list[int]:
        if all(self.extents):
            return list(self.extents)
        return [e * f - cut for e, f, cut in zip(spatial, self.factors, self.cut, strict=True)]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Repeated, or scattered by the mask."""
        data, *mask = bottoms
        if not mask:
            return [data.repeat(self.scale, axis=-2).repeat(self.scale, axis=-1)]
        n, c, *spatial = data.shape
        high, wide = self._masked(spatial)
        out = np.zeros((n * c, high * wide), dtype=np.float32)
        positions = mask[0].reshape(n * c, -1).astype(np.int64)
        if positions.size and not (positions.min() >= 0 and positions.max() < high * wide):
            self.refuse("the mask points outside the output", "bottom", 1)
        np.put_along_axis(out, positions, data.reshape(n * c, -1), axis=1)
        return [out.reshape(n, c, high, wide)]


class Interp(NoBlobs):
    """Bilinear interpolation with aligned corners (DeepLab, PSPNet).  N×C×H×W -> N×C×H'×W'.

    Extents come from zoom_factor or shrink_factor, from height and width, from both factors, or from
    bottom 1 (some forks).  Source: interp_layer.cpp of PSPNet's Caffe.
    """

    type = "Interp"
    source = "DeepLab"
    bottoms = Arity(1, 2)
    extents_only = frozenset({1})

    def read(self, message: Message) -> None:
        """The ways to say the extents, and the cut (pad_beg, pad_end, not positive)."""
        param = message.child("interp_param")
        self.extents = (param.integer("height"), param.integer("width"))
        self.by_extents = param.has("height") and param.has("width")
        self.zoom = param.integer("zoom_factor") if param.has("zoom_factor") else None
        self.shrink = param.integer("shrink_factor") if param.has("shrink_factor") else None
        self.before, self.behind = param.integer("pad_beg"), param.integer("pad_end")
        for field in ("pad_beg", "pad_end"):
            if param.integer(field) > 0:
                self.refuse(f"{field} must not be positive: it cuts", f"interp_param.{field}")
        if self.by_extents and self.zoom is not None and self.shrink is not None:
            self.zoom = self.shrink = None  # Caffe asks for one factor, then the extents, then both factors
        for field, factor in (("zoom_factor", self.zoom), ("shrink_factor", self.shrink)):
            if factor is not None and factor < 1:
                self.refuse(f"{field} must be positive", f"interp_param.{field}")
        if len(message.texts("bottom")) < 2 and not (self.by_extents or self.zoom or self.shrink):
            self.refuse("needs height and width, zoom_factor or shrink_factor", "interp_param")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×C×H'×W'."""
        data, *like = bottoms
        n, c, *spatial = legacy(self, data, 0)
        cut = [extent + self.before + self.behind for extent in spatial]
        extents = legacy(self, like[0], 1)[2:] if like else [self._extent(a, e) for a, e in enumerate(cut)]
        if min(cut) < 1 or min(extents) < 1:
            self.refuse(
                f"{data} is cut to {cut[0]}×{cut[1]} and gives {extents[0]}×{extents[1]}, which must be positive",
                "interp_param",
            )
        return [Shape((n, c, *extents))]

    def _extent(self, axis: int, cut: int) -> int:
        if self.zoom is None and self.shrink is None:
            return self.extents[axis]
        if self.shrink is not None:
            cut = (cut - 1) // self.shrink + 1
        return cut if self.zoom is None else cut + (cut - 1) * (self.zoom - 1)

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Six muls and three adds an output: four neighbours, weighted."""
        elements = tops[0].count()
        return OpCount(adds=3 * elements, muls=6 * elements)

    def workspace_elements(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> int:
        """The rows' values, and one of the two neighbours of each output."""
        return tops[0].count(0, 3) * bottoms[0][3] + tops[0].count()

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Rows, then columns."""
        data, *like = (x.reshape(*x.shape, *(1,) * (4 - x.ndim)) for x in bottoms)
        y = data[:, :, *(slice(-self.before, extent + self.behind) for extent in data.shape[2:])]
        spatial = like[0].shape[2:] if like else self._sampled(y.shape[2:])
        for axis, extent in zip((2, 3), spatial, strict=True):
            y = _resampled(y, axis, int(extent))
        return [y]

    def _sampled(self, spatial: Sequence[int]) -> Sequence[int]:
        """How many values each axis gets: those of every shrink-th, and zoom for each step between them."""
        if self.shrink is None and self.zoom is None:
            return self.extents
        kept = [len(range(0, extent, self.shrink or 1)) for extent in spatial]
        return [1 + len(range((number - 1) * (self.zoom or 1))) for number in kept]


def _resampled(x: Array, axis: int, extent: int) -> Array:
    """Linear interpolation along one axis, first and last value kept."""
    old = x.shape[axis]
    step = (old - 1) / (extent - 1) if extent > 1 else 0.0
    at = np.arange(extent) * step
    low = np.minimum(at.astype(np.int64), old - 1)
    high = np.minimum(low + 1, old - 1)
    weight = (at - low).astype(np.float32).reshape(-1, *(1,) * (x.ndim - axis - 1))
    y: Array = x.take(low, axis)
    y *= 1 - weight
    other = x.take(high, axis)
    other *= weight
    y += other
    return y
