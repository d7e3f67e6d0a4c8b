from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.shape import Shape
from netcount.layers.bases import Moving, legacy
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Flip(Moving):
    """Mirrors height, width or both.  N×C×H×W.  Source: flip_layer.cpp of happynear's Caffe."""

    type = "Flip"
    source = "happynear"
    height: bool
    width: bool

    def read(self, message: Message) -> None:
        """Which axes."""
        param = message.child("flip_param")
        self.height, self.width = param.flag("flip_height"), param.flag("flip_width")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottom's shape."""
        legacy(self, bottoms[0], 0)
        return [bottoms[0]]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """By numpy."""
        (x,) = bottoms
        axes = [axis for axis, wanted in ((2, self.height), (3, self.width)) if wanted and axis < x.ndim]
        return [np.flip(x, tuple(axes))]
