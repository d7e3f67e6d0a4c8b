"""Layers that enlarge or shrink images without weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import Moving, NoBlobs
from netcount.layers.layer import Arity
from netcount.lazy import np
from netcount.opcount import OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run


class Upsample(Moving):
    """Enlarges height and width; no arithmetic.  Two forks share the name.

    One bottom (YOLO forks): every value repeated scale×scale times.  Two bottoms (SegNet): values
    go to the positions in a pooling mask, the rest is 0; upsample_h and upsample_w, or scale.
    """

    type = "Upsample"
    source = "YOLO forks, SegNet"
    bottoms = Arity(1, 2)

    def read(self, message: Message) -> None:
        """The factor, and SegNet's extents."""
        param = message.child("upsample_param")
        self.scale = param.integer("scale")
        self.factors = (
            param.integer("scale_h") or self.scale,
            param.integer("scale_w") or self.scale,
        )
        self.extents = (param.integer("upsample_h"), param.integer("upsample_w"))
        self.cut = (param.flag("pad_out_h"), param.flag("pad_out_w"))
        if self.scale < 1:
            self.refuse("scale must be positive", "upsample_param.scale")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×C×(H·scale)×(W·scale), or the extents given."""
        data, *mask = bottoms
        if len(data) != 4:
            self.refuse(f"needs 4 axes N×C×H×W, not {data}", "bottom")
        n, c, *spatial = data
        if not mask:
            return [Shape((n, c, *(extent * self.scale for extent in spatial)))]
        if mask[0] != data:
            self.refuse(f"{self.named(1)} {mask[0]} must be as {self.named(0)} {data}", "bottom", 1)
        return [Shape((n, c, *self._masked(spatial)))]

    def _masked(self, spatial: Sequence[int]) -> list[int]:
        given = [extent for extent in self.extents if extent]
        if given:
            return list(self.extents)
        return [e * f - cut for e, f, cut in zip(spatial, self.factors, self.cut, strict=True)]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Repeated, or scattered by the mask."""
        data, *mask = bottoms
        if not mask:
            return [data.repeat(self.scale, axis=2).repeat(self.scale, axis=3)]
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

    Extents come from height and width, from zoom_factor, shrink_factor or both, or from bottom 1.
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
        for field, factor in (("zoom_factor", self.zoom), ("shrink_factor", self.shrink)):
            if factor is not None and factor < 1:
                self.refuse(f"{field} must be positive", f"interp_param.{field}")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×C×H'×W'."""
        data, *like = bottoms
        if len(data) != 4:
            self.refuse(f"needs 4 axes N×C×H×W, not {data}", "bottom")
        n, c, *spatial = data
        if like:
            return [Shape((n, c, *like[0][2:4]))]
        extents = [self._extent(axis, extent) for axis, extent in enumerate(spatial)]
        if min(extents) < 1:
            self.refuse(f"the output of {data} would be {extents[0]}×{extents[1]}", "interp_param")
        return [Shape((n, c, *extents))]

    def _extent(self, axis: int, extent: int) -> int:
        cut = extent + self.before + self.behind
        if self.by_extents and self.zoom is None and self.shrink is None:
            return self.extents[axis]
        if self.shrink is not None:
            cut = (cut - 1) // self.shrink + 1
        if self.zoom is not None:
            cut = cut + (cut - 1) * (self.zoom - 1)
        if self.zoom is None and self.shrink is None:
            self.refuse("needs height and width, zoom_factor or shrink_factor", "interp_param")
        return cut

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Six muls and three adds an output: four neighbours, weighted."""
        elements = tops[0].count()
        return OpCount(adds=3 * elements, muls=6 * elements)

    def workspace_elements(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> int:
        """The rows' values, and one of the two neighbours of each output."""
        return tops[0].count(0, 3) * bottoms[0][3] + tops[0].count()

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Rows, then columns."""
        data, *like = bottoms
        y = data[
            :,
            :,
            -self.before : data.shape[2] + self.behind,
            -self.before : data.shape[3] + self.behind,
        ]
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
