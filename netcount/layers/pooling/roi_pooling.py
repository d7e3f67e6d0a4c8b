from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.window_reduce import LOWEST
from netcount.layers.layer import Wanted
from netcount.layers.pooling._regions import _Regions
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class ROIPooling(_Regions):
    """The largest value in each bin of a box (Girshick 2015, Fast R-CNN).  -> R×C×h×w.

    Corners are rounded to whole elements of the features.  Source: roi_pooling_layer.cpp of Fast
    R-CNN's Caffe, and of mscnn, whose pad_ratio makes a box larger by that part of its sides.
    """

    type = "ROIPooling"
    source = "Fast R-CNN"
    bins: tuple[int, int]
    scale: float
    padding: float

    def read(self, message: Message) -> None:
        """Bins and scale."""
        self.bins = self.bins_of("roi_pooling_param")
        param = message.child("roi_pooling_param")
        self.scale, self.padding = param.number("spatial_scale"), param.number("pad_ratio")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """R×C×h×w."""
        return [Shape((self.regions(bottoms), self.channels(bottoms), *self.bins))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The bound: boxes as large as the features, a compare an element; and the bins' corners."""
        values, boxes = bottoms[0].count(1) if bottoms[0] else 1, tops[0][0]
        bins = boxes * self.bins[0] * self.bins[1]
        padding = OpCount(adds=8 * boxes, muls=2 * boxes) if self.padding else OpCount()
        return OpCount(muls=4 * boxes + 4 * bins, compares=boxes * values + 8 * bins) + padding

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """An add a bin, where its greatest value stood."""
        return OpCount(adds=tops[0].count() if wanted.bottoms[0] else 0)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Rows of bins first, then columns; an empty bin is 0."""
        features = self.features(bottoms)
        images, corners = self.boxes(bottoms)
        if self.padding:
            more = (corners[:, 2:] - corners[:, :2] + 1) * np.float32(self.padding)
            corners = np.concatenate([corners[:, :2] - more, corners[:, 2:] + more], axis=1)
        whole = rounded_corners(corners * np.float32(self.scale))
        extent = np.maximum(whole[:, 2:] - whole[:, :2] + 1, 1).astype(np.float32)
        columns, rows = [
            bin_edges(whole[:, axis], extent[:, axis] / np.float32(bins), bins, features.shape[3 - axis])
            for axis, bins in ((0, self.bins[1]), (1, self.bins[0]))
        ]
        out = np.zeros((len(images), features.shape[1], *self.bins), dtype=np.float32)
        for region, image in enumerate(images):
            lines = [_most(features[image, :, top:end], 1) for top, end in rows[region]]
            line = np.stack(lines, axis=1)
            for index, (left, end) in enumerate(columns[region]):
                if left < end:
                    out[region, :, :, index] = _most(line[:, :, left:end], 2)
            empty = [index for index, (top, end) in enumerate(rows[region]) if top >= end]
            out[region, :, empty] = 0
        return [out]


def _most(x: Array, axis: int) -> Array:
    """The largest along an axis; as in Caffe, not-a-numbers are passed over."""
    largest: Array = np.fmax.reduce(x, axis=axis, initial=np.float32(LOWEST))
    return largest


def rounded_corners(corners: Array) -> Array:
    """Halves away from zero, as C's round."""
    rounded: Array = np.copysign(np.floor(np.abs(corners) + np.float32(0.5)), corners)
    return rounded


def bin_edges(
    start: Array, size: Array, bins: int, limit: int, inside: bool = False
) -> list[list[tuple[int, int]]]:
    """Of each box (R) and bin: its first element and the one behind its last, clipped to the image.

    `start` is added to the whole elements of an edge, or before that with `inside`.
    """
    index = np.arange(bins, dtype=np.float32)
    low, high = size[:, None] * index, size[:, None] * (index + 1)
    if inside:
        low, high = np.floor(low + start[:, None]), np.ceil(high + start[:, None])
    else:
        low, high = np.floor(low) + start[:, None], np.ceil(high) + start[:, None]
    pairs = np.clip(np.stack([low, high], axis=2), 0, limit).astype(np.int64)
    edges: list[list[tuple[int, int]]] = pairs.tolist()
    return edges
