from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class CTCGreedyDecoder(NoBlobs):
    """Label sequences N×T×1×1 (−1 behind their end) of scores T×N×C, repeats and blanks taken out.

    ChWick's: (scores, marks T×N[, labels T×N]) -> sequences[, scores N×1×1×1][, accuracy 1×1×1×1]; with
    labels and two tops the second is the accuracy.  yuqj1991's: (scores) -> sequences, or (scores, labels
    N×L) -> accuracies 1×2×1×1: by edit distance, and of whole sequences.  Two bottoms are yuqj1991's where
    the second is not T×N.  Sources: ctc_decoder_layer.cpp of ChWick's Caffe (BVLC/caffe#4681) and of
    yuqj1991/caffe_train.
    """

    type = "CTCGreedyDecoder"
    source = "ChWick, yuqj1991"
    bottoms: ClassVar[Arity] = Arity(1, 3)
    tops: ClassVar[Arity] = Arity(1, 3)
    time_major = True
    blank: int
    merged: bool

    def read(self, message: Message) -> None:
        """The blank, and whether repeats are one label."""
        param, bottoms = message.child("ctc_decoder_param"), len(message.texts("bottom"))
        self.blank, self.merged = param.integer("blank_index"), param.flag("ctc_merge_repeated")
        most = {1: 1, 2: 2, 3: 3}.get(bottoms, 3)
        if self.top_count > most:
            self.refuse(f"makes at most {most} tops of {bottoms} bottoms, not {self.top_count}", "top", most)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Sequences and what is told of them."""
        scores = bottoms[0]
        if len(scores) < 3:
            self.refuse(f"{self.named(0)} {scores} must be T×N×C", "bottom")
        steps, streams = scores[:2]
        if self._judged(bottoms):
            if legacy(self, bottoms[1], 1)[0] != streams:
                self.refuse(f"{self.named(1)} {bottoms[1]} must be T×N or N×L with N = {streams}", "bottom", 1)
            return [Shape((1, 2, 1, 1))]
        for index, other in enumerate(bottoms[1:], 1):
            if other.count() != steps * streams:
                self.refuse(f"{self.named(index)} {other} must be T×N = {steps}×{streams}", "bottom", index)
        told = {"scores": Shape((streams, 1, 1, 1)), "accuracy": Shape((1, 1, 1, 1))}
        return [Shape((streams, steps, 1, 1)), *[told[what] for what in self._further(len(bottoms))]]

    def _judged(self, bottoms: Sequence[Sequence[int]]) -> bool:
        """Whether bottom 1 holds labels N×L and the only top is the accuracy."""
        return len(bottoms) == 2 and self.top_count == 1 and tuple(bottoms[1][:2]) != tuple(bottoms[0][:2])

    def _further(self, bottoms: int) -> tuple[str, ...]:
        """What the tops behind the first are."""
        if self.top_count == 2:
            return ("accuracy",) if bottoms == 3 else ("scores",)
        return ("scores", "accuracy") if self.top_count == 3 else ()

    def indices(self, bottoms: Sequence[Shape]) -> dict[int, int]:
        """Labels are classes, marks 0 or 1."""
        classes = bottoms[0][2]
        if self._judged(bottoms):
            return {1: classes}
        return {1: 2, 2: classes} if len(bottoms) == 3 else dict.fromkeys(range(1, len(bottoms)), 2)

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A compare a score, three an instant; for scores an add an instant; for an accuracy the edit
        distance of two sequences of T labels, three adds and three compares a pair."""
        scores = bottoms[0]
        steps, streams = scores[:2]
        judged = self._judged(bottoms)
        longest = bottoms[-1].count() // max(1, streams) if judged else steps
        accurate = judged or "accuracy" in self._further(len(bottoms))
        pairs = streams * steps * longest if accurate else 0
        told = steps * streams if "scores" in self._further(len(bottoms)) else 0
        return OpCount(
            adds=told + 3 * pairs + (streams if accurate else 0),
            divs=streams + 1 if accurate else 0,
            compares=scores.count() + 3 * steps * streams + 3 * pairs,
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Sequence by sequence."""
        scores = bottoms[0].reshape(*bottoms[0].shape[:2], -1)
        steps, streams, classes = scores.shape
        blank = self.blank if self.blank >= 0 else classes - 1
        judged = self._judged([bottom.shape for bottom in bottoms])
        sequences = np.full((streams, steps, 1, 1), -1, dtype=np.float32)
        negative = np.zeros((streams, 1, 1, 1), dtype=np.float32)
        distances, wrong = 0.0, 0
        for stream in range(streams):
            length = steps
            if len(bottoms) > 1 and not judged:
                starts = np.flatnonzero(bottoms[1].reshape(steps, streams)[1:, stream] == 0)
                length = int(starts[0]) + 1 if starts.size else steps
            best = scores[:length, stream].argmax(axis=1)
            kept = best != blank
            if self.merged:
                kept[1:] &= best[1:] != best[:-1]
            labels = best[kept]
            sequences[stream, : len(labels), 0, 0] = labels
            negative[stream] = -scores[:length, stream].max(axis=1).sum()
            if judged or len(bottoms) == 3:
                wanted = (
                    bottoms[1].reshape(streams, -1)[stream]
                    if judged
                    else bottoms[2].reshape(-1, streams)[:, stream]
                )
                ended = np.flatnonzero(wanted < 0)
                wanted = (wanted[: int(ended[0])] if ended.size else wanted).astype(np.int64)
                wanted = wanted[wanted != blank] if judged else wanted
                distance = _edit_distance(wanted.tolist(), labels.tolist())
                distances += distance / max(1, len(wanted), len(labels))
                wrong += distance > 0
        accuracy = 1 - distances / max(1, streams)
        if judged:
            both = [accuracy, 1 - wrong / max(1, streams)]
            return [np.asarray(both, dtype=np.float32).reshape(1, 2, 1, 1)]
        told = {"scores": negative, "accuracy": np.full((1, 1, 1, 1), accuracy, dtype=np.float32)}
        return [sequences, *[told[what] for what in self._further(len(bottoms))]]


def _edit_distance(one: list[int], other: list[int]) -> int:
    """How many labels to insert, drop or replace to make the one of the other."""
    row = list(range(len(other) + 1))
    for index, label in enumerate(one, 1):
        left = [index]
        for position, theirs in enumerate(other, 1):
            left.append(min(row[position] + 1, left[-1] + 1, row[position - 1] + (label != theirs)))
        row = left
    return row[-1]
