from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.bilinear import sampled
from netcount.layers.convolution.convolution import Convolution
from netcount.layers.layer import ONE, TWO, Product, Wanted, WorkingMemory
from netcount.layers.sight import Sight, all_of
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class DeformableConvolution(Convolution):
    """A convolution whose taps are moved, each by an offset of its own at every position.

    (N×C×H×W, offsets N×(2·kh·kw·D)×H×W) -> N×C'×H'×W'; weights C'×C/g×kh×kw, bias C'.  The channels
    are in D deformable groups, each with offsets of its own; between positions values are bilinear,
    outside the image 0.  Source: deformable_conv_layer.cpp and deformable_im2col.cu of
    Deformable-ConvNets-caffe; Dai et al. 2017, arXiv 1703.06211.
    """

    type = "DeformableConvolution"
    source = "Deformable-ConvNets"
    bottoms = TWO
    tops = ONE
    equal_bottoms_tops = False
    param = "deformable_convolution_param"
    moved: int

    def read(self, message: Message) -> None:
        """As Convolution, and the deformable groups."""
        super().read(message)
        self.moved = message.child(self.param).integer("deformable_group")
        if not self.moved:
            self.refuse("deformable_group must be positive", f"{self.param}.deformable_group")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×C'×H'×W', after the check of the offsets."""
        data, offsets = bottoms
        if len(data) != 4 or self.axis_given not in (1, -3):
            self.refuse(f"needs 4 axes N×C×H×W and axis 1, not {data} and {self.axis_given}", "bottom")
        tops = super().infer(bottoms[:1])
        taps = prod(self.geometry.over(2)[0])
        wanted = Shape((data[0], 2 * taps * self.moved, *data[2:]))
        if offsets != wanted:
            self.refuse(
                f"{self.named(1)} {offsets} must be {wanted}: two offsets for each of {taps} taps of "
                f"{self.moved} deformable_group",
                "bottom",
                1,
            )
        if data[1] % self.moved:
            self.refuse(
                f"{data[1]} input channels cannot be divided by deformable_group {self.moved}",
                f"{self.param}.deformable_group",
            )
        return tops

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A convolution's; and for each value of the column matrix its place (4 adds, 6 compares), its
        four weights (4 adds, 4 muls) and their sum (3 adds, 4 muls)."""
        values = self.column_matrix(bottoms, tops) * bottoms[0][0]
        return super().ops(bottoms, tops) + OpCount(adds=11 * values, muls=8 * values, compares=6 * values)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """Not written down: the offsets have gradients too."""
        return None

    def products(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> list[Product]:
        """As Convolution's of the first bottom."""
        return super().products(bottoms[:1], tops)

    def column_matrix(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> int:
        """Of one image, also for 1×1: the values are moved all the same."""
        return bottoms[0][1] * prod(self.geometry.over(2)[0]) * tops[0].count(2)

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """The column matrix, and what its values are made of."""
        columns = self.column_matrix(bottoms, tops)
        return WorkingMemory(columns, 8 * columns)

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """All of it: where the taps lie depends on the offsets."""
        return all_of(bottoms[bottom])

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The moved columns of each image, and one GEMM a group."""
        from netcount.kernels.im2col import positions, spread

        x, offsets = bottoms
        weight = blobs[0]
        made, each, *kernel = weight.shape
        group = x.shape[1] // each
        window = self.geometry
        stride, pad, dilation = (spread(extents, 2) for extents in (window.stride, window.pad, window.dilation))
        outputs = positions(x.shape[2:], kernel, stride, pad, dilation)
        moved = offsets.reshape(len(x), -1)
        values = 2 * self.moved * prod((*kernel, *outputs))
        if moved.shape[1] < values:
            self.refuse(f"{self.named(1)} holds fewer offsets than {Shape(outputs)} positions need", "bottom", 1)
        moves = moved[:, :values].reshape(len(x), self.moved, *kernel, 2, *outputs)
        ys, xs = (
            (np.arange(taps) * d)[:, None] + np.arange(steps) * s - p
            for taps, d, steps, s, p in zip(kernel, dilation, outputs, stride, pad, strict=True)
        )
        matrix = weight.reshape(group, made // group, -1)
        y = np.empty((len(x), group, made // group, prod(outputs)), dtype=np.float32)
        for image in range(len(x)):
            columns = [
                self._moved(part, ys[:, None, :, None] + move[:, :, 0], xs[None, :, None, :] + move[:, :, 1])
                for part, move in zip(np.split(x[image], self.moved), moves[image], strict=True)
            ]
            run.gemm(matrix, np.concatenate(columns).reshape(group, -1, prod(outputs)), out=y[image])
        y = y.reshape(len(x), made, *outputs)
        if self.bias:
            y += blobs[1].reshape(made, 1, 1)
        return [y]

    def _moved(self, part: Array, ys: Array, xs: Array) -> Array:
        """Values of channels c×H×W at points kh×kw×H'×W' -> c×kh×kw×H'×W'; 0 outside."""
        height, width = part.shape[1:]
        inside = (ys >= 0) & (xs >= 0) & (ys < height) & (xs < width)
        values: Array = sampled(part, ys, xs) * inside
        return values
