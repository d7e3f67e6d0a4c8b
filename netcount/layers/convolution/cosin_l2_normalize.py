from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import legacy
from netcount.layers.convolution.inner_product import dense_product
from netcount.layers.filler import Filler
from netcount.layers.layer import TWO, Layer, ParamBlob, Product, Wanted, WorkingMemory, madds_of
from netcount.layers.loss._loss import indices_of
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

PARAM = "cosin_loss_param"
TINY = 1e-11
"""Added to a square of a norm."""


class CosinL2Normalize(Layer):
    """CosFace's classifier: the cosine to each class, less a margin at the label, scaled.

    (N×K, N labels) -> N×C'; weights C'×K.  Source: cosin_l2_normalize_innerproduct.cpp of caffe_train
    (yuqj1991); Wang et al. 2018, arXiv 1801.09414.
    """

    type = "CosinL2Normalize"
    source = "yuqj1991"
    bottoms = TWO
    num_output: int
    axis_given: int
    margin: float
    scale: float
    filler: Filler

    def read(self, message: Message) -> None:
        """num_output, axis, margin and scale."""
        param = message.child(PARAM)
        self.num_output = param.integer("num_output")
        if not 0 < self.num_output < 2**31:
            self.refuse("num_output must be positive", f"{PARAM}.num_output")
        self.axis_given = param.integer("axis")
        self.margin, self.scale = param.number("margin"), param.number("scale")
        self.filler = Filler(param, "cosin_filler")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×C': a row of axes from `axis` on for each image."""
        data = bottoms[0]
        images = legacy(self, data, 0)[0]
        axis = self.axis(data, self.axis_given, f"{PARAM}.axis")
        if data.count(0, axis) != images:
            self.refuse(f"axis must be 1 for {self.named(0)} {data}", f"{PARAM}.axis")
        if bottoms[1].count() < images:
            self.refuse(f"{self.named(1)} {bottoms[1]} must hold a label for each of {images} images", "bottom", 1)
        return [Shape((images, self.num_output))]

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """Weights C'×K."""
        inputs = bottoms[0].count(self.axis(bottoms[0], self.axis_given))
        return [ParamBlob(Shape((self.num_output, inputs)), "weight", self.filler)]

    def indices(self, bottoms: Sequence[Shape]) -> dict[int, int]:
        """The labels: classes."""
        return {1: self.num_output}

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """M·K·C' madds; a row of the weights and of the images: squares, their sum and a power of
        −1/2, by which it is scaled; the margins and the scale."""
        products = self.products(bottoms, tops)
        values, rows = products[0].elements + bottoms[0].count(), self.num_output + tops[0][0]
        return OpCount(
            madds_of(products),
            adds=values + rows + tops[0][0],
            muls=2 * values + tops[0].count(),
            exps=rows,
        )

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """If the weights learn, then of the bottom too: two GEMMs of forward's size, scaled, and for each value of
        images and weights what SimpleNormalize costs."""
        if not wanted.params[0]:
            return NOTHING
        products = self.products(bottoms, tops)
        values, rows = products[0].elements + bottoms[0].count(), self.num_output + tops[0][0]
        return OpCount(2 * madds_of(products), adds=3 * values, muls=5 * values, exps=rows)

    def products(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> list[Product]:
        """The matrix, once for each image."""
        return [dense_product(bottoms[0], self.axis(bottoms[0], self.axis_given), self.num_output)]

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """Images and weights, normalized; of each image its norm and, in 64 bits, its place and label."""
        (product,) = self.products(bottoms, tops)
        return WorkingMemory(forward=bottoms[0].count() + product.elements + 8 * tops[0][0])

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Both sides normalized before the product; in either phase."""
        x, label = bottoms
        weight = blobs[0]
        x = x.reshape(len(x), weight.shape[1])
        x, weight = (
            rows / np.sqrt(np.square(rows).sum(axis=1, keepdims=True) + np.float32(TINY)) for rows in (x, weight)
        )
        y = run.gemm(x, weight.T)
        places = np.arange(len(x)), indices_of(self, label.reshape(-1)[: len(x)], len(weight))
        y[places] += np.float32(self.margin)
        y *= np.float32(self.scale)
        return [y]
