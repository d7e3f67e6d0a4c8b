"""How often a classifier is right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs
from netcount.layers.layer import TWO, Arity
from netcount.layers.loss._loss import by_position, check_labels, indices_of, number
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Accuracy(NoBlobs):
    """The share of labels among the top_k classes.  (N×C×*S, N×*S) -> number[, C].

    Source: accuracy_layer.cpp.
    """

    type = "Accuracy"
    temporaries = 2
    bottoms = TWO
    tops: ClassVar[Arity] = Arity(1, 2)
    top_k: int
    axis_given: int
    ignored: int | None

    def read(self, message: Message) -> None:
        """top_k, the axis of the classes, and which label is ignored."""
        param = message.child("accuracy_param")
        self.top_k, self.axis_given = param.integer("top_k"), param.integer("axis")
        self.ignored = param.integer("ignore_label") if param.has("ignore_label") else None

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """One number, and one per class."""
        data, label = bottoms
        if not label.count():
            self.refuse(f"{self.named(1)} {label} holds no label", "bottom", 1)
        if self.top_k > data.count() // label.count():
            self.refuse(
                f"top_k {self.top_k} is more than the {data.count() // label.count()} classes that "
                f"{self.named(0)} {data} has for each label of {self.named(1)} {label}",
                "accuracy_param.top_k",
            )
        axis = self.axis(data, self.axis_given, "accuracy_param.axis")
        check_labels(self, data, label, axis)
        return [Shape(), Shape((data[axis],))][: self.top_count]

    def indices(self, bottoms: Sequence[Shape]) -> dict[int, int]:
        """The labels: classes along the axis."""
        return {1: bottoms[0][bottoms[0].axis(self.axis_given)]}

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The bound without an early end: a compare and an add a value, a compare and two adds a
        label; a div a result."""
        values, labels = bottoms[0].count(), bottoms[1].count()
        return OpCount(
            adds=values + 2 * labels,
            divs=sum(top.count() for top in tops),
            compares=values + labels,
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Right when fewer than top_k other classes are at least as good."""
        x, label = bottoms
        rows = by_position(x, self.axis_given)
        classes = rows.shape[1]
        if self.ignored is not None:
            counted = label.reshape(-1).astype(np.int64) != self.ignored
            rows, label = rows[counted], label.reshape(-1)[counted]
        wanted = indices_of(self, label, classes)
        own = rows[np.arange(len(rows)), wanted][:, None]
        right = (rows >= own).sum(axis=1) - 1 < self.top_k
        top = number(right.mean() if len(right) else 0.0)
        totals = np.bincount(wanted, minlength=classes)
        hits = np.bincount(wanted[right], minlength=classes)
        each = (hits / np.maximum(totals, 1)).astype(np.float32)
        return [top, each][: self.top_count]
