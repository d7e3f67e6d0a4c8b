"""Pooling of regions of interest: (features 1×C×H×W, boxes R×5) -> R×C×h×w."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import NoBlobs
from netcount.layers.layer import TWO
from netcount.lazy import np
from netcount.opcount import OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run


class _Regions(NoBlobs):
    """What the three have in common: boxes are (image, x1, y1, x2, y2) in input pixels."""

    bottoms = TWO

    def regions(self, bottoms: Sequence[Shape]) -> int:
        """How many boxes; both bottoms are checked."""
        features, boxes = bottoms
        if len(features) != 4:
            self.refuse(f"{self.named(0)} {features} must be N×C×H×W", "bottom")
        if not boxes or boxes.count(1) != 5:
            self.refuse(f"{self.named(1)} {boxes} must be R×5 (image, x1, y1, x2, y2)", "bottom", 1)
        return boxes[0]

    def image_of(self, box: Array, images: int) -> int:
        """The image a box lies in; one outside the batch is refused, as by Caffe."""
        image = int(box[0])
        if not 0 <= image < images:
            self.refuse(f"a box names image {image} of a batch of {images}", "bottom", 1)
        return image


class ROIPooling(_Regions):
    """The largest value in each bin of a box (Girshick 2015, Fast R-CNN).  -> R×C×h×w.

    Source: roi_pooling_layer.cpp of Fast R-CNN's Caffe.
    """

    type = "ROIPooling"
    source = "Fast R-CNN"

    def read(self, message: Message) -> None:
        """Bins and scale."""
        param = message.child("roi_pooling_param")
        self.bins = (param.integer("pooled_h"), param.integer("pooled_w"))
        self.scale = param.number("spatial_scale")
        if not all(self.bins):
            self.refuse("pooled_h and pooled_w must be positive", "roi_pooling_param")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """R×C×h×w."""
        return [Shape((self.regions(bottoms), bottoms[0][1], *self.bins))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The bound: boxes as large as the features, a compare an element, and the bins' corners."""
        features, boxes = bottoms
        bins = boxes[0] * self.bins[0] * self.bins[1]
        return OpCount(muls=4 * boxes[0] + 4 * bins, compares=boxes[0] * features.count(1) + 8 * bins)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Bin by bin; an empty bin is 0."""
        features, boxes = bottoms
        rows, columns = self.bins
        out = np.zeros((len(boxes), features.shape[1], rows, columns), dtype=np.float32)
        height, width = features.shape[2:]
        for r, box in enumerate(boxes.reshape(len(boxes), 5)):
            image = features[self.image_of(box, len(features))]
            x1, y1, x2, y2 = _rounded(box[1:] * np.float32(self.scale))
            for i, (top, bottom) in enumerate(_edges(y1, y2, rows, height)):
                for j, (left, right) in enumerate(_edges(x1, x2, columns, width)):
                    if bottom > top and right > left:
                        out[r, :, i, j] = image[:, top:bottom, left:right].max(axis=(1, 2))
        return [out]


def _rounded(corners: Array) -> list[int]:
    """Halves away from zero, as C's round."""
    return [int(np.floor(abs(c) + 0.5) * np.sign(c)) for c in corners.tolist()]


def _edges(start: int, end: int, bins: int, limit: int) -> list[tuple[int, int]]:
    """First and last-but-one element of each bin, clipped to the image."""
    size = np.float32(max(end - start + 1, 1)) / np.float32(bins)
    edges = []
    for index in range(bins):
        low = int(np.floor(np.float32(index) * size)) + start
        high = int(np.ceil(np.float32(index + 1) * size)) + start
        edges.append((min(max(low, 0), limit), min(max(high, 0), limit)))
    return edges


