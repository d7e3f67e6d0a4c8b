"""What Faster R-CNN trains on: anchors and proposals matched to the truth, some of them sampled."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.layers.anchors import RATIOS, SCALES, anchors_of, moves, shifted
from netcount.layers.base import NoBlobs
from netcount.layers.boxes import overlaps
from netcount.layers.layer import Arity
from netcount.lazy import np
from netcount.opcount import OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    import numpy as numpy_types

    from netcount.layers.loss_base import Indices
    from netcount.layers.run import Array, Run

SAMPLED = 128
"""py-faster-rcnn's TRAIN.BATCH_SIZE: boxes sampled for training."""
OBJECTS = SAMPLED // 4
"""Of them objects, at most (FG_FRACTION)."""
ENOUGH = 0.5
"""Overlap from which a proposal is an object (FG_THRESH)."""
DEVIATIONS = (0.1, 0.1, 0.2, 0.2)
"""What targets are divided by (BBOX_NORMALIZE_STDS)."""
ANCHORS_SAMPLED = 256
"""RPN_BATCHSIZE: anchors sampled for training, half of them objects at most."""
OBJECT, EMPTY = 0.7, 0.3
"""Overlaps from which an anchor is an object, and below which it is none."""


def setting(text: str, key: str, default: int) -> int:
    """A whole number of a Python layer's param_str (a few keys of YAML)."""
    found = re.search(rf"(?<![\w]){key}['\"]?\s*:\s*(\d{{1,9}})", text)
    return int(found[1]) if found else default


def scales_of(text: str) -> list[float]:
    """The anchor scales of a param_str."""
    found = re.search(r"(?<!\w)scales['\"]?\s*:\s*(?:!!python/tuple\s*)?[\[(]([\d\s,.]*)[\])]", text)
    return [float(part) for part in found[1].split(",") if part.strip()] if found else list(SCALES)


