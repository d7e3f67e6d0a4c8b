from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, legacy, touch
from netcount.layers.layer import Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class SimpleNormalize(NoBlobs):
    """x / ‖x‖ of each image.  N×C×H×W -> N×C×H×W, missing axes are 1.

    Source: simplenormalize_layer.cpp of caffe_train (yuqj1991).
    """

    type = "SimpleNormalize"
    source = "yuqj1991"
    temporaries = 2

    def read(self, message: Message) -> None:
        """No parameters."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottom's four axes; Caffe divides by the number of images."""
        shape = legacy(self, bottoms[0], 0)
        touch(self, shape[0], "axis 0")
        return [Shape(shape)]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An element: a square, an add and a mul; an image: a power of −1/2."""
        elements = bottoms[0].count()
        return OpCount(adds=elements, muls=2 * elements, exps=tops[0][0])

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """Two dot products an image, two scalings by them and a difference: four muls and three adds each, and a
        power of −1/2 an image."""
        elements = tops[0].count()  # it computes the gradient in any case
        return OpCount(adds=3 * elements, muls=4 * elements, exps=tops[0][0])

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """An image of zeros has no direction: NaN, as in Caffe."""
        x = bottoms[0].reshape((*bottoms[0].shape, 1, 1, 1, 1)[:4])
        with np.errstate(divide="ignore", invalid="ignore"):
            scaled: Array = x * np.square(x).sum(axis=(1, 2, 3), keepdims=True) ** np.float32(-0.5)
        return [scaled]
