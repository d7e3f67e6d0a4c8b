from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs
from netcount.layers.detection._sampling import setting
from netcount.layers.layer import THREE, TWO
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

HEIGHTS = (11, 16, 23, 33, 48, 68, 97, 139, 198, 283)
"""Heights of CTPN's anchors (anchor.py); all are 16 wide."""


class TextProposalLayer(NoBlobs):
    """CTPN's narrow boxes of text, all of them.

    (scores 1×2A×H×W, deltas 1×2A×H×W of y and height, image 1×3) -> (H·W·A)×4 boxes x1, y1, x2, y2 and
    (H·W·A)×1 scores; A is 10 in CTPN.  Source: src/layers/text_proposal_layer.py of CTPN; Tian et al.
    2016, arXiv 1609.03605.
    """

    type = "Python"
    source = "CTPN"
    python = "layers.text_proposal_layer.ProposalLayer"
    bottoms = THREE
    tops = TWO
    stride: int

    def read(self, message: Message) -> None:
        """The stride of param_str."""
        self.stride = setting(message.child("python_param").text("param_str"), "feat_stride", 16)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """A row per anchor."""
        scores, deltas, _ = bottoms
        if len(scores) != 4 or scores[0] != 1 or scores[1] % 2:
            self.refuse(f"{self.named(0)} {scores} must be 1×2A×H×W", "bottom")
        if deltas != scores:
            self.refuse(f"{self.named(1)} {deltas} must be as {self.named(0)} {scores}", "bottom", 1)
        anchors = scores.count() // 2
        return [Shape((anchors, 4)), Shape((anchors, 1))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An anchor: its place (4 adds, 2 muls), its height and centre, the box moved (an exp, 2 muls, 3
        adds, a div) and clipped."""
        anchors = tops[0][0]
        return OpCount(adds=10 * anchors, muls=4 * anchors, divs=2 * anchors, compares=8 * anchors, exps=anchors)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Position after position, anchor after anchor."""
        scores, deltas, info = bottoms
        anchors = scores.shape[1] // 2
        if anchors != len(HEIGHTS) or info.size < 2:
            self.refuse(
                f"runs with CTPN's {len(HEIGHTS)} anchors and an image's size, not with {anchors}", "bottom"
            )
        half = np.array(HEIGHTS) // 2
        y0, y1 = np.trunc(7.5 - half), np.trunc(7.5 + half)  # whole pixels, as the fork's integers
        shift = np.arange(scores.shape[2])[:, None, None] * self.stride
        centre, height = (y0 + y1) / 2 + shift, y1 - y0 + 1
        moved = deltas[0].transpose(1, 2, 0).reshape(*scores.shape[2:], anchors, 2)
        tall = np.exp(moved[..., 1]) * height
        top = moved[..., 0] * height + centre - tall / 2
        left = np.broadcast_to(np.arange(scores.shape[3])[:, None] * self.stride, top.shape)
        boxes = np.stack([left, top, left + 15, top + tall], axis=-1).reshape(-1, 4)
        high, wide = info.reshape(-1)[:2].tolist()
        clipped = np.clip(boxes, 0, np.array([wide - 1, high - 1] * 2)).astype(np.float32)
        return [clipped, scores[0, anchors:].transpose(1, 2, 0).reshape(-1, 1).copy()]
