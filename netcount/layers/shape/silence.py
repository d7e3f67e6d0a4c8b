from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.shape import Shape
from netcount.layers.bases import Moving
from netcount.layers.layer import NONE, Arity
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Silence(Moving):
    """Takes blobs nobody reads, so that they are no outputs.  Source: silence_layer.cpp."""

    type = "Silence"
    bottoms: ClassVar[Arity] = Arity(1, None)
    tops = NONE

    def read(self, message: Message) -> None:
        """No parameters."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """No tops."""
        return []

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Nothing."""
        return []
