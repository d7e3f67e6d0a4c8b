from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs
from netcount.layers.layer import Wanted
from netcount.layers.pooling.pooling import gradient_ops, reduced, window_ops
from netcount.layers.window import covered, pooled
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class SPP(NoBlobs):
    """Spatial pyramid pooling: 2^l × 2^l windows at each level l, flattened and joined.

    N×C×H×W -> N×(C·Σ4^l), or fewer where a level's last windows are dropped; one level alone keeps
    N×C×1×1.  Source: spp_layer.cpp (He et al. 2014).
    """

    type = "SPP"
    height: int
    in_place: bool
    method: str

    def read(self, message: Message) -> None:
        """Height of the pyramid and method."""
        param = message.child("spp_param")
        self.height = param.integer("pyramid_height")
        self.in_place = self.height == 1
        self.method = param.text("pool")
        if not self.height:
            self.refuse("pyramid_height 0 must be positive", "spp_param.pyramid_height")

    def _levels(self, extents: Sequence[int]) -> Iterator[tuple[list[int], list[int]]]:
        """Kernel (which is also the stride) and pad of each level, for H and W."""
        for level in range(self.height):
            bins = 2**level
            kernel = [-(-extent // bins) for extent in extents]
            yield kernel, [(k * bins - e + 1) // 2 for k, e in zip(kernel, extents, strict=True)]

    def _checked(self, bottom: Shape) -> Iterator[tuple[list[int], list[int], list[int]]]:
        """Kernel, pad and output extents of each level; refused as by the poolings inside."""
        _, _, *spatial = bottom
        for kernel, pad in self._levels(spatial):
            for p, k in zip(pad, kernel, strict=True):
                if p >= k:
                    self.refuse(
                        f"pyramid_height {self.height} is too much for {bottom}: pad {p} of a level is "
                        f"not less than its kernel {k}",
                        "spp_param.pyramid_height",
                    )
            if any(pad) and self.method == "STOCHASTIC":
                self.refuse(f"{bottom} needs padding, which is not for STOCHASTIC", "spp_param.pool")
            yield kernel, pad, pooled(spatial, kernel, kernel, pad, floor=False)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """All levels in one row."""
        (bottom,) = bottoms
        if len(bottom) != 4 or 0 in bottom[2:]:
            self.refuse(f"needs 4 axes N×C×H×W with elements, not {bottom}", "bottom")
        n, c, *_ = bottom
        extents = [level for _, _, level in self._checked(bottom)]
        if self.height == 1:
            return [Shape((n, c, *extents[0]))]
        return [Shape((n, c * sum([high * wide for high, wide in extents])))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """What the pooling of each level does."""
        (bottom,) = bottoms
        n, c, *spatial = bottom
        total = OpCount()
        for kernel, pad, outputs in self._checked(bottom):
            high, wide = (covered(*axis) for axis in zip(spatial, outputs, kernel, kernel, pad, strict=True))
            total += window_ops(self.method, n * c * high * wide, n * c * outputs[0] * outputs[1])
        return total

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """What the pooling of each level costs, and the levels' gradients added up."""
        if not wanted.bottoms[0]:
            return NOTHING
        n, c, *_ = bottoms[0]
        outputs = n * c * sum(high * wide for _, _, (high, wide) in self._checked(bottoms[0]))
        passed = gradient_ops(self.method, self.ops(bottoms, tops), outputs)
        return passed and passed + OpCount(adds=(self.height - 1) * bottoms[0].count())

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Each level pooled, flattened, and joined."""
        from netcount.kernels.window_reduce import places

        (x,) = bottoms
        levels = []
        for kernel, pad in self._levels(x.shape[2:]):
            starts = places(x.shape[2:], kernel, kernel, pad, floor=False)
            levels.append(reduced(self.method, x, starts, kernel, pad))
        if self.height == 1:
            return levels
        return [np.concatenate([level.reshape(len(x), level[:1].size) for level in levels], axis=1)]
