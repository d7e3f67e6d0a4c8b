"""SphereFace's classifier: an angle to the own class that counts several times."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import legacy
from netcount.layers.convolution.inner_product import dense_product
from netcount.layers.filler import Filler
from netcount.layers.layer import TWO, Arity, Layer, ParamBlob, Product, Wanted, madds_of
from netcount.layers.loss._loss import indices_of
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

PARAM = "margin_inner_product_param"

DERIVATIVES = {
    "DOUBLE": OpCount(adds=4, muls=11, divs=5, exps=1),
    "TRIPLE": OpCount(adds=5, muls=11, divs=5, exps=1),
    "QUADRUPLE": OpCount(adds=7, muls=13, divs=5, exps=1),
}
"""A row's factors at its label, and what they are scaled to (Backward_cpu)."""


class MarginInnerProduct(Layer):
    """x·w of normalized class vectors; at the label the angle counts m times, in either phase.

    (N×…, N labels) -> N×C' and, as top 1, lambda, by which the plain product is mixed in; weights
    C'×K.  Source: margin_inner_product_layer.cpp of SphereFace's Caffe; Liu et al. 2017, arXiv
    1704.08063.
    """

    type = "MarginInnerProduct"
    source = "SphereFace"
    bottoms = TWO
    tops: ClassVar[Arity] = Arity(1, 2)
    num_output: int
    axis_given: int
    margin: str
    weight_filler: Filler
    base: float
    gamma: float
    power: float
    passes: int
    least: float

    def read(self, message: Message) -> None:
        """num_output, axis, the margin and what lambda is in the first pass."""
        param = message.child(PARAM)
        self.num_output = param.integer("num_output")
        self.axis_given = param.integer("axis")
        self.margin = param.text("type")
        self.weight_filler = Filler(param, "weight_filler")
        if not 0 < self.num_output < 2**31:
            self.refuse("num_output must be positive", f"{PARAM}.num_output")
        self.base, self.gamma, self.power = (param.number(name) for name in ("base", "gamma", "power"))
        self.passes, self.least = param.integer("iteration") + 1, param.number("lambda_min")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×C', and lambda as one number."""
        data, label = bottoms
        if legacy(self, data, 0)[0] != legacy(self, label, 1)[0]:
            self.refuse(f"{self.named(0)} {data} and {self.named(1)} {label} differ in axis 0", "bottom", 1)
        axis = self.axis(data, self.axis_given, f"{PARAM}.axis")
        return [Shape((*data[:axis], self.num_output)), Shape((1,))][: self.top_count]

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """Weights C'×K."""
        data = bottoms[0]
        inputs = data.count(self.axis(data, self.axis_given))
        return [ParamBlob(Shape((self.num_output, inputs)), "weight", self.weight_filler)]

    def indices(self, bottoms: Sequence[Shape]) -> dict[int, int]:
        """The labels: classes."""
        return {1: self.num_output}

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """M·K·C' madds; the normalization of the weights; the norm of each row, and its margin (at
        most 11 operations); the mixture of the products."""
        products = self.products(bottoms, tops)
        weights, outputs = products[0].elements, tops[0].count()
        rows = outputs // self.num_output
        ops = OpCount(madds_of(products), adds=weights, muls=weights, divs=weights, exps=self.num_output)
        if self.margin == "SINGLE":
            return ops
        values = bottoms[0].count()
        return ops + OpCount(
            adds=values + 4 * rows + outputs, muls=values + 7 * rows + outputs, divs=outputs + rows, exps=rows
        )

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """A GEMM of forward's size for the weights and one for the bottom.  With a margin the bottom's is a second
        one, by rows with a factor each (an add, a mul and a div), and at the label by two: of the weights and of
        the bottom, whose factors are the margin's derivatives (at most 26 operations)."""
        madds, outputs = madds_of(self.products(bottoms, tops)), tops[0].count()
        rows, values = outputs // self.num_output, bottoms[0].count()
        if self.margin == "SINGLE" or not wanted.bottoms[0]:
            return OpCount(madds * (wanted.params[0] + wanted.bottoms[0]))
        label = DERIVATIVES[self.margin]
        others = outputs - rows
        at_label = OpCount(*[rows * number for number in label])
        return at_label + OpCount(
            madds * (wanted.params[0] + 2),
            adds=values + others + 1,
            muls=2 * values + others,
            divs=others + 1,
        )

    def products(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> list[Product]:
        """The matrix, once for each of the M rows."""
        return [dense_product(bottoms[0], self.axis(bottoms[0], self.axis_given), self.num_output)]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The product once; the column of each label by its angle."""
        x, label = bottoms
        weight = blobs[0] / np.sqrt((blobs[0] ** 2).sum(axis=1, keepdims=True))
        before = x.shape[: self.axis_given % x.ndim]
        x = x.reshape(prod(before), weight.shape[1])
        y = run.gemm(x, weight.T)
        mixed = max(self.base * (1 + self.gamma * self.passes) ** -self.power, self.least)
        if self.margin != "SINGLE":
            places = np.arange(len(x)), indices_of(self, label.reshape(-1)[: len(x)], len(weight))
            norm = np.sqrt((x**2).sum(axis=1))
            margined = y.copy()
            margined[places] = norm * _at_margin(self.margin, y[places] / norm)
            y = (margined + np.float32(mixed) * y) / np.float32(1 + mixed)
        told = np.array([mixed], dtype=np.float32)
        return [y.reshape(*before, weight.shape[0]), told][: self.top_count]


def _at_margin(margin: str, cosine: Array) -> Array:
    """cos(m·angle), continued so that it falls over the whole half circle; m is 2, 3 or 4."""
    sign = np.sign(cosine)
    values: Array
    if margin == "DOUBLE":
        values = 2 * sign * cosine**2 - 1
    elif margin == "TRIPLE":
        outside = np.sign(np.abs(cosine) - np.float32(0.5))
        values = outside * (4 * cosine**3 - 3 * cosine) + sign * (1 + outside) - 2
    else:
        side = sign * np.sign(2 * cosine**2 - 1)
        values = side * (8 * cosine**4 - 8 * cosine**2 + 1) + 2 * sign + side - 3
    return values
