from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.kernels.resample import linear, nearest, resampling, weighted
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.layer import Arity, WorkingMemory
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


PARAM = "resize_param"
INFO = 4
"""Values of a second bottom that holds extents, not an image."""


class Resize(NoBlobs):
    """Bilinear interpolation of images, corners not aligned.  N×C×H×W -> N×C×H'×W'.  No weights.

    happynear: height and width or, with is_pyramid_test, out_height_scale and out_width_scale;
    densebox also resize_ratio, and type NEAREST.  pose_action_caffe: height and width, height_fac and
    width_fac, or the extents of a second bottom (of one of 4 values: its first two are W' and H').
    RKNN: height and width of the resize_param that SSD's transformation has, known by interp_mode.
    Sources: resize_layer.cpp of happynear/caffe-windows, yangyi02/densebox and
    zimenglan-sysu-512/pose_action_caffe; the nets of rockchip-linux/rknn-toolkit.
    """

    type = "Resize"
    source = "happynear, pose_action_caffe, RKNN"
    bottoms: ClassVar[Arity] = Arity(1, 2)
    in_place = False
    like: bool
    extents: tuple[int, int]
    modes: bool
    nearest: bool

    def read(self, message: Message) -> None:
        """Extents or factors."""
        param = message.child(PARAM)
        self.like = len(message.texts("bottom")) > 1
        self.extents = (param.integer("height"), param.integer("width"))
        self.factors: tuple[float, float] | None = None
        if param.flag("is_pyramid_test"):
            self.factors = (param.number("out_height_scale"), param.number("out_width_scale"))
        elif param.has("height_fac") or param.has("width_fac"):
            self.factors = (param.number("height_fac"), param.number("width_fac"))
        elif param.has("resize_ratio") and not param.has("height"):
            self.factors = (param.number("resize_ratio"), param.number("resize_ratio"))
        self.modes, self.nearest = param.has("interp_mode"), param.text("type") == "NEAREST"
        if self.like and message.has(PARAM):
            self.refuse("takes resize_param or a second bottom, not both", PARAM)
        if not self.like and not all(self.factors or self.extents):
            self.refuse("needs height and width, or a factor for each", PARAM)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×C×H'×W'."""
        n, c, *spatial = legacy(self, bottoms[0], 0)
        if not all(spatial):
            self.refuse(f"{self.named(0)} {bottoms[0]} has no pixels", "bottom")
        made: Sequence[int] = self.extents
        if self.like:
            made = spatial if bottoms[1].count() == INFO else legacy(self, bottoms[1], 1)[2:]
        elif self.factors:
            made = [int(e * np_float(f)) for e, f in zip(spatial, self.factors, strict=True)]
        if min(made) < 1:
            self.refuse(f"makes {made[0]}×{made[1]} of {spatial[0]}×{spatial[1]}", PARAM)
        return [Shape((n, c, *made))]

    def data_dependent(self, bottoms: Sequence[Shape]) -> str | None:
        """Where a second bottom of four values holds the extents."""
        if len(bottoms) > 1 and bottoms[1].count() == INFO:
            return "the extents of bottom 0"
        return None

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Eight muls and three adds an output: four neighbours, each with two weights."""
        elements = tops[0].count()
        return NOTHING if self.nearest else OpCount(adds=3 * elements, muls=8 * elements)

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """The rows, and the two shares of each value."""
        wide = legacy(self, bottoms[0], 0)[3]
        return WorkingMemory(forward=resampling(tops[0], wide, 1 if self.nearest else 2))

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Rows, then columns; a neighbour beyond the edge counts as 0."""
        if self.modes:
            self.refuse("interp_mode is not repeated here", f"{PARAM}.interp_mode", advice=self.given_tops())
        y = bottoms[0].reshape(*bottoms[0].shape, *(1,) * (4 - bottoms[0].ndim))
        made: Sequence[int] = self.extents
        if self.like:
            values = bottoms[1].reshape(-1)
            made = [int(values[1]), int(values[0])] if values.size == INFO else bottoms[1].shape[2:4]
        elif self.factors:
            made = [int(e * np_float(f)) for e, f in zip(y.shape[2:], self.factors, strict=True)]
        for axis, extent in zip((2, 3), made, strict=True):
            at = np.arange(extent) * (y.shape[axis] / extent)
            y = weighted(y, axis, nearest(at) if self.nearest else linear(at))
        return [y]


def np_float(value: float) -> float:
    """A factor as float32 has it, as Caffe multiplies with it."""
    from struct import pack, unpack

    single: float = unpack("<f", pack("<f", value))[0]
    return single
