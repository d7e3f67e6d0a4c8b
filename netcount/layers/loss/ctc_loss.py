from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, child_of, legacy
from netcount.layers.layer import ONE, Arity
from netcount.layers.loss._loss import number
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

PARAMS = ("ctc_loss_param", "warpctc_loss_param")


class CTCLoss(NoBlobs):
    """−log of the probability of a label sequence, over all ways to align it; the mean over N.

    (scores T×N×C, labels N×L) -> number: crnn.caffe's CtcLoss; labels equal to the blank are left out.
    (scores, marks T×N, labels T×N) -> number: a mark of 0 begins a sequence, a negative label ends one.
    (scores, T of each, L of each, labels L×N) -> number: WarpCTCLoss.  No weights.
    Sources: ctc_loss_layer.cpp of yalecyu/crnn.caffe, ctc_loss_layer.cpp and warp_ctc_loss_layer.cpp of
    ChWick's Caffe (BVLC/caffe#4681); Graves et al. 2006.
    """

    type = "CTCLoss"
    names: ClassVar[tuple[str, ...]] = ("CtcLoss", "WarpCTC", "WarpCTCLoss")
    source = "ChWick, crnn.caffe"
    bottoms: ClassVar[Arity] = Arity(2, 4)
    tops = ONE
    auto_tops = 1
    weighs = True
    time_major = True
    temporaries = 4
    blank: int
    steps: int

    def read(self, message: Message) -> None:
        """Which label is the blank; crnn.caffe also asks for time_step and alphabet_size."""
        name = next((name for name in PARAMS if message.has(name)), PARAMS[0])
        param = child_of(message, *PARAMS)
        ours = message.text("type") == "CtcLoss"
        field = "blank_label" if ours or param.has("blank_label") else "blank_index"
        self.blank = param.integer(field)
        self.steps = param.integer("time_step") if ours else 0
        for field in ("alphabet_size", "time_step") if ours else ():
            if not param.integer(field):
                self.refuse(f"{field} must be positive", f"{name}.{field}")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """One number; all bottoms agree in the number of sequences."""
        scores, *others = bottoms
        steps, streams, _, one = legacy(self, scores, 0)
        if one != 1:
            self.refuse(f"{self.named(0)} {scores} must be T×N×C", "bottom")
        labels = legacy(self, others[-1], len(others))
        label = labels[0] if len(others) == 1 else labels[1]
        if label != streams:
            form = "N×L" if len(others) == 1 else "L×N"
            self.refuse(
                f"{self.named(len(others))} {others[-1]} must be {form} with the N = {streams} of {self.named(0)} "
                f"{scores}",
                "bottom",
                len(others),
            )
        if len(others) == 2 and legacy(self, others[0], 1)[:2] != (steps, streams):
            self.refuse(f"{self.named(1)} {others[0]} must be T×N = {steps}×{streams}", "bottom", 1)
        for index, lengths in enumerate(others[:-1] if len(others) == 3 else (), 1):
            if lengths.count() != streams:
                self.refuse(f"{self.named(index)} {lengths} must hold {streams} lengths", "bottom", index)
        return [Shape()]

    def indices(self, bottoms: Sequence[Shape]) -> dict[int, int]:
        """Labels are classes, marks 0 or 1, lengths at most T."""
        scores, *others = bottoms
        steps, _, classes, _ = legacy(self, scores, 0)
        most = {1: [], 2: [2], 3: [steps, 2]}[len(others)]
        return dict(enumerate([*most, classes], 1))

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The softmax of all scores; for each of the 2·L+1 states of each instant three terms of a sum
        of probabilities and one product; a log a sequence."""
        scores, labels = bottoms[0], bottoms[-1]
        steps, streams, *_ = legacy(self, scores, 0)
        longest = labels.count() // max(1, streams)
        states = steps * streams * (2 * longest + 1)
        return OpCount(
            adds=2 * scores.count() + 2 * states + streams,
            muls=states,
            divs=scores.count() + 1,
            compares=scores.count(),
            exps=scores.count() + streams,
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Sequences that cannot be aligned at all are left out of the mean."""
        scores = bottoms[0].astype(np.float64).reshape(*(*bottoms[0].shape, 1, 1)[:2], -1)
        blank = self.blank % scores.shape[2]
        shifted = scores - scores.max(axis=2, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=2, keepdims=True))
        losses = []
        for stream in range(scores.shape[1]):
            length, labels = self._sequence(bottoms, stream, blank)
            if labels.size and not (labels.min() >= 0 and labels.max() < scores.shape[2]):
                self.refuse(f"a label lies outside the {scores.shape[2]} classes", "bottom", len(bottoms) - 1)
            losses.append(-_aligned(logs[:length, stream], labels, blank) if length else np.inf)
        each = np.asarray(losses)
        each = each[np.isfinite(each)]
        return [number(each.mean() if each.size else float("nan"))]

    def _sequence(self, bottoms: Sequence[Array], stream: int, blank: int) -> tuple[int, Array]:
        """How many instants a sequence has, and its labels."""
        steps, others = (*bottoms[0].shape, 1)[0], bottoms[1:]
        labels = others[-1].reshape((*others[-1].shape, 1)[0], -1).astype(np.int64)
        if len(others) == 1:
            return min(self.steps, steps) or steps, labels[stream][labels[stream] != blank]
        labels = labels[:, stream]
        if len(others) == 2:
            marks = others[0].reshape(steps, -1)[1:, stream]
            starts, ends = np.flatnonzero(marks == 0), np.flatnonzero(labels < 0)
            length = int(starts[0]) + 1 if starts.size else steps
            return length, labels[: int(ends[0])] if ends.size else labels
        return int(others[0].reshape(-1)[stream]), labels[: int(others[1].reshape(-1)[stream])]


def _aligned(logs: Array, labels: Array, blank: int) -> float:
    """The log of the sum of the probabilities of all alignments; logs is T×C."""
    states = np.full(2 * len(labels) + 1, blank, dtype=np.int64)
    states[1::2] = labels
    skips = np.zeros(len(states), dtype=np.bool_)
    skips[3::2] = states[3::2] != states[1:-2:2]
    reached = np.full(len(states), -np.inf)
    reached[:2] = logs[0, states[:2]]
    for instant in logs[1:]:
        one = np.concatenate([[-np.inf], reached[:-1]])
        two = np.where(skips, np.concatenate([[-np.inf, -np.inf], reached[:-2]])[: len(states)], -np.inf)
        reached = np.logaddexp(np.logaddexp(reached, one), two) + instant[states]
    return float(np.logaddexp.reduce(reached[-2:]))
