from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.detection.proposal_layer import ProposalLayer
from netcount.layers.layer import Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class FrcnnProposal(ProposalLayer):
    """py-faster-rcnn's proposals as a layer in C++, set up by a configuration beside the net.

    (scores 1×2A×H×W, deltas 1×4A×H×W, image 1×3) -> R×5×1×1[, R×1×1×1]; A by the channels, and R at
    most 300 in TEST and 2000 in TRAIN, as in its voc_config.json.
    Source: frcnn_proposal_layer.cpp of caffe-faster-rcnn (makefile/frcnn, D-X-Y).
    """

    type = "FrcnnProposal"
    python = ""
    source = "caffe-faster-rcnn"
    stride: int

    def read(self, message: Message) -> None:
        """The stride, which the file may name; the rest is py-faster-rcnn's."""
        super().read(message)
        self.stride = message.child("proposal_param").integer("feat_stride") or self.stride

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """None with `propagate_down: false`, as its nets have it; Caffe aborts where a gradient is wanted."""
        return None if any(wanted.bottoms) else NOTHING

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """R×5×1×1 and R×1×1×1."""
        return [Shape((*top, 1, 1)) for top in super().infer(bottoms)]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """As py-faster-rcnn's."""
        return [top[:, :, None, None] for top in super().forward(bottoms, blobs, run)]
