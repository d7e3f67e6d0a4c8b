from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.layer import Arity, Wanted, WorkingMemory
from netcount.layers.sight import Sight, interpolated, same
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Interp(NoBlobs):
    """Bilinear interpolation with aligned corners (DeepLab, PSPNet).  N×C×H×W -> N×C×H'×W'.

    Extents come from zoom_factor or shrink_factor, from height and width, from both factors, or from
    bottom 1 (some forks).  Source: interp_layer.cpp of PSPNet's Caffe.
    """

    type = "Interp"
    source = "DeepLab"
    bottoms: ClassVar[Arity] = Arity(1, 2)
    extents_only: ClassVar[frozenset[int]] = frozenset({1})
    extents: tuple[int, int]
    by_extents: bool
    before: int
    behind: int

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

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """Each output's gradient is added to its four neighbours', by two weights each: eight muls and four adds;
        where the extents stay, to the one that stands there (caffe_cpu_interp2_backward, interp.cpp)."""
        elements = tops[0].count() * wanted.bottoms[0]
        kept = [extent + self.before + self.behind for extent in legacy(self, bottoms[0], 0)[2:]]
        if kept == [*tops[0][2:]]:
            return OpCount(adds=elements)
        return OpCount(adds=4 * elements, muls=8 * elements)

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """The rows' values, and one of the two neighbours of each; of an image that is cut a copy as well."""
        n, c, *spatial = legacy(self, bottoms[0], 0)
        high, wide = (extent + self.before + self.behind for extent in spatial)
        rows, top = tops[0].count(0, 3) * wide, tops[0].count()
        cut = n * c * high * wide if self.before or self.behind else 0
        return WorkingMemory(forward=max(cut + 2 * rows - top, rows + top))

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """The neighbours of the point."""
        moving = []
        for axis in range(2, len(bottoms[0])):
            extent = bottoms[0][axis] + self.before + self.behind
            sight = interpolated(axis, extent, tops[0][axis])
            spans = tuple(span and (span[0] - self.before, span[1] - self.before) for span in sight.spans)
            moving.append(sight._replace(spans=spans))
        return [same(0), same(1), *moving]

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
