from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.bilinear import sampled
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.layer import TWO, WorkingMemory
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Warping(NoBlobs):
    """Features read where a flow points: bilinear, clamped to the image.

    (N×C×H×W, flow N×2×H×W: columns, then lines) -> N×C×H×W.
    Source: warping_layer.cpp and .cu of caffe_mpi.
    """

    type = "Warping"
    source = "caffe_mpi"
    bottoms = TWO

    def read(self, message: Message) -> None:
        """No parameters."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The features' shape."""
        n, _, *extent = legacy(self, bottoms[0], 0)
        if legacy(self, bottoms[1], 1) != (n, 2, *extent):
            self.refuse(f"{self.named(1)} {bottoms[1]} must be {Shape((n, 2, *extent))}", "bottom", 1)
        return [bottoms[0]]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An element: four weights (16 adds, 4 muls), four places (8 compares) and the sum (4 adds, 4
        muls); the kernel makes the weights anew in every channel."""
        values = tops[0].count()
        return OpCount(adds=22 * values, muls=8 * values, compares=8 * values)

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """Of one image eighteen numbers a position, and five arrays of its size."""
        return WorkingMemory(forward=5 * tops[0].count(1) + 18 * bottoms[1].count(2))

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Image after image."""
        x, flow = (bottom.reshape((*bottom.shape, 1, 1, 1)[:4]) for bottom in bottoms)
        lines, columns = np.indices(x.shape[2:], dtype=np.float32)
        y = np.empty(x.shape, dtype=np.float32)
        for n, (right, down) in enumerate(flow):
            y[n] = sampled(x[n], lines + down, columns + right)
        return [y.reshape(bottoms[0].shape)]
