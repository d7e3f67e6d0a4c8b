from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.detection._sampling import SAMPLED
from netcount.layers.detection.proposal_target_layer import ProposalTargetLayer
from netcount.layers.layer import TWO, Arity, Wanted
from netcount.prototxt.message import Message

CLASSES = 21
"""n_classes of its voc_config.json: the 20 of Pascal VOC, and the background."""


class FrcnnProposalTarget(ProposalTargetLayer):
    """py-faster-rcnn's sampled boxes as a layer in C++, set up by a configuration beside the net.

    (boxes R×5, truth G×5) -> S×5×1×1 boxes, S×1×1×1 labels, and S×4K×1×1 targets, inside and outside
    weights; S is 128 and K 21, as in its voc_config.json.
    Source: frcnn_proposal_target_layer.cpp of caffe-faster-rcnn (makefile/frcnn, D-X-Y).
    """

    type = "FrcnnProposalTarget"
    python = ""
    source = "caffe-faster-rcnn"
    bottoms = TWO
    tops: ClassVar[Arity] = Arity(5, 5)
    classes: int
    attributes: bool
    relations: bool
    ignored: int

    def read(self, message: Message) -> None:
        """Nothing: the file says neither classes nor limits."""
        self.classes, self.attributes, self.relations, self.ignored = CLASSES, False, False, -1

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """None with `propagate_down: false`, as its nets have it; Caffe aborts where a gradient is wanted."""
        return None if any(wanted.bottoms) else NOTHING

    def data_dependent(self, bottoms: Sequence[Shape]) -> str | None:
        """The sampled boxes, and the classes."""
        return f"{SAMPLED} sampled boxes at most and {CLASSES} classes, as in caffe-faster-rcnn's voc_config.json"
