from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.bilinear import sampled
from netcount.layers.pooling._regions import _Regions
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class ROIAlign(_Regions):
    """The mean of bilinear samples in each bin, nothing rounded (He et al. 2017).  -> R×C×h×w.

    One sample stands at the middle of each quarter of a bin; those outside take the nearest edge.
    """

    type = "ROIAlign"
    source = "Mask R-CNN forks"
    bins: tuple[int, int]
    scale: float

    def read(self, message: Message) -> None:
        """roi_align_param, or roi_pooling_param where a fork reuses it."""
        name = "roi_align_param" if message.has("roi_align_param") else "roi_pooling_param"
        self.bins = self.bins_of(name)
        self.scale = message.child(name).number("spatial_scale")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """R×C×h×w."""
        return [Shape((self.regions(bottoms), self.channels(bottoms), *self.bins))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Four samples a bin, each four muls and three adds; their mean."""
        elements = tops[0].count()
        return OpCount(adds=15 * elements, muls=16 * elements, divs=elements)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """All samples of a box at once."""
        features = self.features(bottoms)
        images, corners = self.boxes(bottoms)
        rows, columns = self.bins
        out = np.zeros((len(images), features.shape[1], rows, columns), dtype=np.float32)
        for region, (image, box) in enumerate(zip(images, corners * np.float32(self.scale), strict=True)):
            x1, y1, x2, y2 = box.tolist()
            ys = y1 + (np.arange(2 * rows) + 0.5) * max(y2 - y1, 1.0) / (2 * rows)
            xs = x1 + (np.arange(2 * columns) + 0.5) * max(x2 - x1, 1.0) / (2 * columns)
            samples = sampled(features[image], *np.meshgrid(ys, xs, indexing="ij"))
            out[region] = samples.reshape(-1, rows, 2, columns, 2).mean(axis=(2, 4))
        return [out]
