from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.shape import Shape
from netcount.kernels.anchors import RATIOS
from netcount.layers.detection._sampling import scales_of, setting
from netcount.layers.detection.proposal import Proposal
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
    2000 in TRAIN by custom.
    """

    type = "Python"
    source = "py-faster-rcnn"
    python = "rpn.proposal_layer.ProposalLayer"

    def read(self, message: Message) -> None:
        """Stride and scales are in param_str; the limits are py-faster-rcnn's for the phase."""
        text = message.child("python_param").text("param_str")
        self.stride, self.base = setting(text, "feat_stride", 16), 16
        self.least, self.threshold = 16, 0.7
        self.before, self.most = CANDIDATES[self.phase], PROPOSALS[self.phase]
        self.ratios, self.scales = list(RATIOS), scales_of(text)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """R×5 and R×1."""
        self.check(bottoms)
        return [Shape((self.most, 5)), Shape((self.most, 1))][: self.top_count]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """As Proposal, of a single image."""
        if len(bottoms[0]) != 1:
            self.refuse(f"takes one image, not {len(bottoms[0])}", "bottom")
        return super().forward(bottoms, blobs, run)

    def without(self, large: Mask, boxes: Array, scores: Array) -> tuple[Array, Array]:
        """Boxes that are too small are dropped."""
        return boxes[large], scores[large]

    def as_top(self, scores: Array) -> Array:
        """R×1."""
        return scores[:, None]
