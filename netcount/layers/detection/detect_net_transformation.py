from __future__ import annotations

from collections.abc import Sequence

from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import ShapesOnly, check_transform, legacy
from netcount.layers.layer import TWO
from netcount.prototxt.message import Message

PARAM = "detectnet_groundtruth_param"
BESIDES_CLASSES = 8
"""Foreground, four of the box, its width and height, and the object's norm."""


class DetectNetTransformation(ShapesOnly):
    """Crops and distorts images, and makes a truth for each cell of a grid from their boxes.
    (images N×3×H×W, boxes N×…) -> N×3×Y×X, N×(8 + classes)×(Y / stride)×(X / stride).  No weights.

    Source: detectnet_transform_layer.cpp and detectnet_coverage_rectangular.cpp of NVIDIA/caffe.
    """

    type = "DetectNetTransformation"
    source = "NVIDIA"
    bottoms = TWO
    tops = TWO
    extent: tuple[int, int]
    cells: list[int]
    classes: int

    def read(self, message: Message) -> None:
        """The extents Y×X of the images to make, the grid's step and the classes."""
        check_transform(self)
        param = message.child(PARAM)
        self.extent = (param.integer("image_size_y"), param.integer("image_size_x"))
        stride = param.integer("stride")
        if 0 in (stride, *self.extent):
            self.refuse("image_size_x, image_size_y and stride must be positive", PARAM)
        self.cells = [round(side / stride) for side in self.extent]
        classes = [one.integer("dst") for one in param.children("object_class")]
        self.classes = 1 + max(classes, default=0)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Images, and their truth."""
        images, channels, *_ = legacy(self, bottoms[0], 0)
        if channels != 3:
            self.refuse(f"{self.named(0)} {bottoms[0]} must have 3 channels", "bottom")
        if legacy(self, bottoms[1], 1)[0] != images:
            self.refuse(f"{self.named(1)} {bottoms[1]} must have a row for each of {images} images", "bottom", 1)
        return [
            Shape((images, channels, *self.extent)),
            Shape((images, BESIDES_CLASSES + self.classes, *self.cells)),
        ]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """None is counted: how images are distorted depends on chance, as what any data layer does."""
        return NOTHING
