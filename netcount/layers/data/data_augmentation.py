from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import ShapesOnly, legacy
from netcount.layers.layer import Arity, ParamBlob
from netcount.prototxt.message import Message

COEFFICIENTS = 42
"""Fields of FlowNet2's AugmentationCoeff."""
PARAM = "augmentation_param"


class DataAugmentation(ShapesOnly):
    """Images cropped, changed at random and freed of their mean.  (N×C×H×W[, K]) -> N×C×h×w[, K].

    K are N×42×1×1 coefficients of what is changed.  Kept, not learned: a count of iterations and, with
    recompute_mean, the mean of each pixel 1×C×h×w and of each channel 1×C×1×1.
    Source: data_augmentation_layer.cpp of lmb-freiburg/flownet2.
    """

    type = "DataAugmentation"
    source = "FlowNet2"
    bottoms: ClassVar[Arity] = Arity(1, 2)
    tops: ClassVar[Arity] = Arity(1, 2)
    crop: tuple[int, int]
    cropped: bool
    kept: bool
    freed: bool

    def read(self, message: Message) -> None:
        """The crop, and whether a mean is kept."""
        param = message.child(PARAM)
        self.crop = (param.integer("crop_height"), param.integer("crop_width"))
        self.cropped = param.has("crop_height") and param.has("crop_width")
        self.kept = bool(param.integer("recompute_mean"))
        self.freed = self.kept or len(param.numbers("mean")) == 3

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The crop, or the image's size; and the coefficients."""
        n, c, *spatial = legacy(self, bottoms[0], 0)
        made = self.crop if self.cropped else tuple(spatial)
        if any(new > old for new, old in zip(made, spatial, strict=True)):
            self.refuse(f"a crop of {made[0]}×{made[1]} is larger than {spatial[0]}×{spatial[1]}", PARAM)
        coefficients = bottoms[1] if len(bottoms) > 1 else Shape((n, COEFFICIENTS, 1, 1))
        return [Shape((n, c, *made)), coefficients][: self.top_count]

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """Iterations and, where they are kept, the means."""
        first = [ParamBlob(Shape((1, 1, 1, 1)), "statistic")]
        if not self.kept:
            return first
        _, c, *spatial = legacy(self, bottoms[0], 0)
        made = self.crop if self.cropped else tuple(spatial)
        return [*first, *[ParamBlob(Shape((1, c, *extents)), "statistic") for extents in (made, (1, 1))]]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A position's place in the image, six muls and four adds, an output's eight muls and three adds of
        four neighbours; without a crop none of these; with a mean an add an output."""
        outputs, positions = tops[0].count(), tops[0][0] * tops[0].count(2)
        moved = OpCount(adds=3 * outputs + 4 * positions, muls=8 * outputs + 6 * positions)
        freed = OpCount(adds=outputs if self.freed else 0)
        return moved + freed if self.cropped else freed
