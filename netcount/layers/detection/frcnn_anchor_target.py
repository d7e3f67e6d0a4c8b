from __future__ import annotations

from collections.abc import Sequence

from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.detection.anchor_target_layer import AnchorTargetLayer
from netcount.layers.layer import THREE, Wanted


class FrcnnAnchorTarget(AnchorTargetLayer):
    """py-faster-rcnn's anchor targets as a layer in C++, set up by a configuration beside the net.

    (scores 1×2A×H×W, truth G×5, image 1×3) -> labels 1×1×(A·H)×W, and 1×4A×H×W targets, inside and
    outside weights; A by the channels.
    Source: frcnn_anchor_target_layer.cpp of caffe-faster-rcnn (makefile/frcnn, D-X-Y).
    """

    type = "FrcnnAnchorTarget"
    python = ""
    source = "caffe-faster-rcnn"
    bottoms = THREE

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """None with `propagate_down: false`, as its nets have it; Caffe aborts where a gradient is wanted."""
        return None if any(wanted.bottoms) else NOTHING
