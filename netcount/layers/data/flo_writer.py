from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.shape import Shape
from netcount.layers.bases import Moving
from netcount.layers.layer import NONE
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class FLOWriter(Moving):
    """Writes a flow, an image or plain numbers to a file; computes nothing.  N×C×H×W -> nothing.

    Sources: flo_writer_layer.cpp, img_writer_layer.cpp, float_writer_layer.cpp and pfm_writer_layer.cpp of
    lmb-freiburg/flownet2.
    """

    type = "FLOWriter"
    names: ClassVar[tuple[str, ...]] = ("FloatWriter", "ImgWriter", "PFMWriter")
    source = "FlowNet2"
    tops = NONE

    def read(self, message: Message) -> None:
        """Nothing that changes a shape."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """No tops."""
        return []

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Nothing is written here."""
        return []
