from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import legacy, rows
from netcount.layers.layer import THREE, Wanted
from netcount.layers.loss._loss import Loss, mean
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class ContrastiveLoss(Loss):
    """Pulls like pairs together, pushes others a margin apart.  (N×C, N×C, N) -> number.

    Source: contrastive_loss_layer.cpp.
    """

    type = "ContrastiveLoss"
    bottoms = THREE
    never_backward: ClassVar[frozenset[int]] = frozenset({2})
    margin: float
    legacy: bool

    def read(self, message: Message) -> None:
        """Margin and form."""
        super().read(message)
        param = message.child("contrastive_loss_param")
        self.margin, self.legacy = param.number("margin"), param.flag("legacy_version")

    def check(self, bottoms: Sequence[Shape]) -> None:
        """Vectors of one length, and one label per pair."""
        a, b, label = (legacy(self, shape, index) for index, shape in enumerate(bottoms))
        if a[1] != b[1] or a[2:] != (1, 1) or b[2:] != (1, 1):
            self.refuse(f"needs two N×C of one length, not {bottoms[0]} and {bottoms[1]}", "bottom")
        if label[1:] != (1, 1, 1):
            self.refuse(f"{self.named(2)} {bottoms[2]} must hold one label per pair", "bottom", 2)

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A difference, a square and an add an element; two divs.  A pair, the bound: an add, and
        margin, max, root and square of the unlike."""
        elements, pairs = bottoms[0].count(), bottoms[0][0]
        roots = 0 if self.legacy else pairs
        return OpCount(
            adds=2 * elements + 2 * pairs,
            muls=elements + roots,
            divs=2,
            compares=2 * pairs,
            exps=roots,
        )

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """For each bottom a factor and a mul an element.  A pair, the bound, as if all were unlike and too near:
        two compares, a difference, and, but for the legacy form, a root, an add, a mul and a div."""
        elements, pairs, number = bottoms[0].count(), bottoms[0][0], sum(wanted.bottoms[:2])
        roots = 0 if self.legacy else pairs
        each = OpCount(adds=pairs + roots, muls=elements + roots, divs=1 + roots, compares=2 * pairs, exps=roots)
        return OpCount(*[number * operations for operations in each])

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Squared distances, and what is missing to the margin."""
        a, b, label = bottoms
        pairs = len(a)
        if label.size < pairs:
            self.refuse(f"{label.size} labels for {pairs} pairs", "bottom", 2)
        squared = np.square(rows(a - b.reshape(a.shape), 1)).sum(axis=1)
        if self.legacy:
            apart = np.maximum(np.float32(self.margin) - squared, 0)
        else:
            apart = np.square(np.maximum(np.float32(self.margin) - np.sqrt(squared), 0))
        like = label.reshape(-1)[:pairs].astype(np.int64) != 0
        return [mean(np.where(like, squared, apart).sum() / 2, pairs)]
