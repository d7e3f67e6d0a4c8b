"""Caffe's losses and its accuracy: predictions and labels -> one number without axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import NoBlobs
from netcount.layers.layer import THREE, TWO, Arity
from netcount.layers.softmax import softmax, softmax_ops
from netcount.lazy import np
from netcount.opcount import OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run

SMALLEST = 1.1754943508222875e-38
"""FLT_MIN, below which SoftmaxWithLoss takes no logarithm."""
LOG_THRESHOLD = 1e-20
"""kLOG_THRESHOLD (loss_layer.hpp)."""


class Loss(NoBlobs):
    """A loss: bottoms agree in axis 0, the top has no axes.  Source: loss_layer.cpp."""

    bottoms = TWO
    tops = Arity(1, 1)
    auto_tops = 1

    def read(self, message: Message) -> None:
        """Which labels are ignored, and what the sum is divided by."""
        param = message.child("loss_param")
        self.ignored = param.integer("ignore_label") if param.has("ignore_label") else None
        self.normalization = self._normalization(param, "VALID")

    def _normalization(self, param: Message, default: str) -> str:
        if not param.has("normalization") and param.has("normalize"):
            return "VALID" if param.flag("normalize") else "BATCH_SIZE"
        return param.text("normalization") if param.has("normalization") else default

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """One number, after the check of axis 0."""
        data, label = bottoms[:2]
        if not data or not label or data[0] != label[0]:
            self.refuse(
                f"data and label must agree in axis 0: {self.named(0)} is {data}, {self.named(1)} is {label}",
                "bottom",
                1,
            )
        self.check(bottoms)
        return [Shape()] * self.top_count

    def check(self, bottoms: Sequence[Shape]) -> None:
        """What the loss asks of its bottoms besides."""

    def divisor(self, outer: int, inner: int, valid: int) -> float:
        """What the sum of losses is divided by, never less than 1."""
        divisors = {"FULL": outer * inner, "VALID": valid, "BATCH_SIZE": outer, "NONE": 1}
        return max(1.0, float(divisors[self.normalization]))


def number(value: float) -> Array:
    """A blob without axes."""
    return np.asarray(value, dtype=np.float32).reshape(())


class SoftmaxWithLoss(Loss):
    """−log of the softmax at the label, averaged.  (N×C×*S, N×*S) -> number[, N×C×*S].

    Source: softmax_loss_layer.cpp.
    """

    type = "SoftmaxWithLoss"
    tops = Arity(1, 2)

    def read(self, message: Message) -> None:
        """The axis of the classes."""
        super().read(message)
        self.axis_given = message.child("softmax_param").integer("axis")

    def check(self, bottoms: Sequence[Shape]) -> None:
        """A label for each position."""
        data, label = bottoms[:2]
        axis = self.axis(data, self.axis_given, "softmax_param.axis")
        wanted = data.count(0, axis) * data.count(axis + 1)
        if label.count() != wanted:
            self.refuse(
                f"{label.count()} labels ({self.named(1)} {label}) for {wanted} predictions "
                f"({self.named(0)} {data}, classes along axis {axis})",
                "bottom",
                1,
            )

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The loss, and as top 1 the probabilities."""
        loss = super().infer(bottoms)[0]
        return [loss, bottoms[0]][: self.top_count]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The softmax; a compare, a log and an add a label; a div."""
        labels = bottoms[1].count()
        return softmax_ops(bottoms[0].count()) + OpCount(adds=labels, compares=labels, exps=labels, divs=1)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The probabilities at the labels, ignored ones left out."""
        x, label = bottoms[:2]
        probabilities = softmax(x, self.axis_given)
        flat = np.moveaxis(probabilities, self.axis_given, -1).reshape(-1, x.shape[self.axis_given])
        wanted = label.reshape(-1).astype(np.int64)
        kept = wanted != self.ignored if self.ignored is not None else np.ones(len(wanted), bool)
        picked = flat[np.flatnonzero(kept), _classes(self, wanted[kept], flat.shape[1])]
        outer = int(np.prod(x.shape[: self.axis_given % x.ndim]))
        total = -np.log(np.maximum(picked, np.float32(SMALLEST))).sum()
        loss = number(total / self.divisor(outer, len(wanted) // max(1, outer), int(kept.sum())))
        return [loss, probabilities][: self.top_count]


def _classes(layer: NoBlobs, labels: Array, classes: int) -> Array:
    """Labels as indices; one outside the classes is refused, as by Caffe."""
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        layer.refuse(f"a label lies outside the {classes} classes", "bottom", 1)
    return labels


class EuclideanLoss(Loss):
    """Σ(a − b)² / 2N.  (N×*S, N×*S) -> number.  Source: euclidean_loss_layer.cpp."""

    type = "EuclideanLoss"

    def check(self, bottoms: Sequence[Shape]) -> None:
        """As many values an image."""
        a, b = bottoms
        if a.count(1) != b.count(1):
            self.refuse(f"bottoms must have one dimension: {a} and {b}", "bottom", 1)

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A difference, a square and an add an element; two divs."""
        elements = bottoms[0].count()
        return OpCount(adds=2 * elements, muls=elements, divs=2)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Over all elements."""
        a, b = bottoms
        difference = (a.reshape(-1) - b.reshape(-1)).astype(np.float64)
        return [number(float((difference * difference).sum()) / len(a) / 2)]


class HingeLoss(Loss):
    """Σ max(0, 1 ± x), or its square, over N.  (N×C, N) -> number.  Source: hinge_loss_layer.cpp."""

    type = "HingeLoss"

    def read(self, message: Message) -> None:
        """The norm."""
        super().read(message)
        self.norm = message.child("hinge_loss_param").text("norm")

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Two adds and a compare an element (a square for L2); a sign a label; a div."""
        elements = bottoms[0].count()
        squares = elements if self.norm == "L2" else 0
        return OpCount(adds=2 * elements, muls=squares + bottoms[1].count(), compares=elements, divs=1)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The labelled class counts downwards."""
        x, label = bottoms
        margins = x.reshape(len(x), -1).copy()
        rows = np.arange(len(x))
        margins[rows, _classes(self, label.reshape(-1).astype(np.int64)[: len(x)], margins.shape[1])] *= -1
        margins = np.maximum(0, 1 + margins)
        total = (margins * margins if self.norm == "L2" else margins).sum()
        return [number(total / len(x))]


class InfogainLoss(Loss):
    """Softmax loss weighted by a matrix of classes.  (N×C×*S, N×*S[, C×C]) -> number[, N×C×*S].

    Source: infogain_loss_layer.cpp.
    """

    type = "InfogainLoss"
    bottoms = Arity(2, 3)
    tops = Arity(1, 2)

    def read(self, message: Message) -> None:
        """The axis of the classes; the matrix is bottom 2 or a file."""
        super().read(message)
        param = message.child("infogain_loss_param")
        self.axis_given = param.integer("axis")
        if len(message.texts("bottom")) < 3 and not param.has("source"):
            self.refuse("needs its matrix as a third bottom or as a source file", "infogain_loss_param")

    def check(self, bottoms: Sequence[Shape]) -> None:
        """A label for each position, and a square matrix."""
        data, label, *matrix = bottoms
        axis = self.axis(data, self.axis_given, "infogain_loss_param.axis")
        wanted = data.count(0, axis) * data.count(axis + 1)
        if label.count() != wanted:
            self.refuse(f"{label.count()} labels for {wanted} predictions", "bottom", 1)
        if matrix and matrix[0].count() != data[axis] ** 2:
            self.refuse(f"{self.named(2)} {matrix[0]} must hold {data[axis]}×{data[axis]}", "bottom", 2)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The loss, and as top 1 the probabilities."""
        loss = super().infer(bottoms)[0]
        return [loss, bottoms[0]][: self.top_count]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The softmax; a compare, a log, a mul and an add an element; a div."""
        elements = bottoms[0].count()
        return softmax_ops(elements) + OpCount(
            adds=elements, muls=elements, compares=elements, exps=elements, divs=1
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Needs the matrix as a bottom: a file is not read here."""
        x, label, *matrix = bottoms
        if not matrix:
            self.refuse("its matrix lies in a file that is not read; give it as a third bottom", "bottom")
        probabilities = softmax(x, self.axis_given)
        classes = x.shape[self.axis_given]
        flat = np.moveaxis(probabilities, self.axis_given, -1).reshape(-1, classes)
        wanted = label.reshape(-1).astype(np.int64)
        kept = wanted != self.ignored if self.ignored is not None else np.ones(len(wanted), bool)
        rows = matrix[0].reshape(classes, classes)[_classes(self, wanted[kept], classes)]
        total = -(rows * np.log(np.maximum(flat[kept], np.float32(LOG_THRESHOLD)))).sum()
        outer = int(np.prod(x.shape[: self.axis_given % x.ndim]))
        loss = number(total / self.divisor(outer, len(wanted) // max(1, outer), int(kept.sum())))
        return [loss, probabilities][: self.top_count]


class ContrastiveLoss(Loss):
    """Pulls like pairs together, pushes others a margin apart.  (N×C, N×C, N) -> number.

    Source: contrastive_loss_layer.cpp.
    """

    type = "ContrastiveLoss"
    bottoms = THREE

    def read(self, message: Message) -> None:
        """Margin and form."""
        super().read(message)
        param = message.child("contrastive_loss_param")
        self.margin, self.legacy = param.number("margin"), param.flag("legacy_version")

    def check(self, bottoms: Sequence[Shape]) -> None:
        """Vectors of one length, and one label a pair."""
        a, b, label = bottoms
        if a[1:2] != b[1:2] or a.count(2) != 1 or b.count(2) != 1:
            self.refuse(f"needs two N×C of one length, not {a} and {b}", "bottom", 1)
        if label.count(1) != 1:
            self.refuse(f"{self.named(2)} {label} must hold one label a pair", "bottom", 2)

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A difference, a square and an add an element; a pair: root, margin, max, square, sum."""
        elements, pairs = bottoms[0].count(), bottoms[0][0]
        return OpCount(
            adds=2 * elements + 2 * pairs,
            muls=elements + pairs,
            divs=2,
            compares=2 * pairs,
            exps=0 if self.legacy else pairs,
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Squared distances, and what is missing to the margin."""
        a, b, label = bottoms
        squared = ((a - b).reshape(len(a), -1) ** 2).sum(axis=1)
        if self.legacy:
            apart = np.maximum(np.float32(self.margin) - squared, 0)
        else:
            apart = np.maximum(np.float32(self.margin) - np.sqrt(squared), 0) ** 2
        like = label.reshape(len(a)).astype(np.int64) != 0
        return [number(np.where(like, squared, apart).sum() / len(a) / 2)]


class MultinomialLogisticLoss(Loss):
    """−log of the probability at the label, over N.  (N×C, N) -> number.

    Source: multinomial_logistic_loss_layer.cpp.
    """

    type = "MultinomialLogisticLoss"

    def check(self, bottoms: Sequence[Shape]) -> None:
        """One label an image."""
        if bottoms[1].count(1) != 1:
            self.refuse(f"{self.named(1)} {bottoms[1]} must hold one label an image", "bottom", 1)

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A compare, a log and an add an image; a div."""
        images = bottoms[0][0]
        return OpCount(adds=images, divs=1, compares=images, exps=images)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The probabilities at the labels."""
        x, label = bottoms
        rows = x.reshape(len(x), -1)
        wanted = _classes(self, label.reshape(-1).astype(np.int64), rows.shape[1])
        picked = np.maximum(rows[np.arange(len(x)), wanted], np.float32(LOG_THRESHOLD))
        return [number(-np.log(picked).sum() / len(x))]


class SigmoidCrossEntropyLoss(Loss):
    """Cross entropy of sigmoids and targets.  (N×*S, N×*S) -> number.

    Source: sigmoid_cross_entropy_loss_layer.cpp.
    """

    type = "SigmoidCrossEntropyLoss"

    def read(self, message: Message) -> None:
        """By default the sum is divided by the batch."""
        super().read(message)
        self.normalization = self._normalization(message.child("loss_param"), "BATCH_SIZE")

    def check(self, bottoms: Sequence[Shape]) -> None:
        """A target for each value."""
        x, target = bottoms
        if x.count() != target.count():
            self.refuse(
                f"{self.named(0)} {x} and {self.named(1)} {target} must hold as many values",
                "bottom",
                1,
            )

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An exp, a log, two muls, two compares and five adds a value; a div."""
        elements = bottoms[0].count()
        return OpCount(adds=5 * elements, muls=2 * elements, divs=1, compares=2 * elements, exps=2 * elements)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """In the form that does not overflow."""
        x, target = (bottom.reshape(-1) for bottom in bottoms)
        kept = target.astype(np.int64) != self.ignored if self.ignored is not None else np.ones(len(x), bool)
        positive = x >= 0
        terms = x * (target - positive) - np.log1p(np.exp(x - 2 * x * positive))
        outer = len(bottoms[0])
        return [number(-terms[kept].sum() / self.divisor(outer, x.size // outer, int(kept.sum())))]


class Accuracy(NoBlobs):
    """The share of labels among the top_k classes.  (N×C×*S, N×*S) -> number[, C].

    Source: accuracy_layer.cpp.
    """

    type = "Accuracy"
    bottoms = TWO
    tops = Arity(1, 2)

    def read(self, message: Message) -> None:
        """top_k, the axis of the classes, and which label is ignored."""
        param = message.child("accuracy_param")
        self.top_k, self.axis_given = param.integer("top_k"), param.integer("axis")
        self.ignored = param.integer("ignore_label") if param.has("ignore_label") else None

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """One number, and one a class."""
        x, label = bottoms
        if not label.count() or self.top_k > x.count() // label.count():
            self.refuse(f"top_k {self.top_k} is more than the classes of {x}", "accuracy_param.top_k")
        axis = self.axis(x, self.axis_given, "accuracy_param.axis")
        wanted = x.count(0, axis) * x.count(axis + 1)
        if label.count() != wanted:
            self.refuse(
                f"{label.count()} labels ({self.named(1)} {label}) for {wanted} predictions ({self.named(0)} {x})",
                "bottom",
                1,
            )
        return [Shape(), Shape((x[axis],))][: self.top_count]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A compare a value, a compare and an add a label; a div a result."""
        labels = bottoms[1].count()
        return OpCount(
            adds=labels,
            divs=sum(top.count() for top in tops),
            compares=bottoms[0].count() + labels,
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Right when fewer than top_k other classes are at least as good."""
        x, label = bottoms
        classes = x.shape[self.axis_given]
        rows = np.moveaxis(x, self.axis_given, -1).reshape(-1, classes)
        wanted = label.reshape(-1).astype(np.int64)
        if self.ignored is not None:
            rows, wanted = rows[wanted != self.ignored], wanted[wanted != self.ignored]
        own = rows[np.arange(len(rows)), _classes(self, wanted, classes)][:, None]
        right = (rows >= own).sum(axis=1) - 1 < self.top_k
        top = number(right.mean() if len(right) else 0.0)
        totals = np.bincount(wanted, minlength=classes)
        hits = np.bincount(wanted[right], minlength=classes)
        each = np.where(totals > 0, hits / np.maximum(totals, 1), 0).astype(np.float32)
        return [top, each][: self.top_count]
