from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.anchors import moves
from netcount.kernels.boxes import overlaps
from netcount.layers.bases import NoBlobs
from netcount.layers.detection._sampling import DEVIATIONS, ENOUGH, OBJECTS, SAMPLED, _drawn, setting
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


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
        found = moves(boxes[kept, 1:], truth[owner[kept], :4]) / np.array(DEVIATIONS)
        targets = np.zeros((len(kept), self.classes, 4), dtype=np.float32)
        weights = np.zeros_like(targets)
        rows = np.flatnonzero(labels > 0)
        targets[rows, places[rows]] = found[rows]
        weights[rows, places[rows]] = 1
        tops = (boxes[kept], labels[:, None], targets, weights, weights.copy())
        return [top.reshape(len(kept), -1, 1, 1).astype(np.float32) for top in tops]
