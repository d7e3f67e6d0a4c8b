from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import touch
from netcount.layers.filler import Filler
from netcount.layers.layer import Arity, Layer, ParamBlob, Product, Wanted, madds_of
from netcount.layers.sight import Sight, same, whole
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class InnerProduct(Layer):
    """A fully connected layer.  M×K (the axes before and from `axis`) -> M×C'; weights C'×K, bias C'.

    In caffe-windows a second bottom C'×K takes the weights' place, and a third C' the bias's; with
    normalize each of the layer's own filters is scaled to the length 1.
    Source: inner_product_layer.cpp, of caffe-windows too.
    """

    type = "InnerProduct"
    bottoms: ClassVar[Arity] = Arity(1, 3)
    num_output: int
    axis_given: int
    bias: bool
    transposed: bool
    given: bool
    normalized: bool
    weight_filler: Filler
    bias_filler: Filler | None

    def read(self, message: Message) -> None:
        """num_output, axis, bias, and whether the weights are stored K×C'."""
        param = message.child("inner_product_param")
        self.num_output = param.integer("num_output")
        self.axis_given = param.integer("axis")
        self.bias = param.flag("bias_term")
        self.transposed = param.flag("transpose")
        self.given = len(message.texts("bottom")) > 1
        self.normalized = param.flag("normalize") and not self.given
        self.weight_filler = Filler(param, "weight_filler")
        self.bias_filler = Filler(param, "bias_filler") if self.bias else None
        if not self.given and not 0 < self.num_output < 2**31:
            self.refuse("num_output must be positive", "inner_product_param.num_output")

    def outputs(self, bottoms: Sequence[Shape]) -> int:
        """C': num_output, or as many as the weights that are given have rows."""
        return bottoms[1][0] if self.given else self.num_output

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The axes before `axis`, then C'."""
        bottom, *given = bottoms
        axis = self.axis(bottom, self.axis_given, "inner_product_param.axis")
        if self.bias:
            touch(self, bottom.count(0, axis), "the ones that spread the bias")
        for index, (shape, values) in enumerate(zip(given, (bottom.count(axis), 1), strict=False), 1):
            rows = self.outputs(bottoms) if given[0] else 0
            if not rows or shape.count() != rows * values:
                self.refuse(
                    f"{self.named(index)} {shape} must hold {values} values for each output", "bottom", index
                )
        return [Shape((*bottom[:axis], self.outputs(bottoms)))]

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """Weights C'×K (K×C' with transpose) and bias C', unless a bottom gives them."""
        inputs, outputs = bottoms[0].count(self.axis(bottoms[0], self.axis_given)), self.outputs(bottoms)
        extents = (inputs, outputs) if self.transposed else (outputs, inputs)
        blobs = [] if self.given else [ParamBlob(Shape(extents), "weight", self.weight_filler)]
        if self.bias and len(bottoms) < 3:
            blobs.append(ParamBlob(Shape((outputs,)), "bias", self.bias_filler))
        return blobs

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """M·K·C' madds; an add for each bias.  With normalize a square, an add and a mul a weight,
        and for each output an add, a root and a div."""
        madds, biases = madds_of(self.products(bottoms, tops)), tops[0].count() if self.bias else 0
        if not self.normalized:
            return OpCount(madds, biases)
        outputs = self.num_output
        weights = outputs * bottoms[0].count(self.axis(bottoms[0], self.axis_given))
        return OpCount(madds, biases + weights + outputs, muls=2 * weights, divs=outputs, exps=outputs)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """A GEMM of forward's size for the weights and one for the bottom; an add an output for the bias."""
        if self.normalized or len(bottoms) > 1:
            return None
        madds = madds_of(self.products(bottoms, tops))
        bias = tops[0].count() if self.bias and wanted.params[1] else 0
        return OpCount(madds * (wanted.params[0] + wanted.bottoms[0]), bias)

    def products(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> list[Product]:
        """The matrix, once for each of the M rows."""
        return [dense_product(bottoms[0], self.axis(bottoms[0], self.axis_given), self.outputs(bottoms))]

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """All axes from `axis` on, of one row."""
        axis = bottoms[0].axis(self.axis_given)
        return [*map(same, range(axis)), *map(whole, bottoms[0][axis:])]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """One GEMM."""
        x, *given = bottoms
        matrix, *bias = [given[0].reshape(len(given[0]), -1), *given[1:], *blobs] if given else blobs
        weight = matrix if self.transposed and not given else matrix.T
        before = x.shape[: self.axis_given % x.ndim]
        if self.normalized:
            weight = weight / np.sqrt(np.square(weight).sum(axis=0) + np.float32(1e-6))
        y = run.gemm(x.reshape(prod(before), weight.shape[0]), weight)
        if self.bias:
            y += bias[0].reshape(-1)
        return [y.reshape(*before, weight.shape[1])]


def dense_product(bottom: Shape, axis: int, outputs: int) -> Product:
    """The K×C' matrix between the axes of `bottom` from `axis` on and the outputs."""
    return Product((("K", bottom.count(axis)), ("C'", outputs)), (("M", bottom.count(0, axis)),))
