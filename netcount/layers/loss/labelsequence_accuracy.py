from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs
from netcount.layers.layer import TWO, WorkingMemory
from netcount.layers.loss._loss import mean
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class LabelsequenceAccuracy(NoBlobs):
    """The share of whole sequences read rightly.  (scores N×T×C, labels N×L) -> number.  No weights.

    The most likely label of each instant, repeats and blanks taken out, must be the labels without
    blanks.  Source: labelsequence_accuracy_layer.cpp of yalecyu/crnn.caffe.
    """

    type = "LabelsequenceAccuracy"
    source = "crnn.caffe"
    bottoms = TWO
    blank: int

    def read(self, message: Message) -> None:
        """Which label is the blank."""
        self.blank = message.child("labelsequence_accuracy_param").integer("blank_label")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """One number."""
        scores, labels = bottoms
        if len(scores) < 3 or len(labels) < 2 or scores[0] != labels[0]:
            self.refuse(f"needs scores N×T×C and labels N×L, not {scores} and {labels}", "bottom")
        return [Shape()]

    def indices(self, bottoms: Sequence[Shape]) -> dict[int, int]:
        """The labels: classes."""
        return {1: bottoms[0][2]}

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The bound, as if every sequence were read rightly: a compare per score, two per instant, two a
        label; an add a sequence; a div."""
        scores, labels = bottoms
        instants = scores.count(0, 2)
        return OpCount(adds=scores[0], divs=1, compares=scores.count(0, 3) + 2 * instants + 2 * labels.count(0, 2))

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """The most likely labels, in 64 bits."""
        scores = bottoms[0]
        return WorkingMemory(forward=2 * (scores.count() // max(1, scores[2])))

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Sequence by sequence."""
        scores, labels = bottoms
        right = 0
        for best, wanted in zip(scores.argmax(axis=2).reshape(len(scores), -1), labels, strict=True):
            instants = [self.blank, *best.tolist()]
            read = [label for before, label in pairwise(instants) if label not in (before, self.blank)]
            right += read == [
                label for label in wanted.reshape(-1).astype(np.int64).tolist() if label != self.blank
            ]
        return [mean(right, len(scores))]
