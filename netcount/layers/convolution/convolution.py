from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, ClassVar

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.scratch import workspace
from netcount.layers.filler import Filler
from netcount.layers.layer import (
    Arity,
    Factors,
    Layer,
    ParamBlob,
    Product,
    Wanted,
    Window,
    WorkingMemory,
    madds_of,
)
from netcount.layers.sight import Sight, same, whole, windowed
from netcount.layers.window import CONVOLUTION, WindowParam, is_depthwise, spatial_factors
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Convolution(Layer):
    """A filter over each window.  N×C×*S -> N×C'×*O; weights C'×C/g×*K, bias C'.

    Several bottoms of one shape share the weights.  N stands for all axes before `axis`, S for any
    number of spatial ones.  Source: base_conv_layer.cpp, conv_layer.cpp.
    """

    type = "Convolution"
    bottoms: ClassVar[Arity] = Arity(1, None)
    tops: ClassVar[Arity] = Arity(1, None)
    equal_bottoms_tops = True
    makes_diffs = True
    param: ClassVar[str] = CONVOLUTION
    """The message that holds its parameters."""

    axis_given: int
    num_output: int
    group: int
    bias: bool
    geometry: WindowParam
    weight_filler: Filler
    bias_filler: Filler | None

    def read(self, message: Message) -> None:
        """num_output, group, bias and the window."""
        param = message.child(self.param)
        self.axis_given = param.integer("axis")
        self.num_output = param.integer("num_output")
        self.group = param.integer("group")
        self.bias = param.flag("bias_term")
        self.geometry = WindowParam(self, param, self.param)
        self.weight_filler = Filler(param, "weight_filler")
        self.bias_filler = Filler(param, "bias_filler") if self.bias else None
        self.check_numbers()

    def check_numbers(self) -> None:
        """Refuse a num_output or a group that is not positive."""
        for field, number in (("num_output", self.num_output), ("group", self.group)):
            if not 0 < number < 2**31:
                self.refuse(f"{field} {number} must be positive", f"{self.param}.{field}")

    def numbers(self, channels: int) -> tuple[int, int]:
        """Output channels and groups, for that many input channels."""
        return self.num_output, self.group

    def extents(self, spatial: Sequence[int]) -> tuple[int, ...]:
        """The output's spatial extents."""
        return self.geometry.convolved(spatial)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×C'×*O for each bottom."""
        first = bottoms[0]
        axis = self.axis(first, self.axis_given, f"{self.param}.axis")
        made, group = self.numbers(first[axis])
        for what, number in (("input channels", first[axis]), ("num_output", made)):
            if not group or number % group:  # a depthwise type has as many groups as channels
                self.refuse(f"{number} {what} cannot be divided by group {group}", f"{self.param}.group")
        for index, other in enumerate(bottoms):
            if other != first:
                self.refuse(
                    f"all bottoms must have one shape: {self.named(0)} is {first}, {self.named(index)} is {other}",
                    "bottom",
                    index,
                )
        extents = self.extents(first[axis + 1 :])
        if self.bias and 0 in extents:  # Caffe's vector of ones for the bias would be empty
            self.refuse(
                f"its output would be {Shape((*first[:axis], made, *extents))}, without elements for "
                f"the bias; check kernel_size and pad against {first}",
                f"{self.param}.{self.geometry.fields['kernel']}",
            )
        return [Shape((*first[:axis], made, *extents))] * len(bottoms)

    def weight(self, made: int, channels: int, group: int) -> tuple[int, int]:
        """The weights' first two axes."""
        return made, channels // group

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """Weights C'×C/g×*K (a deconvolution's C×C'/g×*K) and bias C'."""
        first = bottoms[0]
        axis = first.axis(self.axis_given)
        made, group = self.numbers(first[axis])
        kernel = self.geometry.over(len(first) - axis - 1)[0]
        shape = Shape((*self.weight(made, first[axis], group), *kernel))
        params = [ParamBlob(shape, "weight", self.weight_filler)]
        if self.bias:
            params.append(ParamBlob(Shape((made,)), "bias", self.bias_filler))
        return params

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A madd for each product of the GEMMs, padding included; an add for each bias."""
        madds = madds_of(self.products(bottoms, tops))
        return OpCount(madds, tops[0].count() * len(tops) if self.bias else 0)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """A GEMM of forward's size for the weights (weight_cpu_gemm) and one for the bottoms (backward_cpu_gemm),
        behind which col2im adds up the columns; an add an output for the bias."""
        each, down = madds_of(self.products(bottoms, tops)) // len(bottoms), sum(wanted.bottoms)
        images = bottoms[0].count(0, bottoms[0].axis(self.axis_given))
        columns = images * self.added_columns(bottoms, tops) if down else 0
        bias = tops[0].count() * len(tops) if self.bias and wanted.params[1] else 0
        return OpCount(each * (len(bottoms) * wanted.params[0] + down), bias + down * columns)

    def products(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> list[Product]:
        """The filter's elements, at every position: once per output position of each image."""
        bottom, top = bottoms[0], tops[0]
        axis = bottom.axis(self.axis_given)
        _, group = self.numbers(bottom[axis])
        kernel = self.geometry.over(len(bottom) - axis - 1)[0]
        weights = (*spatial_factors("k", kernel), *self.channel_factors(bottom[axis], top[axis], group))
        images = ("N", top.count(0, axis) * len(bottoms))
        return [Product(weights, (images, *self.positions(bottom[axis + 1 :], top[axis + 1 :])))]

    def channel_factors(self, channels: int, made: int, group: int) -> Factors:
        """Input channels per group, and output channels."""
        return ("C" if group == 1 else "C/g", channels // group), ("C'", made)

    def positions(self, given: Sequence[int], made: Sequence[int]) -> Factors:
        """The extents over which the filter goes: the output's."""
        return spatial_factors("", made, "'")

    def window(self, bottoms: Sequence[Shape]) -> Window:
        """Kernel, stride, pad, dilation and group."""
        first = bottoms[0]
        axis = first.axis(self.axis_given)
        _, group = self.numbers(first[axis])
        known = self.geometry.over(len(first) - axis - 1)
        return Window(*known, group, is_depthwise(group, first[axis]))

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """The window's elements, of all channels."""
        axis = bottoms[0].axis(self.axis_given)
        spatial = self.geometry.over(len(bottoms[0]) - axis - 1)
        moving = [self.sight(axis + 1 + number, *one) for number, one in enumerate(zip(*spatial, strict=True))]
        return [*map(same, range(axis)), whole(bottoms[0][axis]), *moving]

    def sight(self, axis: int, kernel: int, stride: int, pad: int, dilation: int) -> Sight:
        """What a position sees along one spatial axis."""
        return windowed(axis, kernel, stride, pad, dilation)

    def column_matrix(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> int:
        """Elements of the column matrix of one image; none where the input is that matrix already."""
        axis = bottoms[0].axis(self.axis_given)
        kernel, stride, pad, _ = self.geometry.over(len(bottoms[0]) - axis - 1)
        if {*kernel, *stride} <= {1} and not any(pad):
            return 0
        return self.column_elements(bottoms[0], tops[0], axis, prod(kernel))

    def added_columns(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> int:
        """Elements that col2im adds up for the gradient of one image."""
        return self.column_matrix(bottoms, tops)

    def column_elements(self, bottom: Shape, top: Shape, axis: int, taps: int) -> int:
        """A row for each tap of each input channel, a column for each output position."""
        return bottom[axis] * taps * top.count(axis + 1)

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """The column matrix; `forward` makes it in parts when it is large, and pads the image."""
        columns = self.column_matrix(bottoms, tops)
        if not columns:
            return WorkingMemory()
        image = bottoms[0][bottoms[0].axis(self.axis_given) :]
        made = tops[0][tops[0].axis(self.axis_given) + 1 :]
        window = self.window(bottoms)
        line = columns // max(1, *made[:1])
        return WorkingMemory(columns, workspace(columns, line, image, window.pad, window.depthwise))

    @property
    def applies_passes(self) -> bool:
        """To channels on axis 1."""
        return type(self).convolve is Convolution.convolve and self.axis_given == 1

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """im2col and one GEMM a group; no im2col for 1×1."""
        return [self._one(bottom, blobs, run) for bottom in bottoms]

    def _one(self, bottom: Array, blobs: Sequence[Array], run: Run) -> Array:
        from netcount.kernels.im2col import spread  # this and what it needs: only to execute

        axis = self.axis_given % bottom.ndim
        before = bottom.shape[:axis]
        x = bottom.reshape(prod(before), *bottom.shape[axis:])
        axes, given = x.ndim - 2, self.geometry
        y = self.convolve(
            x,
            blobs[0],
            blobs[1] if self.bias else None,
            spread(given.stride, axes),
            spread(given.pad, axes),
            spread(given.dilation, axes),
            run,
        )
        return y.reshape(*before, *y.shape[1:])

    def convolve(
        self,
        x: Array,
        weight: Array,
        bias: Array | None,
        stride: Sequence[int],
        pad: Sequence[int],
        dilation: Sequence[int],
        run: Run,
    ) -> Array:
        """N×C×*S -> N×C'×*O; how many groups there are shows in the weights."""
        from netcount.kernels.im2col import convolve

        group = x.shape[1] // weight.shape[1]
        return convolve(x, weight, bias, group, stride, pad, dilation, run)
