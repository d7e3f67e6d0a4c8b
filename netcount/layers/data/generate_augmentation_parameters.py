from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import ShapesOnly, legacy
from netcount.layers.data.data_augmentation import COEFFICIENTS, PARAM
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message


class GenerateAugmentationParameters(ShapesOnly):
    """Draws how images are to be changed.  (any N×… | K, original, crop | nothing) -> K = N×42×1×1.  No weights.

    Source: generate_augmentation_parameters_layer.cpp of lmb-freiburg/flownet2.
    """

    type = "GenerateAugmentationParameters"
    source = "FlowNet2"
    bottoms: ClassVar[Arity] = Arity(0, 3)
    images: int
    extents_given: bool

    def read(self, message: Message) -> None:
        """Where the number of images and their extents come from."""
        param = message.child(PARAM)
        given = len(message.texts("bottom"))
        self.images = param.integer("num")
        self.extents_given = param.has("bottomwidth") and param.has("bottomheight")
        if given == 2:
            self.refuse("takes one bottom or three, not 2", "bottom", 1)
        if not given and not self.images:
            self.refuse("needs a bottom or a positive num", PARAM)
        if given < 3 and not (param.has("crop_width") and param.has("crop_height")):
            self.refuse("needs crop_width and crop_height, where no bottom has that size", PARAM)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Coefficients for each image."""
        if not bottoms:
            return [Shape((self.images, COEFFICIENTS, 1, 1))]
        images, _, *extents = legacy(self, bottoms[0], 0)
        if len(bottoms) == 1 and max(extents) < 2 and not self.extents_given:
            self.refuse("needs bottomwidth and bottomheight, where the bottom is no image", PARAM)
        return [Shape((images, COEFFICIENTS, 1, 1))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """None is counted: draws of chance."""
        return NOTHING
