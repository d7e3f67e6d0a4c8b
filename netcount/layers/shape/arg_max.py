from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, rows
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class ArgMax(NoBlobs):
    """Indices of the top_k largest values, with the values if wanted.  Source: argmax_layer.cpp.

    With an axis: that axis becomes top_k.  Without: N×1×top_k (N×2×top_k with the values).
    """

    type = "ArgMax"
    temporaries = 4
    values: bool
    top_k: int
    axis_given: int | None

    def read(self, message: Message) -> None:
        """How many, along what, and whether the values are wanted."""
        param = message.child("argmax_param")
        self.values = param.flag("out_max_val")
        self.top_k = param.integer("top_k")
        self.axis_given = param.integer("axis") if param.has("axis") else None
        if self.top_k < 1:
            self.refuse("top_k must be positive", "argmax_param.top_k")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The picked indices' shape."""
        (bottom,) = bottoms
        if not bottom:
            self.refuse(f"{self.named(0)} {bottom} needs an axis of images", "bottom")
        if self.axis_given is not None:
            axis = self.axis(bottom, self.axis_given, "argmax_param.axis")
            if self.top_k > bottom[axis]:
                self.refuse(
                    f"top_k {self.top_k} is more than the {bottom[axis]} of axis {axis}",
                    "argmax_param.top_k",
                )
            return [bottom.replaced(axis, self.top_k)]
        self.axis(bottom, 0)
        if self.top_k > bottom.count(1):
            self.refuse(
                f"top_k {self.top_k} is more than the {bottom.count(1)} values",
                "argmax_param.top_k",
            )
        axes = max(3, len(bottom))
        extents = [1] * axes
        extents[0] = bottom[0]
        extents[2] = self.top_k
        if self.values:
            extents[1] = 2
        return [Shape(extents)]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A partial sort: about log2(top_k) + 1 compares a value."""
        return OpCount(compares=bottoms[0].count() * self.top_k.bit_length())

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Caffe sorts pairs of value and index downwards: of equals the larger index comes first."""
        (x,) = bottoms
        if self.axis_given is None:
            images = rows(x, 1)
            order = _largest(images, self.top_k)
            parts = [order.astype(np.float32)]
            if self.values:
                parts.append(np.take_along_axis(images, order, axis=1))
            shape = [1] * max(3, x.ndim)
            shape[0], shape[1], shape[2] = len(x), len(parts), self.top_k
            return [np.stack(parts, axis=1).reshape(shape)]
        moved = np.moveaxis(x, self.axis_given, -1)
        order = _largest(moved, self.top_k)
        picked = np.take_along_axis(moved, order, axis=-1) if self.values else order.astype(np.float32)
        return [np.moveaxis(picked, -1, self.axis_given)]


def _largest(x: Array, number: int) -> Array:
    """Indices of the largest values of the last axis, largest first."""
    backwards = np.argsort(-x[..., ::-1], axis=-1, kind="stable")[..., :number]
    result: Array = x.shape[-1] - 1 - backwards
    return result
