from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.shape import Shape
from netcount.layers.bases import Moving, child_of, legacy
from netcount.layers.sight import Sight, repeated, same, whole
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class PixelShuffle(Moving):
    """Channels to space, r×r of them to a block of pixels.  N×C×H×W -> N×(C/r²)×(H·r)×(W·r).  No weights.

    Sources: pixel_shuffle_layer.cpp and pixelshuffle_layer.cpp of several forks (Shi et al. 2016, arXiv
    1609.05158), which agree.
    """

    type = "PixelShuffle"
    source = "super-resolution forks"
    in_place = False
    factor: int

    def read(self, message: Message) -> None:
        """The factor."""
        name = "pixelshuffle_param" if message.has("pixelshuffle_param") else "pixel_shuffle_param"
        self.field = f"{name}.upscale_factor"
        self.factor = child_of(message, "pixel_shuffle_param", "pixelshuffle_param").integer("upscale_factor")
        if self.factor < 1:
            self.refuse("needs a positive upscale_factor", self.field)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Extents grow as the channels shrink."""
        n, c, h, w = legacy(self, bottoms[0], 0)
        r = self.factor
        if c % (r * r) or not c:
            self.refuse(f"{c} channels of {bottoms[0]} cannot be divided by {r}×{r}", self.field)
        return [Shape((n, c // (r * r), h * r, w * r))]

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """The position that becomes the block; all channels."""
        before = [same(0), whole(bottoms[0][1])]
        return [*before, *(repeated(axis, self.factor) for axis in range(2, len(bottoms[0])))]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The channels of a block are its rows, then its columns."""
        (x,) = bottoms
        n, _, h, w = (*x.shape, 1, 1, 1, 1)[:4]
        r = self.factor
        parts = x.reshape(n, -1, r, r, h, w).transpose(0, 1, 4, 2, 5, 3)
        return [np.ascontiguousarray(parts).reshape(n, -1, h * r, w * r)]