class PSROIPooling(_Regions):
    """The mean of each bin, every bin from its own channels (Dai et al. 2016, R-FCN).  -> R×D×k×k.

    Source: psroi_pooling_layer.cpp of R-FCN's Caffe.
    """

    type = "PSROIPooling"
    source = "R-FCN"

    def read(self, message: Message) -> None:
        """output_dim, group_size and scale."""
        param = message.child("psroi_pooling_param")
        self.scale = param.number("spatial_scale")
        self.dim, self.group = param.integer("output_dim"), param.integer("group_size")
        if self.dim < 1 or self.group < 1:
            self.refuse("output_dim and group_size must be positive", "psroi_pooling_param")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """R×D×k×k; the features hold D·k² channels."""
        regions = self.regions(bottoms)
        wanted = self.dim * self.group**2
        if bottoms[0][1] != wanted:
            self.refuse(
                f"{self.named(0)} {bottoms[0]} must have output_dim·group_size² = {wanted} channels",
                "psroi_pooling_param.output_dim",
            )
        return [Shape((regions, self.dim, self.group, self.group))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The bound: boxes as large as the features, an add an element of a bin, a div a bin."""
        features, boxes = bottoms
        return OpCount(adds=boxes[0] * self.dim * features.count(2), muls=8 * boxes[0], divs=tops[0].count())

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Bin by bin; an empty bin is 0."""
        features, boxes = bottoms
        k = self.group
        out = np.zeros((len(boxes), self.dim, k, k), dtype=np.float32)
        height, width = features.shape[2:]
        for r, box in enumerate(boxes.reshape(len(boxes), 5)):
            image = features[self.image_of(box, len(features))].reshape(self.dim, k, k, height, width)
            x1, y1, x2, y2 = _rounded(box[1:])
            rows = _shares(y1, y2 + 1, k, height, self.scale)
            columns = _shares(x1, x2 + 1, k, width, self.scale)
            for i, (top, bottom) in enumerate(rows):
                for j, (left, right) in enumerate(columns):
                    if bottom > top and right > left:
                        out[r, :, i, j] = image[:, i, j, top:bottom, left:right].mean(axis=(1, 2))
        return [out]


def _shares(start: int, end: int, bins: int, limit: int, scale: float) -> list[tuple[int, int]]:
    """Bins of a box that is scaled as a real number and never less than 0.1 wide."""
    low, high = start * scale, end * scale
    size = max(high - low, 0.1) / bins
    return [
        (
            min(max(int(np.floor(index * size + low)), 0), limit),
            min(max(int(np.ceil((index + 1) * size + low)), 0), limit),
        )
        for index in range(bins)
    ]


class ROIAlign(_Regions):
    """The mean of bilinear samples in each bin, nothing rounded (He et al. 2017).  -> R×C×h×w.

    One sample stands at the middle of each quarter of a bin.
    """

    type = "ROIAlign"
    source = "Mask R-CNN forks"

    def read(self, message: Message) -> None:
        """roi_align_param, or roi_pooling_param where a fork reuses it."""
        name = "roi_align_param" if message.has("roi_align_param") else "roi_pooling_param"
        param = message.child(name)
        self.bins = (param.integer("pooled_h"), param.integer("pooled_w"))
        self.scale = param.number("spatial_scale")
        if not all(self.bins):
            self.refuse("pooled_h and pooled_w must be positive", name)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """R×C×h×w."""
        return [Shape((self.regions(bottoms), bottoms[0][1], *self.bins))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Four samples a bin, each four muls and three adds; their mean."""
        elements = tops[0].count()
        return OpCount(adds=15 * elements, muls=16 * elements, divs=elements)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """All samples of a box at once."""
        features, boxes = bottoms
        rows, columns = self.bins
        out = np.zeros((len(boxes), features.shape[1], rows, columns), dtype=np.float32)
        for r, box in enumerate(boxes.reshape(len(boxes), 5)):
            image = features[self.image_of(box, len(features))]
            x1, y1, x2, y2 = (box[1:] * np.float32(self.scale)).tolist()
            ys = y1 + (np.arange(2 * rows) + 0.5) * max(y2 - y1, 1.0) / (2 * rows)
            xs = x1 + (np.arange(2 * columns) + 0.5) * max(x2 - x1, 1.0) / (2 * columns)
            samples = _bilinear(image, ys, xs)
            out[r] = samples.reshape(-1, rows, 2, columns, 2).mean(axis=(2, 4))
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
    return upper * (1 - wy) + lower * wy
