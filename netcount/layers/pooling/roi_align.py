from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
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

    def read(self, message: Message) -> None:
        """roi_align_param, or roi_pooling_param where a fork reuses it."""
        name = "roi_align_param" if message.has("roi_align_param") else "roi_pooling_param"
        self.bins = self.bins_of(name)
        self.scale = message.child(name).number("spatial_scale")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """R×C×h×w."""
        return [Shape((self.regions(bottoms), bottoms[0][1], *self.bins))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Four samples a bin, each four muls and three adds; their mean."""
        elements = tops[0].count()
        return OpCount(adds=15 * elements, muls=16 * elements, divs=elements)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """All samples of a box at once."""
        features = bottoms[0]
        images, corners = self.boxes(bottoms)
        rows, columns = self.bins
        out = np.zeros((len(images), features.shape[1], rows, columns), dtype=np.float32)
        for region, (image, box) in enumerate(zip(images, corners * np.float32(self.scale), strict=True)):
            x1, y1, x2, y2 = box.tolist()
            ys = y1 + (np.arange(2 * rows) + 0.5) * max(y2 - y1, 1.0) / (2 * rows)
            xs = x1 + (np.arange(2 * columns) + 0.5) * max(x2 - x1, 1.0) / (2 * columns)
            samples = _bilinear(features[image], ys, xs)
            out[region] = samples.reshape(-1, rows, 2, columns, 2).mean(axis=(2, 4))
        return [out]


def _bilinear(image: Array, ys: Array, xs: Array) -> Array:
    """Values of C×H×W at the grid of ys and xs, clamped to the image."""
    height, width = image.shape[1:]
    ys, xs = np.clip(ys, 0, height - 1), np.clip(xs, 0, width - 1)
    y0, x0 = ys.astype(np.int64), xs.astype(np.int64)
    y1, x1 = np.minimum(y0 + 1, height - 1), np.minimum(x0 + 1, width - 1)
    wy, wx = (ys - y0).astype(np.float32)[:, None], (xs - x0).astype(np.float32)
    upper = image[:, y0][:, :, x0] * (1 - wx) + image[:, y0][:, :, x1] * wx
    lower = image[:, y1][:, :, x0] * (1 - wx) + image[:, y1][:, :, x1] * wx
    found: Array = upper * (1 - wy) + lower * wy
    return found
