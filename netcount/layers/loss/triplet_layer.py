from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs
from netcount.layers.layer import THREE, Wanted
from netcount.layers.loss._loss import mean
from netcount.layers.loss.triplet_loss import triplet_losses
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class TripletLayer(NoBlobs):
    """Σ max(0, margin + ‖a−p‖² − ‖a−n‖²) / 2N.  (anchors N×C, positives N×C, negatives N×C) -> 1.

    Source: tripletlosslayer.py of tripletloss.
    """

    type = "Python"
    source = "tripletloss"
    python = "tripletlosslayer.TripletLayer"
    bottoms = THREE
    replaceable = True
    temporaries = 2
    margin: float | None

    def read(self, message: Message) -> None:
        """The margin of param_str; no shape needs it, and forks' own versions take another."""
        text = message.child("python_param").text("param_str")
        match = re.search(r"margin['\"]?\s*:\s*(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})", text)
        self.margin = float(match[1]) if match else None

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """One number, after the check that all have one shape."""
        for index, shape in enumerate(bottoms):
            if shape != bottoms[0] or len(shape) != 2:
                self.refuse(
                    f"all bottoms must be N×C: {self.named(0)} is {bottoms[0]}, {self.named(index)} is {shape}",
                    "bottom",
                    index,
                )
        return [Shape((1,))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """For each value two differences, squares and adds; a row two adds, a compare and an add."""
        values, rows = bottoms[0].count(), bottoms[0][0]
        return OpCount(adds=4 * values + 3 * rows, muls=2 * values + 1, compares=rows, divs=1)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """The bound, as if no triplet kept its margin: of each of the three a difference, a div and a mul a value,
        if the anchors' gradient is wanted."""
        values = 3 * bottoms[0].count() * wanted.bottoms[0]
        return OpCount(adds=values, muls=values, divs=values)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Row after row."""
        if self.margin is None:
            self.refuse("needs a margin in param_str", "python_param.param_str", advice=self.given_tops())
        anchors, positives, negatives = bottoms
        losses = triplet_losses(anchors, positives, negatives, self.margin)
        return [mean(losses.sum() / 2, len(losses)).reshape(1)]
