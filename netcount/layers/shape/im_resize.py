from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import floor
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

PARAM = "imresize_param"


class ImResize(NoBlobs):
    """The mean of several scales of an image, each made as large by cubic interpolation.

    N×C×H×W, a scale an image -> 1×C×(factor·H)×(factor·W), or to target_spatial_height and _width.
    Source: src/caffe/cpm/layers/imresize_layer.cpp and .cu of OpenPose's caffe_rtpose.
    """

    type = "ImResize"
    source = "OpenPose"
    factor: float
    extents: tuple[int, int]
    first: float
    gap: float

    def read(self, message: Message) -> None:
        """The extents, and how much smaller each scale is."""
        param = message.child(PARAM)
        self.factor = param.number("factor")
        self.extents = (param.integer("target_spatial_height"), param.integer("target_spatial_width"))
        self.first, self.gap = param.number("start_scale"), param.number("scale_gap")
        if self.factor < 0:
            self.refuse(f"factor {self.factor:g} must not be negative", f"{PARAM}.factor")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """1×C×H'×W'; a factor's extents are rounded down."""
        if len(bottoms[0]) != 4:
            self.refuse(f"{self.named(0)} {bottoms[0]} must be N×C×H×W", "bottom")
        _, channels, *spatial = bottoms[0]
        extents = [int(side * self.factor) for side in spatial] if self.factor else self.extents
        return [Shape((1, channels, *extents))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A value: for each scale its place and five cubics of 10 adds and 15 muls; an add; the mean."""
        values = tops[0].count()
        each = values * bottoms[0][0]
        return OpCount(adds=57 * each, muls=77 * each, divs=values, compares=8 * each)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Scale after scale, columns and then lines."""
        (x,) = bottoms
        total = np.zeros((x.shape[1], *self._made(x.shape)), dtype=np.float32)
        for image, (lines, columns) in zip(x, self.matrices(x.shape), strict=True):
            total += lines @ image @ columns.T
        return [(total / max(1, len(x)))[None].astype(np.float32)]

    def _made(self, shape: Sequence[int]) -> tuple[int, int]:
        if not self.factor:
            return self.extents
        high, wide = (len(range(1, floor(side * self.factor) + 1)) for side in shape[2:])
        return high, wide

    def matrices(self, shape: Sequence[int]) -> Iterator[tuple[Array, Array]]:
        """For each image what lines (H'×H), and columns (W'×W), of the top take of its own."""
        for scale in range(shape[0]):
            border = 1 - self.first + scale * self.gap
            lines, columns = (
                _weights(extent, side, floor(extent // 2 * border))
                for extent, side in zip(shape[2:], self._made(shape), strict=True)
            )
            yield lines, columns


def _weights(extent: int, made: int, border: int) -> Array:
    """What each of `made` positions takes of the `extent` ones, a border of them left out: made×extent."""
    inner = extent - 2 * border
    place = (np.arange(made) - (made / inner / 2 - 0.5)) * (inner / made)
    base = np.maximum(np.trunc(place + 1e-5), 0)
    d = place - base
    behind = np.minimum(base + 1, inner - 1)
    neighbours = np.stack([np.maximum(base - 1, 0), base, behind, np.minimum(behind + 1, inner - 1)]) + border
    cubics = np.stack(
        [
            -0.5 * d**3 + d**2 - 0.5 * d,
            1.5 * d**3 - 2.5 * d**2 + 1,
            -1.5 * d**3 + 2 * d**2 + 0.5 * d,
            0.5 * d**3 - 0.5 * d**2,
        ]
    )
    weights = np.zeros((made, extent), dtype=np.float32)
    for index, cubic in zip(neighbours.astype(np.int64), cubics, strict=True):
        np.add.at(weights, (np.arange(made), index), cubic)
    return weights
