from __future__ import annotations

from collections.abc import Sequence

from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import ShapesOnly, legacy
from netcount.layers.layer import TWO, Wanted
from netcount.prototxt.message import Message


class SampleTriplet(ShapesOnly):
    """Rows drawn as triplets: an anchor, one of the same label, and one of another that is too near.

    (features N×*S, images of each of L labels) -> T×3×1×1 numbers of rows.  T is data; Caffe sets up L.
    Source: sample_triplet_layer.cpp of caffe_train (yuqj1991).
    """

    type = "SampleTriplet"
    source = "yuqj1991"
    bottoms = TWO

    def read(self, message: Message) -> None:
        """The margin is no matter of shapes."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """A row per label."""
        legacy(self, bottoms[0], 0)
        return [Shape((bottoms[1].count(), 3, 1, 1))]

    def data_dependent(self, bottoms: Sequence[Shape]) -> str | None:
        """The triplets."""
        return f"one row per triplet; Caffe sets up one per label, {bottoms[1].count()}"

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The bound: the distance of each row from each other one."""
        rows, *_ = legacy(self, bottoms[0], 0)
        pairs = rows * (rows - 1)
        values = pairs * (bottoms[0].count() // rows if rows else 0)
        return OpCount(adds=2 * values + pairs, muls=values, compares=pairs)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """None: it propagates no gradients."""
        return NOTHING
