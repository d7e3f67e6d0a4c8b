from __future__ import annotations

from collections.abc import Sequence

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import ShapesOnly, legacy
from netcount.layers.layer import THREE
from netcount.prototxt.message import Message

PARAM = "augmentation_param"


class FlowAugmentation(ShapesOnly):
    """A flow between two images, made one between the images as they were changed.
    (N×2×H×W, K, K) -> N×2×h×w.  No weights.

    K are the images' N×42×1×1 coefficients of DataAugmentation.
    Source: flow_augmentation_layer.cpp and .cu of lmb-freiburg/flownet2.
    """

    type = "FlowAugmentation"
    source = "FlowNet2"
    bottoms = THREE
    crop: tuple[int, int]

    def read(self, message: Message) -> None:
        """The crop."""
        param = message.child(PARAM)
        self.crop = (param.integer("crop_height"), param.integer("crop_width"))
        if not all(self.crop):
            self.refuse("needs crop_height and crop_width", PARAM)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The crop."""
        n, c, *_ = legacy(self, bottoms[0], 0)
        if c != 2:
            self.refuse(f"{self.named(0)} {bottoms[0]} must have 2 channels", "bottom")
        return [Shape((n, c, *self.crop))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A position: its place in image 1 and that in image 2, four muls and four adds each, between them
        the flow's two adds, and two more for the new flow."""
        positions = tops[0][0] * tops[0].count(2)
        return OpCount(adds=12 * positions, muls=8 * positions)
