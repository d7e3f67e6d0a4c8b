from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.kernels.resample import linear, nearest, resampling, weighted
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.layer import WorkingMemory
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


PARAM = "deephi_resize_param"


class DeephiResize(NoBlobs):
    """Images at another size, as OpenCV resizes them: by the nearest pixel, or bilinearly.

    N×C×H×W -> N×C×H'×W': new_height and new_width, or scale_h and scale_w.  No weights.
    Source: deephi_resize_layer.cpp of the Caffe of Xilinx/Vitis-AI.
    """

    type = "DeephiResize"
    source = "Vitis AI"
    in_place = False
    extents: tuple[int, int] | None
    factors: tuple[float, float]
    nearest: bool

    def read(self, message: Message) -> None:
        """Extents or factors, and the method."""
        param = message.child(PARAM)
        for pair in (("new_height", "new_width"), ("scale_h", "scale_w")):
            if param.has(pair[0]) != param.has(pair[1]):
                self.refuse(f"{pair[0]} and {pair[1]} must be set together", PARAM)
        self.extents = (
            (param.integer("new_height"), param.integer("new_width")) if param.has("new_height") else None
        )
        self.factors = (param.number("scale_h"), param.number("scale_w"))
        self.nearest = param.text("resize_type") == "NEAREST"

    def _made(self, spatial: Sequence[int]) -> list[int]:
        return list(self.extents or [int(e * f) for e, f in zip(spatial, self.factors, strict=True)])

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×C×H'×W'."""
        n, c, *spatial = legacy(self, bottoms[0], 0)
        made = self._made(spatial)
        if min(*made, *spatial) < 1:
            self.refuse(f"makes {made[0]}×{made[1]} of {spatial[0]}×{spatial[1]}", PARAM)
        return [Shape((n, c, *made))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """None for the nearest pixel; else six muls and three adds an output."""
        elements = tops[0].count()
        return NOTHING if self.nearest else OpCount(adds=3 * elements, muls=6 * elements)

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """The rows, and the two shares of each value."""
        wide = legacy(self, bottoms[0], 0)[3]
        return WorkingMemory(forward=resampling(tops[0], wide, 1 if self.nearest else 2))

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Rows, then columns; pixels are squares whose middles are where the values are."""
        y = bottoms[0].reshape(*bottoms[0].shape, *(1,) * (4 - bottoms[0].ndim))
        for axis, extent in zip((2, 3), self._made(y.shape[2:]), strict=True):
            old = y.shape[axis]
            if self.nearest:
                taps = nearest(np.minimum(np.arange(extent) * (old / extent), old - 1))
            else:
                taps = linear(np.clip((np.arange(extent) + 0.5) * (old / extent) - 0.5, 0, old - 1))
            y = weighted(y, axis, taps)
        return [y]