class AnchorTargetLayer(NoBlobs):
    """py-faster-rcnn's rpn.anchor_target_layer: which anchors are objects, and their targets.

    (scores 1×C×H×W, truth G×5, image 1×3, …) -> labels 1×1×(A·H)×W (1 object, 0 none, −1 ignored),
    and 1×4A×H×W targets, inside and outside weights.  Source: lib/rpn/anchor_target_layer.py.
    """

    type = "Python"
    source = "py-faster-rcnn"
    python = "rpn.anchor_target_layer.AnchorTargetLayer"
    bottoms = Arity(1, None)
    tops = Arity(4, 4)
    replaceable = True

    def read(self, message: Message) -> None:
        """Stride, scales and how far anchors may reach over the edge."""
        text = message.child("python_param").text("param_str")
        self.stride, self.scales = setting(text, "feat_stride", 16), scales_of(text)
        self.border = setting(text, "allowed_border", 0)
        self.anchors = len(RATIOS) * len(self.scales)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """From the height and width of the scores."""
        scores = bottoms[0]
        if len(scores) != 4:
            self.refuse(f"{self.named(0)} {scores} must be N×C×H×W", "bottom")
        high, wide = scores[2:]
        targets = Shape((1, 4 * self.anchors, high, wide))
        return [Shape((1, 1, self.anchors * high, wide)), targets, targets, targets]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The bound, as if all anchors lay inside the image: the overlap of each with each box of
        the truth, the largest for both, and its target."""
        anchors = tops[0].count()
        truth = bottoms[1][0] if len(bottoms) > 1 and bottoms[1] else 1
        pairs = anchors * truth
        return OpCount(
            adds=10 * pairs + 14 * anchors,
            muls=3 * pairs + 4 * anchors,
            divs=pairs + 4 * anchors,
            compares=9 * pairs + 6 * anchors,
            exps=2 * anchors,
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Anchors inside the image; too many of a kind are drawn from `run.generator`."""
        if len(bottoms) < 3 or len(bottoms[0]) != 1:
            self.refuse(
                "needs scores of one image, a truth and the image's size; give its tops with --input", "bottom"
            )
        scores, truth, info = bottoms[0], bottoms[1].reshape(-1, 5), bottoms[2].reshape(-1)
        extent = scores.shape[2:]
        every = shifted(anchors_of(16, RATIOS, self.scales), self.stride, extent)
        limit = info[[1, 0]] + self.border
        inside = np.flatnonzero((every[:, :2] >= -self.border).all(axis=1) & (every[:, 2:] < limit).all(axis=1))
        if not len(inside) or not len(truth):
            self.refuse(
                "no anchor lies inside the image, or the truth has no box; give them with --input", "bottom"
            )
        shared = overlaps(every[inside], truth[:, :4], 1)
        owner, best = shared.argmax(axis=1), shared.max(axis=1)
        labels = np.full(len(inside), -1, dtype=np.int64)
        labels[best < EMPTY] = 0
        labels[(shared == shared.max(axis=0)).any(axis=1)] = 1
        labels[best >= OBJECT] = 1
        _drop(labels, 1, ANCHORS_SAMPLED // 2, run.generator)
        _drop(labels, 0, ANCHORS_SAMPLED - int((labels == 1).sum()), run.generator)
        rows = np.zeros((3, len(every), 4), dtype=np.float32)
        rows[0, inside] = moves(every[inside], truth[owner, :4])
        rows[1, inside[labels == 1]] = 1
        rows[2, inside[labels >= 0]] = 1 / max(1, int((labels >= 0).sum()))
        marks = np.full(len(every), -1, dtype=np.float32)
        marks[inside] = labels
        by_channel = [values.reshape(1, *extent, -1).transpose(0, 3, 1, 2) for values in (marks, *rows)]
        return [by_channel[0].reshape(1, 1, -1, extent[1]), *by_channel[1:]]


class ProposalTargetLayer(NoBlobs):
    """py-faster-rcnn's rpn.proposal_target_layer: boxes sampled for training, and their targets.

    (boxes R×5, truth G×5) -> S×5×1×1 boxes, S×1×1×1 labels, and S×4K×1×1 targets, inside and
    outside weights; S is 128 by custom.  The axes of 1 are py-R-FCN's, whose nets need them;
    py-faster-rcnn leaves them out.  Source: lib/rpn/proposal_target_layer.py of both.
    """

    type = "Python"
    source = "py-faster-rcnn"
    python = "rpn.proposal_target_layer.ProposalTargetLayer"
    bottoms = Arity(2, None)
    tops = Arity(5, 5)
    replaceable = True

    def read(self, message: Message) -> None:
        """num_classes of param_str."""
        text = message.child("python_param").text("param_str")
        self.classes = setting(text, "num_classes", 0)
        if not self.classes:
            self.refuse("param_str needs num_classes", "python_param.param_str")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Rows for the sampled boxes."""
        for index, shape in enumerate(bottoms[:2]):
            if not shape or shape.count(1) != 5:
                self.refuse(f"{self.named(index)} {shape} must be R×5", "bottom", index)
        targets = Shape((SAMPLED, 4 * self.classes, 1, 1))
        return [Shape((SAMPLED, 5, 1, 1)), Shape((SAMPLED, 1, 1, 1)), targets, targets, targets]

    def data_dependent(self, bottoms: Sequence[Shape]) -> str | None:
        """The sampled boxes."""
        return f"{SAMPLED} sampled boxes at most, py-faster-rcnn's custom"

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The overlap of each box, and of the truth itself, with each box of the truth, the
        largest, and the target of each sampled box."""
        truth = bottoms[1][0]
        boxes = bottoms[0][0] + truth
        pairs = boxes * truth
        return OpCount(
            adds=10 * pairs + 18 * SAMPLED,
            muls=3 * pairs + 4 * SAMPLED,
            divs=pairs + 8 * SAMPLED,
            compares=8 * pairs + 3 * boxes,
            exps=2 * SAMPLED,
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Objects first, then background, both drawn from `run.generator`; the truth is among the
        boxes.  With two classes every object is class 1 (py-R-FCN's class-agnostic boxes)."""
        truth = bottoms[1].reshape(-1, 5)
        own = np.concatenate([np.zeros((len(truth), 1), dtype=np.float32), truth[:, :4]], axis=1)
        boxes = np.concatenate([bottoms[0].reshape(-1, 5), own])
        if not len(truth) or (boxes[:, 0] != 0).any():
            self.refuse("needs boxes of one image, number 0, and a truth; give them with --input", "bottom")
        shared = overlaps(boxes[:, 1:], truth[:, :4], 1)
        owner, best = shared.argmax(axis=1), shared.max(axis=1)
        objects = _drawn(np.flatnonzero(best >= ENOUGH), OBJECTS, run.generator)
        others = _drawn(np.flatnonzero(best < ENOUGH), SAMPLED - len(objects), run.generator)
        kept = np.concatenate([objects, others])
        labels = truth[owner[kept], 4]
        labels[len(objects) :] = 0
        places = labels.astype(np.int64) if self.classes > 2 else (labels > 0).astype(np.int64)
        if places.min(initial=0) < 0 or places.max(initial=0) >= self.classes:
            self.refuse(f"the truth names a class outside the {self.classes}", "bottom", 1)
        found = moves(boxes[kept, 1:], truth[owner[kept], :4]) / np.array(DEVIATIONS)
        targets = np.zeros((len(kept), self.classes, 4), dtype=np.float32)
        weights = np.zeros_like(targets)
        rows = np.flatnonzero(labels > 0)
        targets[rows, places[rows]] = found[rows]
        weights[rows, places[rows]] = 1
        tops = (boxes[kept], labels[:, None], targets, weights, weights.copy())
        return [top.reshape(len(kept), -1, 1, 1).astype(np.float32) for top in tops]


def _drawn(indices: Indices, most: int, generator: numpy_types.random.Generator) -> Indices:
    """At most `most` of the indices, in the order they are drawn."""
    if not len(indices):
        return indices
    return generator.choice(indices, size=min(most, len(indices)), replace=False)


def _drop(labels: Indices, label: int, most: int, generator: numpy_types.random.Generator) -> None:
    """Mark −1 what is drawn from the anchors of a label that are more than `most`."""
    found = np.flatnonzero(labels == label)
    if len(found) > most:
        labels[generator.choice(found, size=len(found) - most, replace=False)] = -1
