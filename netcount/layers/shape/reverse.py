from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.shape import Shape
from netcount.layers.bases import Moving
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Reverse(Moving):
    """The values in the opposite order along one axis, mostly that of time.  *S -> *S.  No weights.

    Source: reverse_layer.cpp of CTPN's Caffe (tianzhi0549/CTPN) and of ChWick's (BVLC/caffe#4681).
    """

    type = "Reverse"
    source = "CTPN"
    in_place = False
    axis_given: int

    def read(self, message: Message) -> None:
        """The axis, counted from the front."""
        self.axis_given = message.child("reverse_param").integer("axis")
        if self.axis_given < 0:
            self.refuse(f"axis {self.axis_given} must not be negative", "reverse_param.axis")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottom's shape, which has that axis."""
        self.axis(bottoms[0], self.axis_given, "reverse_param.axis")
        return [bottoms[0]]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """A copy in the opposite order."""
        return [np.ascontiguousarray(np.flip(bottoms[0], self.axis_given))]
