from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.kernels.anchors import moves
from netcount.kernels.boxes import overlaps
from netcount.layers.bases import NoBlobs, rows
from netcount.layers.detection._sampling import DEVIATIONS, ENOUGH, OBJECTS, SAMPLED, _drawn, setting
from netcount.layers.layer import Arity, Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

ATTRIBUTES = 16
"""Attributes a box of bottom-up-attention's truth has."""


class ProposalTargetLayer(NoBlobs):
    """py-faster-rcnn's rpn.proposal_target_layer: boxes sampled for training, and their targets.

    (boxes R×5, truth G×5) -> S×5×1×1 boxes, S×1×1×1 labels, and S×4K×1×1 targets, inside and
    outside weights; S is 128 by custom.  The axes of 1 are py-R-FCN's, whose nets need them;
    py-faster-rcnn leaves them out.  Source: lib/rpn/proposal_target_layer.py of both.

    With num_attr_classes a truth G×21 has 16 attributes, and a further top is F×16, those of the objects
    (F is 32); with num_rel_classes another is F²×1×1×1, how they relate.  Source: that file of
    bottom-up-attention.
    """

    type = "Python"
    source = "py-faster-rcnn"
    python = "rpn.proposal_target_layer.ProposalTargetLayer"
    bottoms: ClassVar[Arity] = Arity(2, None)
    tops: ClassVar[Arity] = Arity(5, 7)
    replaceable = True
    classes: int
    attributes: bool
    relations: bool
    ignored: int

    def read(self, message: Message) -> None:
        """num_classes of param_str."""
        text = message.child("python_param").text("param_str")
        self.classes = setting(text, "num_classes", 0)
        self.attributes = setting(text, "num_attr_classes", 0) > 0
        self.relations = setting(text, "num_rel_classes", 0) > 0
        self.ignored = setting(text, "ignore_label", -1)
        if not self.classes:
            self.refuse("param_str needs num_classes", "python_param.param_str")
        self.check_tops()

    def check_tops(self) -> None:
        """Refuse another number of tops than param_str asks for."""
        wanted = 5 + self.attributes + self.relations
        if self.top_count != wanted:
            self.refuse(f"takes {wanted} tops, not {self.top_count}", "top")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Rows for the sampled boxes."""
        for index, shape in enumerate(bottoms[:2]):
            values = shape.count(1) if shape else 0
            if values != 5 and not (index and values > 5):
                self.refuse(f"{self.named(index)} {shape} must be R×5", "bottom", index)
        tops = [Shape((SAMPLED, values, 1, 1)) for values in (5, 1, *[4 * self.classes] * 3)]
        if self.attributes:
            tops.append(Shape((OBJECTS, ATTRIBUTES)))
        if self.relations:
            tops.append(Shape((OBJECTS**2, 1, 1, 1)))
        return tops

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

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """None: it propagates no gradients."""
        return NOTHING

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Objects first, then background, both drawn from `run.generator`; the truth is among the
        boxes.  With two classes every object is class 1 (py-R-FCN's class-agnostic boxes)."""
        truth = rows(bottoms[1], 1)
        if self.relations or (self.attributes and truth.shape[1] < 5 + ATTRIBUTES):
            self.refuse("needs a truth with attributes and relations", "bottom", 1, advice=self.given_tops())
        own = np.concatenate([np.zeros((len(truth), 1), dtype=np.float32), truth[:, :4]], axis=1)
        boxes = np.concatenate([bottoms[0].reshape(-1, 5), own])
        if not len(truth) or (boxes[:, 0] != 0).any():
            self.refuse(
                "needs boxes of one image, number 0, and a truth", "bottom", advice=self.given_bottoms(0, 1)
            )
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
        offsets = moves(boxes[kept, 1:], truth[owner[kept], :4]) / np.array(DEVIATIONS)
        targets = np.zeros((len(kept), self.classes, 4), dtype=np.float32)
        weights = np.zeros_like(targets)
        own_rows = np.flatnonzero(labels > 0)
        targets[own_rows, places[own_rows]] = offsets[own_rows]
        weights[own_rows, places[own_rows]] = 1
        made = (boxes[kept], labels[:, None], targets, weights, weights.copy())
        tops = [top.reshape(len(kept), -1, 1, 1).astype(np.float32) for top in made]
        if self.attributes:
            marks = np.full((OBJECTS, ATTRIBUTES), self.ignored, dtype=np.float32)
            marks[: len(objects)] = truth[owner[objects], 5 : 5 + ATTRIBUTES]
            marks[:, 1:][marks[:, 1:] == 0] = self.ignored
            tops.append(marks)
        return tops
