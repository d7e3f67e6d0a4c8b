from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.kernels.resample import weighted
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.layer import Arity, Wanted, WorkingMemory
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

PARAM = "downsample_param"


class Downsample(NoBlobs):
    """Images made smaller by a weighted mean around each new pixel, not-a-numbers left out.

    N×C×H×W -> N×C×H'×W': top_height and top_width, or the extents of bottom 1.  No weights.
    Source: downsample_layer.cpp and .cu of lmb-freiburg/flownet2.
    """

    type = "Downsample"
    source = "FlowNet2"
    bottoms: ClassVar[Arity] = Arity(1, 2)
    extents_only: ClassVar[frozenset[int]] = frozenset((1,))
    in_place = False
    extents: tuple[int, int]

    def read(self, message: Message) -> None:
        """Extents."""
        param = message.child(PARAM)
        self.extents = (param.integer("top_height"), param.integer("top_width"))
        if len(message.texts("bottom")) < 2 and not all(self.extents):
            self.refuse("needs top_height and top_width, or a second bottom", PARAM)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×C×H'×W'."""
        n, c, *spatial = legacy(self, bottoms[0], 0)
        made = legacy(self, bottoms[1], 1)[2:] if len(bottoms) > 1 else self.extents
        if min(*made, *spatial) < 1:
            self.refuse(f"makes {made[0]}×{made[1]} of {spatial[0]}×{spatial[1]}", PARAM)
        return [Shape((n, c, *made))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """None where the size stays; else for each value around a new pixel two muls, two adds and a compare, and
        two divs an output."""
        spatial = legacy(self, bottoms[0], 0)[2:]
        if tuple(spatial) == tuple(tops[0][2:]):
            return NOTHING
        reach = [2 * ceil(_scale(e, made)) + 1 for e, made in zip(spatial, tops[0][2:], strict=True)]
        seen = tops[0].count() * reach[0] * reach[1]
        return OpCount(adds=2 * seen, muls=2 * seen, compares=seen, divs=2 * tops[0].count())

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """None: Caffe aborts where a gradient is wanted."""
        return None if any(wanted.bottoms) else NOTHING

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """Values, weights and what is unknown, of the bottom, of the rows and of the top, and three shares of
        one of them; at the end the quotients and what is compared."""
        n, c, high, wide = legacy(self, bottoms[0], 0)
        top = tops[0].count()
        if (high, wide) == tuple(tops[0][2:]):
            return WorkingMemory()
        bottom, rows = n * c * high * wide, tops[0].count(0, 3) * wide
        return WorkingMemory(
            forward=max(3 * bottom + 5 * rows - top, bottom + 3 * rows + 4 * top, bottom + ceil(4.25 * top))
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Rows, then columns, of the values and of their weights."""
        x, *like = (bottom.reshape(*bottom.shape, *(1,) * (4 - bottom.ndim)) for bottom in bottoms)
        made = like[0].shape[2:] if like else self.extents
        if tuple(x.shape[2:]) == tuple(made):
            return [x]
        known = (~np.isnan(x)).astype(np.float32)
        parts = [np.nan_to_num(x), known, 1 - known]
        for axis, new in enumerate(made):
            old = x.shape[axis + 2]
            at = np.arange(new) / max(1, new - 1) * (old - 1)
            scale = _scale(old, new)
            places = [np.floor(at + 0.5).astype(np.int64) + o for o in range(-ceil(scale), ceil(scale) + 1)]
            taps = [(place, np.maximum(0, 1 - np.abs(place - at) / scale)) for place in places]
            parts = [weighted(part, axis + 2, taps) for part in parts]
        values, weights, unknown = parts
        with np.errstate(invalid="ignore", divide="ignore"):
            return [np.where(unknown > weights / 2, np.float32(np.nan), values / weights)]


def _scale(old: int, new: int) -> float:
    """Old pixels from one new pixel to the next."""
    return (old - 1) / (new - 1) if new > 1 and old > 1 else 1.0
