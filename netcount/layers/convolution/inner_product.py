from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import touch
from netcount.layers.filler import Filler
from netcount.layers.layer import Layer, ParamBlob, Product, madds_of
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class InnerProduct(Layer):
    """A fully connected layer.  M×K (the axes before and from `axis`) -> M×C'; weights C'×K, bias C'.

    Source: inner_product_layer.cpp.
    """

    type = "InnerProduct"

    def read(self, message: Message) -> None:
        """num_output, axis, bias, and whether the weights are stored K×C'."""
        param = message.child("inner_product_param")
        self.num_output = param.integer("num_output")
        self.axis_given = param.integer("axis")
        self.bias = param.flag("bias_term")
        self.transposed = param.flag("transpose")
        self.weight_filler = Filler(param, "weight_filler")
        self.bias_filler = Filler(param, "bias_filler") if self.bias else None
        if not 0 < self.num_output < 2**31:
            self.refuse("num_output must be positive", "inner_product_param.num_output")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The axes before `axis`, then C'."""
        (bottom,) = bottoms
        axis = self.axis(bottom, self.axis_given, "inner_product_param.axis")
        if self.bias:
            touch(self, bottom.count(0, axis), "the ones that spread the bias")
        return [Shape((*bottom[:axis], self.num_output))]

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """Weights C'×K (K×C' with transpose) and bias C'."""
        (bottom,) = bottoms
        inputs = bottom.count(self.axis(bottom, self.axis_given))
        extents = (inputs, self.num_output) if self.transposed else (self.num_output, inputs)
        found = [ParamBlob(Shape(extents), "weight", self.weight_filler)]
        if self.bias:
            found.append(ParamBlob(Shape((self.num_output,)), "bias", self.bias_filler))
        return found

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """M·K·C' madds; an add for each bias."""
        return OpCount(madds_of(self.products(bottoms, tops)), tops[0].count() if self.bias else 0)

    def products(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> list[Product]:
        """The matrix, once for each of the M rows."""
        return [dense_product(bottoms[0], self.axis(bottoms[0], self.axis_given), self.num_output)]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """One GEMM."""
        (x,) = bottoms
        weight = blobs[0] if self.transposed else blobs[0].T
        before = x.shape[: self.axis_given % x.ndim]
        y = run.gemm(x.reshape(prod(before), weight.shape[0]), weight)
        if self.bias:
            y += blobs[1]
        return [y.reshape(*before, weight.shape[1])]


def dense_product(bottom: Shape, axis: int, outputs: int) -> Product:
    """The K×C' matrix between the axes of `bottom` from `axis` on and the outputs."""
    return Product((("K", bottom.count(axis)), ("C'", outputs)), (("M", bottom.count(0, axis)),))
