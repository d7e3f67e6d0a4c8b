from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.layer import TWO
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class MaskPooling(NoBlobs):
    """Features times a mask, the same in every channel.  (R×C×H×W, R×1×H×W) -> R×C×H×W.

    Source: mask_pooling_layer.cpp and .cu of MNC's Caffe; Dai et al. 2016, arXiv 1512.04412.
    """

    type = "MaskPooling"
    source = "MNC"
    bottoms = TWO

    def read(self, message: Message) -> None:
        """No parameters."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The features' shape, with four axes."""
        features, mask = (legacy(self, shape, index) for index, shape in enumerate(bottoms))
        if (features[0], *features[2:]) != (mask[0], *mask[2:]):
            self.refuse(
                f"{self.named(0)} {bottoms[0]} and {self.named(1)} {bottoms[1]} differ in boxes, height or width",
                "bottom",
                1,
            )
        return [Shape(features)]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A mul an element."""
        return OpCount(muls=tops[0].count())

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The first channel of the mask."""
        features, mask = (x.reshape((*x.shape, 1, 1, 1, 1)[:4]) for x in bottoms)
        return [features * mask[:, :1]]
