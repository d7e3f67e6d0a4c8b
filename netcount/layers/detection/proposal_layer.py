from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.detection._sampling import AnchorSet, setting
from netcount.layers.detection.proposal import Proposal
from netcount.layers.layer import Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Mask, Run


PROPOSALS = {"TEST": 300, "TRAIN": 2000}
"""py-faster-rcnn's RPN_POST_NMS_TOP_N."""


CANDIDATES = {"TEST": 6000, "TRAIN": 12000}
"""Its RPN_PRE_NMS_TOP_N."""


class ProposalLayer(Proposal):
    """py-faster-rcnn's rpn.proposal_layer, for one image.

    (scores 1×2A×H×W, deltas 1×4A×H×W, image 1×3) -> R×5[, R×1], R being at most 300 in TEST and
    2000 in TRAIN by custom.  A is as many as `scales` × `ratios` of param_str (PVANet's layer reads
    both), else as the channels ask for.
    """

    type = "Python"
    source = "py-faster-rcnn"
    python = "rpn.proposal_layer.ProposalLayer"
    replaceable = True
    stride: int
    base: int
    least: int
    threshold: float
    before: int
    most: int
    set: AnchorSet
    ratios: list[float]
    scales: list[float]

    def read(self, message: Message) -> None:
        """Stride and anchors are in param_str; the limits are py-faster-rcnn's for the phase."""
        text = message.child("python_param").text("param_str")
        self.stride, self.base = setting(text, "feat_stride", 16), 16
        self.least, self.threshold = 16, 0.7
        self.before, self.most = CANDIDATES[self.phase], PROPOSALS[self.phase]
        self.set = AnchorSet(text)
        self.ratios, self.scales = self.set.ratios, self.set.scales

    def anchors(self, bottoms: Sequence[Shape]) -> int:
        """By param_str, else by the channels of the deltas."""
        return self.set.number(bottoms[1][1] if len(bottoms[1]) > 1 else 0, 4)

    def data_dependent(self, bottoms: Sequence[Shape]) -> str | None:
        """The proposals."""
        anchors, rest = self.anchors(bottoms), super().data_dependent(bottoms)
        return rest if self.set.known(anchors) else f"{rest}; {anchors} anchors a position, by the channels"

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """None: it propagates no gradients."""
        return NOTHING

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """R×5 and R×1."""
        self.check(bottoms)
        return [Shape((self.most, 5)), Shape((self.most, 1))][: self.top_count]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """As Proposal, of a single image."""
        if len(bottoms[0]) != 1:
            self.refuse(f"takes one image, not {len(bottoms[0])}", "bottom")
        number = self.anchors([Shape(bottom.shape) for bottom in bottoms])
        if not self.set.known(number):
            self.refuse(f"the file names no scales of its {number} anchors", "bottom", 1, advice=self.given_tops())
        return super().forward(bottoms, blobs, run)

    def without(self, large: Mask, boxes: Array, scores: Array) -> tuple[Array, Array]:
        """Boxes that are too small are dropped."""
        return boxes[large], scores[large]

    def as_top(self, scores: Array) -> Array:
        """R×1."""
        return scores[:, None]
