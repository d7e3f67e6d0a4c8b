from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.shape import Shape
from netcount.layers.bases import Moving
from netcount.layers.layer import NONE, Arity
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class MatWrite(Moving):
    """Writes its bottoms to MATLAB files; computes nothing.  *S … -> nothing.

    Source: mat_write_layer.cpp of DeepLab's Caffe.
    """

    type = "MatWrite"
    source = "DeepLab"
    bottoms: ClassVar[Arity] = Arity(1, None)
    tops = NONE

    def read(self, message: Message) -> None:
        """How often it writes."""
        if message.child("mat_write_param").integer("period") < 1:
            self.refuse("period must be positive", "mat_write_param.period")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """No tops."""
        return []

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Nothing is written here."""
        return []
