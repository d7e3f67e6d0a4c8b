"""What Caffe's losses share: one number as top, labels, and what a sum is divided by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, rows
from netcount.layers.layer import ONE, TWO, Layer
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Indices, Mask

SMALLEST = 1.1754943508222875e-38
"""FLT_MIN, below which SoftmaxWithLoss takes no logarithm."""
LOG_THRESHOLD = 1e-20
"""kLOG_THRESHOLD (loss_layer.hpp)."""


class Loss(NoBlobs):
    """A loss: bottoms agree in axis 0, the top has no axes.  Source: loss_layer.cpp."""

    bottoms = TWO
    tops = ONE
    auto_tops = 1
    weighs = True
    never_backward: ClassVar[frozenset[int]] = frozenset({1})
    temporaries = 4
    ignored: int | None
    normalization: str
    fixed: float

    def read(self, message: Message) -> None:
        """Which labels are ignored, and what the sum is divided by."""
        param = message.child("loss_param")
        self.ignored = param.integer("ignore_label") if param.has("ignore_label") else None
        self.normalization = normalization_of(param, "VALID")
        self.fixed = param.number("pre_fixed_normalizer")

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
        divisors = {
            "FULL": outer * inner,
            "VALID": valid,
            "BATCH_SIZE": outer,
            "NONE": 1,
            "PRE_FIXED": self.fixed,
        }
        return max(1.0, float(divisors[self.normalization]))

    def kept(self, labels: Indices) -> Mask:
        """Which labels count."""
        if self.ignored is None:
            return np.ones(labels.shape, dtype=np.bool_)
        counted: Mask = labels != self.ignored
        return counted


def normalization_of(param: Message, default: str) -> str:
    """The normalization of a LossParameter; `normalize` is its older form."""
    if param.has("normalization"):
        return param.text("normalization")
    if param.has("normalize"):
        return "VALID" if param.flag("normalize") else "BATCH_SIZE"
    return default


def check_labels(layer: Layer, data: Shape, label: Shape, axis: int) -> None:
    """Refuse unless there is one label for each position beside the classes along `axis`."""
    wanted = data.count(0, axis) * data.count(axis + 1)
    if label.count() != wanted:
        layer.refuse(
            f"{label.count()} labels ({layer.named(1)} {label}) for {wanted} predictions "
            f"({layer.named(0)} {data}, classes along axis {axis})",
            "bottom",
            1,
        )


def check_values(layer: Layer, bottoms: Sequence[Shape], axis: int = 0) -> None:
    """Refuse unless both bottoms hold as many values from `axis` on (1: an image)."""
    a, b = bottoms
    if a.count(axis) != b.count(axis):
        each = " per image" if axis else ""
        layer.refuse(f"{layer.named(0)} {a} and {layer.named(1)} {b} must hold as many values{each}", "bottom", 1)


def indices_of(layer: Layer, labels: Array, classes: int) -> Indices:
    """Labels as indices; one outside the classes is refused (Caffe reads beyond its memory)."""
    indices = labels.reshape(-1).astype(np.int64)
    outside = indices[(indices < 0) | (indices >= classes)]
    if len(outside):
        layer.refuse(f"label {outside[0]} lies outside the {classes} classes", "bottom", 1)
    return indices


def by_position(x: Array, axis: int) -> Array:
    """A row of classes for each position: N×C×*S -> (N·S)×C."""
    return rows(np.moveaxis(x, axis, -1), x.ndim - 1)


def number(value: float) -> Array:
    """A blob without axes."""
    return np.asarray(value, dtype=np.float32).reshape(())


def mean(total: float, count: int) -> Array:
    """A total over a number of images, as a blob without axes; not a number for no image."""
    return number(float(total) / count if count else float("nan"))
