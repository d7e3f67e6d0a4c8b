"""Convolution and its kin: a learned filter under every position of a sliding window."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from netcount.layers.base import Moving
from netcount.layers.column import depthwise, padded, scattered, windows
from netcount.layers.filler import Filler
from netcount.layers.layer import Arity, Layer, ParamBlob, Window
from netcount.layers.window import CONVOLUTION, WindowParam, convolved, deconvolved, is_depthwise
from netcount.opcount import OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run


class Convolution(Layer):
    """A filter over each window.  N×C×*S -> N×C'×*O; weights C'×C/g×*K, bias C'.

    Several bottoms of one shape share the weights.  Source: base_conv_layer.cpp, conv_layer.cpp.
    """

    type = "Convolution"
    bottoms = Arity(1, None)
    tops = Arity(1, None)
    equal_bottoms_tops = True
    turned = False
    """Whether input and output change places (Deconvolution)."""

    def read(self, message: Message) -> None:
        """num_output, group, bias and the window."""
        param = message.child(CONVOLUTION)
        self.axis_given = param.integer("axis")
        self.num_output = param.integer("num_output")
        self.group = param.integer("group")
        self.bias = param.flag("bias_term")
        self.geometry = WindowParam(self, param)
        self.weight_filler = Filler(param, "weight_filler")
        self.bias_filler = Filler(param, "bias_filler")
        if not 0 < self.num_output < 2**31:
            self.refuse("num_output must be positive", f"{CONVOLUTION}.num_output")
        if self.group < 1:
            self.refuse("group must be positive", f"{CONVOLUTION}.group")

    def groups(self, channels: int) -> int:
        """The groups for that many input channels."""
        return self.group

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×C'×*O for each bottom."""
        first = bottoms[0]
        axis = self.axis(first, self.axis_given, f"{CONVOLUTION}.axis")
        channels = first[axis]
        group = self.groups(channels)
        for what, number in (("input channels", channels), ("num_output", self.num_output)):
            if number % group:
                self.refuse(f"{number} {what} cannot be divided by group {group}", f"{CONVOLUTION}.group")
        for index, other in enumerate(bottoms):
            if other != first:
                self.refuse(
                    f"all bottoms must have one shape: {self.named(0)} is {first}, "
                    f"{self.named(index)} is {other}",
                    "bottom",
                    index,
                )
        spatial = first[axis + 1 :]
        kernel, stride, pad, dilation = self.geometry.over(len(spatial))
        rule = deconvolved if self.turned else convolved
        extents = tuple([rule(*one) for one in zip(spatial, kernel, stride, pad, dilation, strict=True)])
        if extents and min(extents) < 0:
            self.refuse(
                f"its window {kernel} does not fit into {first}: the output would be {extents}; check "
                "kernel_size, pad and dilation",
                f"{CONVOLUTION}.kernel_size",
            )
        return [Shape((*first[:axis], self.num_output, *extents))] * len(bottoms)

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """Weights C'×C/g×*K (C×C'/g×*K for a deconvolution) and bias C'."""
        first = bottoms[0]
        axis = self.axis(first, self.axis_given)
        channels = first[axis]
        kernel = self.geometry.over(len(first) - axis - 1)[0]
        made, read = (channels, self.num_output) if self.turned else (self.num_output, channels)
        weight = Shape((made, read // self.groups(channels), *kernel))
        found = [ParamBlob(weight, "weight", self.weight_filler)]
        if self.bias:
            found.append(ParamBlob(Shape((self.num_output,)), "bias", self.bias_filler))
        return found

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A madd for each product of the GEMMs, padding included; an add for each bias."""
        madds = adds = 0
        for bottom, top in zip(bottoms, tops, strict=True):
            axis = self.axis(bottom, self.axis_given)
            channels = bottom[axis]
            taps = prod(self.geometry.over(len(bottom) - axis - 1)[0])
            seen, made = (bottom, self.num_output) if self.turned else (top, channels)
            madds += seen.count() * made // self.groups(channels) * taps
            adds += top.count() if self.bias else 0
        return OpCount(madds, adds)

    def window(self, bottoms: Sequence[Shape]) -> Window:
        """Kernel, stride, pad, dilation and group."""
        first = bottoms[0]
        axis = self.axis(first, self.axis_given)
        group = self.groups(first[axis])
        return Window(
            *self.geometry.over(len(first) - axis - 1), group, is_depthwise(group, first[axis])
        )

    def scratch_elements(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> int:
        """The column matrix of one image; none where the input is that matrix already."""
        axis = self.axis(bottoms[0], self.axis_given)
        spatial = len(bottoms[0]) - axis - 1
        kernel, stride, pad, _ = self.geometry.over(spatial)
        if set(kernel) | set(stride) <= {1} and not any(pad):
            return 0
        column, other = (tops[0], bottoms[0]) if self.turned else (bottoms[0], tops[0])
        return column[axis] * prod(kernel) * other.count(axis + 1)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """im2col and one GEMM a group; no im2col for 1×1; depthwise by taps, without a GEMM."""
        return [self._one(bottom, blobs, run) for bottom in bottoms]

    def _one(self, bottom: Array, blobs: Sequence[Array], run: Run) -> Array:
        axis = self.axis_given % bottom.ndim
        x = bottom.reshape(-1, *bottom.shape[axis:])
        y = self._convolve(x, blobs[0], run)
        if self.bias:
            y += blobs[1].reshape(-1, *(1,) * (y.ndim - 2))
        return y.reshape(*bottom.shape[:axis], *y.shape[1:])

    def _convolve(self, x: Array, weight: Array, run: Run) -> Array:
        images, channels = x.shape[:2]
        group = channels // weight.shape[1]
        kernel, stride, pad, dilation = self.geometry.over(x.ndim - 2)
        made = weight.shape[0]
        plain = set(kernel) | set(stride) <= {1} and not any(pad)
        if plain:
            columns = x.reshape(images, group, channels // group, -1)
            outputs: Sequence[int] = x.shape[2:]
        else:
            view = windows(x, kernel, stride, pad, dilation)
            outputs = view.shape[2 + len(kernel) :]
            if weight.shape[1] == 1 and group == made > 1:
                run.performed(view.size)
                short = [max(0, d * (k - 1) + 1 - e - 2 * p) for k, d, e, p in zip(
                    kernel, dilation, x.shape[2:], pad, strict=True)]
                return depthwise(padded(x, pad, behind=short), weight[:, 0], view, stride, dilation)
            columns = view.reshape(images, group, channels // group * prod(kernel), -1)
        matrix = weight.reshape(group, made // group, -1)
        return run.gemm(matrix, columns).reshape(images, made, *outputs)


class Deconvolution(Convolution):
    """The transpose of a convolution: it scatters where that gathers.

    N×C×*S -> N×C'×*O, O = stride·(S−1) + dilation·(K−1) + 1 − 2·pad; weights C×C'/g×*K, bias C'.
    Source: deconv_layer.cpp.
    """

    type = "Deconvolution"
    turned = True

    def _convolve(self, x: Array, weight: Array, run: Run) -> Array:
        images, channels = x.shape[:2]
        made_each = weight.shape[1]
        kernel, stride, pad, dilation = self.geometry.over(x.ndim - 2)
        group = self.groups(channels)
        matrix = weight.reshape(group, channels // group, -1).transpose(0, 2, 1)
        columns = run.gemm(matrix, x.reshape(images, group, channels // group, -1))
        shape = (images, group * made_each, *weight.shape[2:], *x.shape[2:])
        return scattered(columns.reshape(shape), kernel, stride, pad, dilation)


class DepthwiseConvolution(Convolution):
    """A fork's faster kernel for a Convolution whose `group` is its channels; otherwise the same.

    Source: depthwise_conv_layer.hpp of several forks, which inherits Caffe's set-up unchanged.
    """

    type = "DepthwiseConvolution"
    source = "MobileNet forks"


class ConvolutionDepthwise(Convolution):
    """A fork's depthwise convolution: one filter a channel, whatever `group` says.

    N×C×H×W -> N×C×H'×W'; weights C×1×*K, bias C.  num_output must be C.
    """

    type = "ConvolutionDepthwise"
    source = "ConvolutionDepthwise fork"
    bottoms = Arity(1, 1)
    tops = Arity(1, 1)

    def groups(self, channels: int) -> int:
        """One a channel."""
        return channels

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """As a convolution with one group a channel."""
        axis = self.axis(bottoms[0], self.axis_given, f"{CONVOLUTION}.axis")
        if bottoms[0][axis] != self.num_output:
            self.refuse(
                f"num_output {self.num_output} must be the {bottoms[0][axis]} input channels",
                f"{CONVOLUTION}.num_output",
            )
        return super().infer(bottoms)


class Im2col(Moving):
    """The column matrix of a convolution as a blob.  N×C×*S -> N×(C·K)×*O; only moves values.

    Source: im2col_layer.cpp.
    """

    type = "Im2col"

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
        kernel, stride, pad, dilation = self.geometry.over(len(spatial))
        extents = [convolved(*one) for one in zip(spatial, kernel, stride, pad, dilation, strict=True)]
        if min(extents, default=0) < 0:
            self.refuse(f"its window {kernel} does not fit into {bottom}", f"{CONVOLUTION}.kernel_size")
        return [Shape((*bottom[:axis], bottom[axis] * prod(kernel), *extents))]

    def window(self, bottoms: Sequence[Shape]) -> Window:
        """Kernel, stride, pad and dilation."""
        axis = self.axis(bottoms[0], self.axis_given)
        return Window(*self.geometry.over(len(bottoms[0]) - axis - 1))

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """All windows, one below the other."""
        (bottom,) = bottoms
        axis = self.axis_given % bottom.ndim
        x = bottom.reshape(-1, *bottom.shape[axis:])
        view = windows(x, *self.geometry.over(x.ndim - 2))
        spatial = x.ndim - 2
        rows = x.shape[1] * prod(view.shape[2 : 2 + spatial])
        return [view.reshape(*bottom.shape[:axis], rows, *view.shape[2 + spatial :])]
