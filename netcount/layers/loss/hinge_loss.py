from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import rows
from netcount.layers.layer import Wanted
from netcount.layers.loss._loss import (
    Loss,
    indices_of,
    mean,
)
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class HingeLoss(Loss):
    """Σ max(0, 1 ± x), or its square, over N.  (N×C, N) -> number.

    Source: hinge_loss_layer.cpp.
    """

    type = "HingeLoss"
    norm: str

    def read(self, message: Message) -> None:
        """The norm."""
        super().read(message)
        self.norm = message.child("hinge_loss_param").text("norm")

    def indices(self, bottoms: Sequence[Shape]) -> dict[int, int]:
        """The labels: classes."""
        return {1: bottoms[0].count(1)}

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Two adds and a compare an element (a square for L2); a sign an image; a div."""
        elements, images = bottoms[0].count(), bottoms[0][0]
        squares = elements if self.norm == "L2" else 0
        return OpCount(adds=2 * elements, muls=squares + images, compares=elements, divs=1)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """The margins times a factor, with L1 their signs; the label's turned round."""
        elements = bottoms[0].count() * wanted.bottoms[0]
        labels = bottoms[0][0] * wanted.bottoms[0] if bottoms[0] else 0
        return OpCount(
            muls=elements + labels, divs=int(wanted.bottoms[0]), compares=0 if self.norm == "L2" else elements
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The labelled class counts downwards."""
        x, label = bottoms
        margins = rows(x, 1).copy()
        wanted = indices_of(self, label.reshape(-1)[: len(x)], margins.shape[1])
        margins[np.arange(len(x)), wanted] *= -1
        margins = np.maximum(0, 1 + margins)
        return [mean((np.square(margins) if self.norm == "L2" else margins).sum(), len(x))]
