from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.bilinear import sampled
from netcount.layers.pooling._regions import _Regions
from netcount.layers.pooling.roi_pooling import rounded_corners
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class ROIWarping(_Regions):
    """One bilinear sample at the corner of each bin of a box (Dai et al. 2016, MNC).  -> R×C×h×w.

    Corners are rounded to whole elements of the features; outside them a sample is 0.
    Source: roi_warping_layer.cpp and .cu of MNC's Caffe.
    """

    type = "ROIWarping"
    source = "MNC"
    bins: tuple[int, int]
    scale: float

    def read(self, message: Message) -> None:
        """Bins and scale."""
        self.bins = self.bins_of("roi_warping_param")
        self.scale = message.child("roi_warping_param").number("spatial_scale")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """R×C×h×w."""
        return [Shape((self.regions(bottoms), self.channels(bottoms), *self.bins))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A sample: its place (2 adds, 2 muls, 8 compares), its weights (4 adds, 4 muls) and their sum
        (3 adds, 4 muls)."""
        values, boxes = tops[0].count(), tops[0][0]
        return OpCount(
            adds=9 * values + 2 * boxes, muls=10 * values + 4 * boxes, divs=2 * boxes, compares=8 * values
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Box after box."""
        features = self.features(bottoms)
        images, corners = self.boxes(bottoms)
        whole = rounded_corners(corners * np.float32(self.scale))
        sizes = np.maximum(whole[:, 2:] - whole[:, :2], 0) / np.array(self.bins[::-1], dtype=np.float32)
        out = np.zeros((len(images), features.shape[1], *self.bins), dtype=np.float32)
        high, wide = features.shape[2:]
        for region, image in enumerate(images):
            xs, ys = (
                whole[region, axis] + np.arange(self.bins[1 - axis]) * sizes[region, axis] for axis in (0, 1)
            )
            y, x = np.meshgrid(ys, xs, indexing="ij")
            inside = (y >= -0.5) & (y <= high - 0.5) & (x >= -0.5) & (x <= wide - 0.5)
            out[region] = sampled(features[image], y, x) * inside
        return [out]
