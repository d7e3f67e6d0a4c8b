from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import legacy
from netcount.layers.layer import Wanted
from netcount.layers.pooling._regions import _Regions
from netcount.layers.pooling.roi_pooling import bin_edges, rounded_corners
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class PSROIPooling(_Regions):
    """The mean of each bin, every bin from its own channels (Dai et al. 2016, R-FCN).  -> R×D×k×k.

    Source: psroi_pooling_layer.cu of R-FCN's Caffe.
    """

    type = "PSROIPooling"
    source = "R-FCN"
    scale: float
    dim: int
    group: int

    def read(self, message: Message) -> None:
        """output_dim, group_size and scale."""
        param = message.child("psroi_pooling_param")
        self.scale = param.number("spatial_scale")
        self.dim, self.group = param.integer("output_dim"), param.integer("group_size")
        for field, number in (("output_dim", self.dim), ("group_size", self.group)):
            if number < 1:
                self.refuse(f"{field} {number} must be positive", f"psroi_pooling_param.{field}")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """R×D×k×k; the features hold D·k² channels."""
        regions = self.regions(bottoms)
        wanted = self.dim * self.group**2
        if self.channels(bottoms) != wanted:
            self.refuse(
                f"{self.named(0)} {bottoms[0]} must have output_dim·group_size² = {wanted} channels",
                "psroi_pooling_param.output_dim",
            )
        return [Shape((regions, self.dim, self.group, self.group))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The bound: boxes as large as the features, an add an element of a bin, a div a bin."""
        _, _, high, wide = legacy(self, bottoms[0], 0)
        boxes = tops[0][0]
        return OpCount(adds=boxes * self.dim * high * wide, muls=8 * boxes, divs=tops[0].count())

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """As forward, whose bins it computes again: a div a bin, and the bound of an add an element of a bin."""
        return self.ops(bottoms, tops) if wanted.bottoms[0] else NOTHING

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Rows of bins first, then columns; an empty bin is 0."""
        features, k = self.features(bottoms), self.group
        images, corners = self.boxes(bottoms)
        whole = (rounded_corners(corners) + np.array([0, 0, 1, 1], np.float32)) * np.float32(self.scale)
        size = np.maximum(whole[:, 2:] - whole[:, :2], np.float32(0.1)) / np.float32(k)
        columns, rows = [
            bin_edges(whole[:, axis], size[:, axis], k, features.shape[3 - axis], inside=True) for axis in (0, 1)
        ]
        maps = features.reshape(len(features), self.dim, k, k, *features.shape[2:])
        out = np.zeros((len(images), self.dim, k, k), dtype=np.float32)
        for region, image in enumerate(images):
            high = np.array([max(0, end - top) for top, end in rows[region]], np.float32)
            for i, (top, end) in enumerate(rows[region]):
                if top < end:
                    line = maps[image, :, i, :, top:end].sum(axis=2)
                    for j, (left, right) in enumerate(columns[region]):
                        if left < right:
                            out[region, :, i, j] = line[:, j, left:right].sum(axis=1) / (high[i] * (right - left))
        return [out]
