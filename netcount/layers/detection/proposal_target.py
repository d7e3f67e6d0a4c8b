from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import ShapesOnly, legacy
from netcount.layers.layer import TWO, Arity, Wanted
from netcount.prototxt.message import Message

PARAM = "proposal_target_param"


class ProposalTarget(ShapesOnly):
    """Regions sampled for training, and what they are trained on.

    (regions R×5, truth G×7, G×8 in Cascade R-CNN) -> S×5 regions, S×1 labels, S×4K targets and two
    weights of them, S×6 boxes of the truth[, S×1 weights], each with two more axes of 1.  S is
    batch_size, or for −1 as many as there are regions; K is cls_num, or 2 where the classes share their
    boxes.
    Source: proposal_target_layer.cpp of mscnn.

    With class_num, caffe_3d_faster_rcnn's: 1×7 regions, 1×1 labels, 1×6K targets and two weights.
    """

    type = "ProposalTarget"
    source = "mscnn"
    bottoms = TWO
    tops: ClassVar[Arity] = Arity(5, 7)
    solid: bool
    samples: int
    classes: int

    def read(self, message: Message) -> None:
        """Classes, and how many regions are sampled."""
        param = message.child(PARAM)
        self.solid = param.has("class_num")
        self.samples = param.integer("batch_size")
        shared = not message.child("bbox_reg_param").flag("cls_aware")
        self.classes = param.integer("class_num") if self.solid else 2 if shared else param.integer("cls_num")
        least, most = (5, 5) if self.solid else (6, 7)
        if not least <= self.top_count <= most:
            self.refuse(f"takes {Arity(least, most)} tops, not {self.top_count}", "top")
        if not self.solid and self.samples < 1 and self.samples != -1:
            self.refuse(f"batch_size {self.samples} must be positive, or −1", f"{PARAM}.batch_size")
        if not self.classes:
            self.refuse(f"needs {'class_num' if self.solid else 'cls_num'}", PARAM)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Rows for the sampled regions."""
        if self.solid:
            return [Shape((1, values)) for values in (7, 1, *[6 * self.classes] * 3)]
        for index, wanted in enumerate(((5,), (7, 8))):
            if legacy(self, bottoms[index], index)[1] not in wanted:
                values = " or ".join(map(str, wanted))
                self.refuse(
                    f"{self.named(index)} {bottoms[index]} must hold {values} values per box", "bottom", index
                )
        samples = max(1, bottoms[0][0]) if self.samples == -1 else self.samples
        each = (5, 1, *[4 * self.classes] * 3, 6, 1)
        return [Shape((samples, number, 1, 1)) for number in each[: self.top_count]]

    def data_dependent(self, bottoms: Sequence[Shape]) -> str | None:
        """The sampled regions."""
        if self.solid:
            return "one row per region; Caffe sets up one"
        return "one row per region that is sampled" if self.samples == -1 else None

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The overlap of each region, and of the truth itself, with each box of the truth, the
        largest, and the target of each sampled region."""
        truth = legacy(self, bottoms[1], 1)[0]
        boxes = legacy(self, bottoms[0], 0)[0] + truth
        pairs, samples = boxes * truth, tops[0][0]
        return OpCount(
            adds=10 * pairs + 18 * samples,
            muls=3 * pairs + 4 * samples,
            divs=pairs + 8 * samples,
            compares=8 * pairs + 3 * boxes,
            exps=2 * samples,
        )

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """None: Caffe aborts where a gradient is wanted; caffe_3d_faster_rcnn's propagates none."""
        return None if any(wanted.bottoms) and not self.solid else NOTHING
