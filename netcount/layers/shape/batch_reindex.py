from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import Moving
from netcount.layers.layer import TWO, Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class BatchReindex(Moving):
    """Images picked by index.  (N×*S, M indices) -> M×*S.  Source: batch_reindex_layer.cpp."""

    type = "BatchReindex"
    bottoms = TWO

    def read(self, message: Message) -> None:
        """No parameters."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """As many images as indices."""
        data, index = bottoms
        if len(index) != 1:
            self.refuse(f"{self.named(1)} {index} must have one axis", "bottom", 1)
        return [Shape((index[0], *data[1:]))]

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """An add an output: an index may stand twice."""
        return OpCount(adds=tops[0].count() if wanted.bottoms[0] else 0)

    def indices(self, bottoms: Sequence[Shape]) -> dict[int, int]:
        """The indices: images."""
        return {1: bottoms[0].count(0, 1)}

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """An index outside the batch is refused, as by Caffe."""
        data, index = bottoms
        if not data.ndim:  # which Caffe too sees only now
            self.refuse(f"{self.named(0)} has no axis to pick from", "bottom")
        picked = index.astype(np.int64)
        if picked.size and not (picked.min() >= 0 and picked.max() < len(data)):
            self.refuse(f"an index lies outside the batch of {len(data)}", "bottom", 1)
        return [data[picked]]
