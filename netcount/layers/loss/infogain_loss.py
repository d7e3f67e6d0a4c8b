"""The loss that weighs some confusions of classes more than others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.activation.softmax import softmax, softmax_ops
from netcount.layers.bases import touch
from netcount.layers.layer import Arity, Wanted
from netcount.layers.loss._loss import LOG_THRESHOLD, Loss, by_position, check_labels, indices_of, number
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class InfogainLoss(Loss):
    """Softmax loss weighted by a matrix of classes.  (N×C×*S, N×*S[, C×C]) -> number[, N×C×*S].

    Source: infogain_loss_layer.cpp.
    """

    type = "InfogainLoss"
    bottoms: ClassVar[Arity] = Arity(2, 3)
    tops: ClassVar[Arity] = Arity(1, 2)
    axis_given: int

    def read(self, message: Message) -> None:
        """The axis of the classes; the matrix is bottom 2 or a file."""
        super().read(message)
        param = message.child("infogain_loss_param")
        self.axis_given = param.integer("axis")
        if message.child("loss_param").has("normalize"):
            self.refuse("normalize is too old for it; use normalization", "loss_param.normalize")
        if len(message.texts("bottom")) < 3 and not param.has("source"):
            self.refuse("needs its matrix as a third bottom or as a source file", "infogain_loss_param")

    def check(self, bottoms: Sequence[Shape]) -> None:
        """A label for each position, and a square matrix."""
        data, label, *matrix = bottoms
        axis = self.axis(data, self.axis_given, "infogain_loss_param.axis")
        check_labels(self, data, label, axis)
        touch(self, data.count(), "the probabilities")
        classes = data[axis]
        if matrix and matrix[0].count() != classes**2:
            self.refuse(f"{self.named(2)} {matrix[0]} must hold {classes}×{classes} values", "bottom", 2)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The loss, and as top 1 the probabilities."""
        loss = super().infer(bottoms)[0]
        return [loss, bottoms[0]][: self.top_count]

    def indices(self, bottoms: Sequence[Shape]) -> dict[int, int]:
        """The labels: classes along the axis."""
        return {1: bottoms[0][bottoms[0].axis(self.axis_given)]}

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The softmax; a compare, a log, a mul and an add an element; a div."""
        elements = bottoms[0].count()
        return softmax_ops(elements) + OpCount(
            adds=elements, muls=elements, compares=elements, exps=elements, divs=1
        )

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """Each probability times the sum of its label's row, less the matrix's value, times a factor."""
        elements = bottoms[0].count() * wanted.bottoms[0]
        return OpCount(adds=elements, muls=2 * elements, divs=int(wanted.bottoms[0]))

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Needs the matrix as a bottom: a file is not read here."""
        x, label, *matrix = bottoms
        if not matrix:
            self.refuse("its matrix lies in a file that is not read; give a third bottom", "bottom")
        probabilities = softmax(x, self.axis_given)
        rows = by_position(probabilities, self.axis_given)
        classes = rows.shape[1]
        kept = self.kept(label.reshape(-1).astype(np.int64))
        wanted = indices_of(self, label.reshape(-1)[kept], classes)
        weights = matrix[0].reshape(classes, classes)[wanted]
        total = -(weights * np.log(np.maximum(rows[kept], np.float32(LOG_THRESHOLD)))).sum()
        outer = int(np.prod(x.shape[: self.axis_given % x.ndim]))
        divisor = self.divisor(outer, len(rows) // max(1, outer), len(wanted))
        return [number(total / divisor), probabilities][: self.top_count]
