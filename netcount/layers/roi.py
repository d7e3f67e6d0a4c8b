"""Pooling of regions of interest: (features N×C×H×W, boxes R×5) -> R×C×h×w."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import NoBlobs
from netcount.layers.layer import TWO
from netcount.layers.reduction import LOWEST
from netcount.lazy import np
from netcount.opcount import OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run


class _Regions(NoBlobs):
    """What the three have in common: boxes are (image, x1, y1, x2, y2) in input pixels."""

    bottoms = TWO

    def bins_of(self, name: str) -> tuple[int, int]:
        """pooled_h and pooled_w of a parameter message, checked."""
        param = self.message.child(name)
        for field in ("pooled_h", "pooled_w"):
            if not param.integer(field):
                self.refuse(f"{field} 0 must be positive", f"{name}.{field}")
        return param.integer("pooled_h"), param.integer("pooled_w")

    def regions(self, bottoms: Sequence[Shape]) -> int:
        """How many boxes; both bottoms are checked."""
        features, boxes = bottoms
        if len(features) != 4:
            self.refuse(f"{self.named(0)} {features} must be N×C×H×W", "bottom")
        if not 0 < len(boxes) <= 4 or boxes.count(1) < 5:
            self.refuse(f"{self.named(1)} {boxes} must be R×5 (image, x1, y1, x2, y2)", "bottom", 1)
        return boxes[0]

    def boxes(self, bottoms: Sequence[Array]) -> tuple[list[int], Array]:
        """The image of each box, and its corners (R, 4); an image outside the batch is refused."""
        features, boxes = bottoms
        flat = boxes.reshape(len(boxes), boxes[:1].size if len(boxes) else 5)
        images: list[int] = flat[:, 0].astype(np.int64).tolist()
        for image in images:
            if not 0 <= image < len(features):
                self.refuse(f"a box names image {image} of a batch of {len(features)}", "bottom", 1)
        return images, flat[:, 1:5].astype(np.float32)


class ROIPooling(_Regions):
    """The largest value in each bin of a box (Girshick 2015, Fast R-CNN).  -> R×C×h×w.

    Corners are rounded to whole elements of the features.  Source: roi_pooling_layer.cpp of Fast
    R-CNN's Caffe.
    """

    type = "ROIPooling"
    source = "Fast R-CNN"

    def read(self, message: Message) -> None:
        """Bins and scale."""
        self.bins = self.bins_of("roi_pooling_param")
        self.scale = message.child("roi_pooling_param").number("spatial_scale")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """R×C×h×w."""
        return [Shape((self.regions(bottoms), bottoms[0][1], *self.bins))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The bound: boxes as large as the features, a compare an element; and the bins' corners."""
        features, boxes = bottoms
        bins = boxes[0] * self.bins[0] * self.bins[1]
        return OpCount(muls=4 * boxes[0] + 4 * bins, compares=boxes[0] * features.count(1) + 8 * bins)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Rows of bins first, then columns; an empty bin is 0."""
        features = bottoms[0]
        images, corners = self.boxes(bottoms)
        whole = _rounded(corners * np.float32(self.scale))
        extent = np.maximum(whole[:, 2:] - whole[:, :2] + 1, 1).astype(np.float32)
        columns, rows = [
            _edges(whole[:, axis], extent[:, axis] / np.float32(bins), bins, features.shape[3 - axis])
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
    found: Array = np.fmax.reduce(x, axis=axis, initial=np.float32(LOWEST))
    return found


def _rounded(corners: Array) -> Array:
    """Halves away from zero, as C's round."""
    found: Array = np.copysign(np.floor(np.abs(corners) + np.float32(0.5)), corners)
    return found


def _edges(start: Array, size: Array, bins: int, limit: int, inside: bool = False) -> list[list[tuple[int, int]]]:
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
    found: list[list[tuple[int, int]]] = pairs.tolist()
    return found


class PSROIPooling(_Regions):
    """The mean of each bin, every bin from its own channels (Dai et al. 2016, R-FCN).  -> R×D×k×k.

    Source: psroi_pooling_layer.cu of R-FCN's Caffe.
    """

    type = "PSROIPooling"
    source = "R-FCN"

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
        """Rows of bins first, then columns; an empty bin is 0."""
        features, k = bottoms[0], self.group
        images, corners = self.boxes(bottoms)
        whole = (_rounded(corners) + np.array([0, 0, 1, 1], np.float32)) * np.float32(self.scale)
        size = np.maximum(whole[:, 2:] - whole[:, :2], np.float32(0.1)) / np.float32(k)
        columns, rows = [
            _edges(whole[:, axis], size[:, axis], k, features.shape[3 - axis], inside=True) for axis in (0, 1)
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
