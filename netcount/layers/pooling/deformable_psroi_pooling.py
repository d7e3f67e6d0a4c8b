from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.bilinear import sampled
from netcount.layers.layer import Arity
from netcount.layers.pooling._regions import _Regions
from netcount.layers.pooling.roi_pooling import rounded_corners
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

PARAM = "deformable_psroi_pooling_param"


class DeformablePSROIPooling(_Regions):
    """The mean of samples in each bin, every bin from its own channels and moved by an offset.

    (features N×(D·k²)×H×W, boxes R×5[, offsets R×2K×part×part]) -> R×D×k×k.  A bin has
    sample_per_part² bilinear samples; those outside the features are left out.
    Source: deformable_psroi_pooling_layer.cpp of makefile/frcnn and of Deformable-ConvNets-caffe; Dai et
    al. 2017, arXiv 1703.06211.
    """

    type = "DeformablePSROIPooling"
    source = "Deformable-ConvNets"
    bottoms: ClassVar[Arity] = Arity(2, 3)
    scale: float
    deviation: float
    dim: int
    group: int
    part: int
    samples: int
    fixed: bool

    def read(self, message: Message) -> None:
        """Channels, bins, samples and how far a bin moves."""
        param = message.child(PARAM)
        self.scale, self.deviation = param.number("spatial_scale"), param.number("trans_std")
        self.dim, self.group = param.integer("output_dim"), param.integer("group_size")
        self.part, self.samples = param.integer("part_size"), param.integer("sample_per_part")
        self.fixed = param.flag("no_trans")
        for field, number in (("output_dim", self.dim), ("group_size", self.group)):
            if number < 1:
                self.refuse(f"{field} {number} must be positive", f"{PARAM}.{field}")
        if not self.fixed and len(message.texts("bottom")) < 3:
            self.refuse("needs offsets as a third bottom, or no_trans", f"{PARAM}.no_trans")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """R×D×k×k; the features hold D·k² channels."""
        regions, wanted = self.regions(bottoms), self.dim * self.group**2
        if self.channels(bottoms) != wanted:
            self.refuse(
                f"{self.named(0)} {bottoms[0]} must have output_dim·group_size² = {wanted} channels",
                f"{PARAM}.output_dim",
            )
        return [Shape((regions, self.dim, self.group, self.group))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A bin: its place (6 adds, 8 muls).  A sample: its place (2 adds, 2 muls, 8 compares), its
        weights (4 adds, 4 muls) and their sum (4 adds, 4 muls); a mean."""
        bins = tops[0].count()
        values = bins * self.samples**2
        return OpCount(adds=10 * values + 6 * bins, muls=10 * values + 8 * bins, divs=bins, compares=8 * values)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Box after box, bin after bin; channels of one class move together."""
        features, k = self.features(bottoms), self.group
        images, corners = self.boxes(bottoms)
        start = rounded_corners(corners[:, :2]) * np.float32(self.scale) - np.float32(0.5)
        end = (rounded_corners(corners[:, 2:]) + 1) * np.float32(self.scale) - np.float32(0.5)
        sizes = np.maximum(end - start, np.float32(0.1))
        moves = self._moves(bottoms, len(images))
        classes = moves.shape[1]
        maps = features.reshape(len(features), classes, -1, k, k, *features.shape[2:])
        steps = np.arange(self.samples) / max(1, self.samples)
        out = np.zeros((len(images), classes, self.dim // classes, k, k), dtype=np.float32)
        for region, image in enumerate(images):
            for label in range(classes):
                for i in range(k):
                    for j in range(k):
                        place = (self.part * i // k, self.part * j // k)
                        move = moves[(region, label, slice(None), *place)] * self.deviation
                        xs, ys = (
                            start[region, axis]
                            + (index + steps) * sizes[region, axis] / k
                            + move[axis] * sizes[region, axis]
                            for axis, index in ((0, j), (1, i))
                        )
                        out[region, label, :, i, j] = _mean(maps[image, label, :, i, j], ys, xs)
        return [out.reshape(len(images), self.dim, k, k)]

    def _moves(self, bottoms: Sequence[Array], regions: int) -> Array:
        """Offsets as R×K×2×part×part; zeros where there are none."""
        if self.fixed:
            return np.zeros((regions, 1, 2, max(1, self.part), max(1, self.part)), dtype=np.float32)
        offsets = bottoms[2]
        classes = offsets.shape[1] // 2 if offsets.ndim > 1 else 0
        values = regions * 2 * classes * self.part**2
        if not classes or not self.part or self.dim % classes or offsets.size != values:
            self.refuse(
                f"{self.named(2)} {Shape(offsets.shape)} must be R×2K×part_size×part_size, K a part of output_dim",
                "bottom",
                2,
            )
        return offsets.reshape(regions, classes, 2, self.part, self.part)


def _mean(maps: Array, ys: Array, xs: Array) -> Array:
    """The mean of channels d×H×W over the grid of ys and xs, without the points that lie outside."""
    high, wide = maps.shape[1:]
    y, x = np.meshgrid(ys, xs, indexing="ij")
    inside = (y >= -0.5) & (y <= high - 0.5) & (x >= -0.5) & (x <= wide - 0.5)
    values = sampled(maps, y, x) * inside
    mean: Array = values.sum(axis=(1, 2)) / max(1, int(inside.sum()))
    return mean
