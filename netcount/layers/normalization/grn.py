from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, legacy
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class GRN(NoBlobs):
    """x / √(Σ x² + bias), the sum over the channels of each position.  N×C×H×W -> the same.

    Nothing is learned.  Source: grn_layer.cpp of OpenVINO's training toolbox (global response
    normalization).
    """

    type = "GRN"
    source = "OpenVINO"
    temporaries = 1
    bias: float

    def read(self, message: Message) -> None:
        """What is added to the sum."""
        self.bias = message.child("grn_param").number("bias")
        if self.bias < 0:
            self.refuse(f"bias {self.bias:g} must not be negative", "grn_param.bias")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottom's shape."""
        legacy(self, bottoms[0], 0)
        return [bottoms[0]]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An element: a square, an add and a div; a position: an add and a root."""
        n, _, high, wide = legacy(self, bottoms[0], 0)
        elements, positions = bottoms[0].count(), n * high * wide
        return OpCount(adds=elements + positions, muls=elements, divs=elements, exps=positions)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Over axis 1."""
        (x,) = bottoms
        n, c, *spatial = (*x.shape, 1, 1)[: max(2, x.ndim)]
        each = x.reshape(n, c, prod(spatial))
        y = each / np.sqrt(np.square(each).sum(axis=1, keepdims=True) + np.float32(self.bias))
        return [y.reshape(x.shape).astype(np.float32)]
