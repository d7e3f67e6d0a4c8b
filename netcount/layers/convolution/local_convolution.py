from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import child_of
from netcount.layers.filler import Filler
from netcount.layers.layer import Layer, ParamBlob, Product, Wanted, Window, WorkingMemory, madds_of
from netcount.layers.window import convolved, spatial_factors, spatial_text
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

PARAMS = ("local_param", "local_conv_param", "local_convolution_param")


class LocalConvolution(Layer):
    """A convolution whose weights are not shared: each position of the output has filters of its own.

    N×C×H×W -> N×C'×H'×W'; weights C'×1×(C·kh·kw)×(H'·W'), bias 1×1×C'×(H'·W').  Sources: local_layer.cpp of
    happynear/caffe-windows, which RiweiChen/DeepFace uses as LOCAL, and local_conv_layer.cpp of several
    forks (Taigman et al. 2014).
    """

    type = "LocalConvolution"
    names: ClassVar[tuple[str, ...]] = ("Local",)
    source = "happynear, DeepFace"
    param: str
    num_output: int
    bias: bool
    kernel: tuple[int, int]
    stride: tuple[int, int]
    pad: tuple[int, int]
    weight_filler: Filler
    bias_filler: Filler

    def read(self, message: Message) -> None:
        """num_output, bias and the window; group is not used."""
        self.param = next((name for name in PARAMS if message.has(name)), PARAMS[0])
        param = child_of(message, *PARAMS)
        self.num_output, self.bias = param.integer("num_output"), param.flag("bias_term")
        self.kernel = self._pair(param, "kernel_size", "kernel", 0)
        self.stride, self.pad = self._pair(param, "stride", "stride", 1), self._pair(param, "pad", "pad", 0)
        self.weight_filler, self.bias_filler = Filler(param, "weight_filler"), Filler(param, "bias_filler")
        for name, number in (("num_output", self.num_output), ("kernel_size", min(self.kernel))):
            if number < 1:
                self.refuse(f"{name} must be positive", f"{self.param}.{name}")
        if min(self.stride) < 1:
            self.refuse("stride must be positive", f"{self.param}.stride")

    def _pair(self, param: Message, many: str, sides: str, default: int) -> tuple[int, int]:
        """For height and width: one number, one each, or the pair with _h and _w."""
        high, wide = f"{sides}_h", f"{sides}_w"
        if high in param.values or wide in param.values:
            return param.integer(high), param.integer(wide)
        value = param.values.get(many, default)
        each = [value] if isinstance(value, int) else value
        if len(each) > 2:
            self.refuse(f"{many} is given {len(each)} times for 2 spatial axes", f"{self.param}.{many}")
        return each[0], each[-1]

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×C'×H'×W'."""
        (bottom,) = bottoms
        if len(bottom) != 4:
            self.refuse(f"needs 4 axes N×C×H×W, not {bottom}", "bottom")
        made = self._extents(bottom)
        if min(made) < 1:
            self.refuse(
                f"kernel {spatial_text(self.kernel)} with stride {spatial_text(self.stride)} and pad "
                f"{spatial_text(self.pad)} makes {spatial_text(made)} of {spatial_text(bottom[2:])}",
                f"{self.param}.kernel_size",
            )
        return [Shape((bottom[0], self.num_output, *made))]

    def _extents(self, bottom: Shape) -> list[int]:
        axes = zip(bottom[2:], self.kernel, self.stride, self.pad, strict=True)
        return [convolved(e, k, s, p, 1) for e, k, s, p in axes]

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """A filter and a bias for each position and output channel."""
        positions = prod(self._extents(bottoms[0]))
        taps = bottoms[0][1] * prod(self.kernel)
        blobs = [ParamBlob(Shape((self.num_output, 1, taps, positions)), "weight", self.weight_filler)]
        if self.bias:
            blobs.append(ParamBlob(Shape((1, 1, self.num_output, positions)), "bias", self.bias_filler))
        return blobs

    def products(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> list[Product]:
        """Every element of the filters once per image."""
        weights = (*spatial_factors("k", self.kernel), ("C", bottoms[0][1]), ("C'", self.num_output))
        return [Product((*weights, *spatial_factors("", tops[0][2:], "'")), (("N", bottoms[0][0]),))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The products; an add for each bias."""
        return OpCount(madds_of(self.products(bottoms, tops)), adds=tops[0].count() if self.bias else 0)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """Of the weights and the bias in any case, of the bottom with the columns added up."""
        down = int(wanted.bottoms[0])
        columns = bottoms[0].count(0, 2) * prod(self.kernel) * tops[0].count(2) * down
        return OpCount((1 + down) * madds_of(self.products(bottoms, tops)), columns + tops[0].count() * self.bias)

    def window(self, bottoms: Sequence[Shape]) -> Window:
        """Kernel, stride and pad."""
        return Window(self.kernel, self.stride, self.pad, (1, 1))

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """The column matrix of one image; `forward` makes those of all images, of images with padding, and has
        the products without the bias beside the top."""
        n, channels, *spatial = bottoms[0]
        columns = channels * prod(self.kernel) * tops[0].count(2)
        padded = [max(e + 2 * p, k) for e, k, p in zip(spatial, self.kernel, self.pad, strict=True)]
        images = n * channels * prod(padded) if padded != spatial else 0
        copied = 0 if {*self.kernel, *self.stride} == {1} and not images else n * columns
        return WorkingMemory(columns, images + copied + tops[0].count() * self.bias)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Columns of all windows, each with the filters of its position."""
        from netcount.kernels.im2col import windows

        (x,) = bottoms
        weight = blobs[0].reshape(len(blobs[0]), *blobs[0].shape[-2:])
        view = windows(x, self.kernel, self.stride, self.pad, (1, 1))
        columns = view.reshape(len(x), weight.shape[1], weight.shape[2])
        y = np.einsum("nkp,ckp->ncp", columns, weight)
        run.performed(int(y.size) * weight.shape[1])
        if self.bias:
            y = y + blobs[1].reshape(y.shape[1:])
        return [y.reshape(*y.shape[:2], *view.shape[4:])]
