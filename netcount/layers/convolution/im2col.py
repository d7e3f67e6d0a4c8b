"""The column matrix of a convolution as a layer of its own."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import Moving
from netcount.layers.layer import Wanted, Window
from netcount.layers.window import CONVOLUTION, WindowParam
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Im2col(Moving):
    """The column matrix of a convolution as a blob.  N×C×*S -> N×(C·K)×*O; only moves values.

    Source: im2col_layer.cpp.
    """

    type = "Im2col"
    makes_diffs = True
    axis_given: int
    geometry: WindowParam

    def read(self, message: Message) -> None:
        """The window."""
        param = message.child(CONVOLUTION)
        self.axis_given = param.integer("axis")
        self.geometry = WindowParam(self, param)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Channels times kernel, and a convolution's extents."""
        (bottom,) = bottoms
        axis = self.axis(bottom, self.axis_given, f"{CONVOLUTION}.axis")
        spatial = bottom[axis + 1 :]
        if not spatial:
            self.refuse(f"needs a spatial axis behind axis {axis} of {bottom}", f"{CONVOLUTION}.axis")
        taps = prod(self.geometry.over(len(spatial))[0])
        return [Shape((*bottom[:axis], bottom[axis] * taps, *self.geometry.convolved(spatial)))]

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """col2im: an add for each element of the columns."""
        return OpCount(adds=tops[0].count())

    def window(self, bottoms: Sequence[Shape]) -> Window:
        """Kernel, stride, pad and dilation."""
        return Window(*self.geometry.over(len(bottoms[0]) - bottoms[0].axis(self.axis_given) - 1))

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """All windows, one below the other."""
        from netcount.kernels.im2col import spread, windows

        (bottom,) = bottoms
        axis = self.axis_given % bottom.ndim
        before = bottom.shape[:axis]
        x = bottom.reshape(prod(before), *bottom.shape[axis:])
        axes, given = x.ndim - 2, self.geometry
        lists = (given.kernel, given.stride, given.pad, given.dilation)
        kernel, stride, pad, dilation = [spread(extents, axes) for extents in lists]
        view = windows(x, kernel, stride, pad, dilation)
        rows = x.shape[1] * prod(kernel)
        return [view.copy().reshape(*before, rows, *view.shape[2 + axes :])]
