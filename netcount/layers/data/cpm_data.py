from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from netcount.core.shape import Shape
from netcount.layers.bases import Source, child_of
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message

CHANNELS = 4
"""Channels that people's databases have: three colours, and a map of the person's centre."""


class CPMData(Source):
    """Images of people with maps of their joints, of convolutional pose machines and OpenPose.

    -> N×C×H×W, and maps and their weights N×2(num_parts+1)×(H/stride)×(W/stride).  In TRAIN height and
    width are crop_size_y and crop_size_x; in TEST, and for the channels, the database decides.
    Source: cpm_data_layer.cpp of OpenPose's caffe_train (cpm_transform_param) and of convolutional pose
    machines (transform_param, cpmdata_param); Wei et al. 2016, arXiv 1602.00134.
    """

    type = "CPMData"
    source = "OpenPose"
    tops: ClassVar[Arity] = Arity(1, 2)
    batch: int
    extent: tuple[int, int]
    maps: int
    stride: int

    def read(self, message: Message) -> None:
        """Batch, extents, joints and stride."""
        self.batch = child_of(message, "cpmdata_param", "data_param").integer("batch_size")
        param = child_of(message, "cpm_transform_param", "transform_param")
        self.extent = (param.integer("crop_size_y"), param.integer("crop_size_x"))
        self.maps = 2 * (param.integer("num_parts") + 1)
        self.stride = param.integer("stride") if param.has("stride") else 4
        if self.stride < 1:
            self.refuse("stride must be positive", "cpm_transform_param.stride")
        what = "" if self.phase == "TRAIN" else ", and the crop's size,"
        self.assumed = f"{CHANNELS} channels{what} are assumed, only the database knows"

    def infer_given(self, given: Mapping[int, Shape]) -> list[Shape]:
        """Nothing is assumed of an image that is given."""
        if 0 in given:
            self.assumed = None
        return super().infer_given(given)

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """The image, and its maps."""
        image = given.get(0)
        if image is None and self.batch:
            image = Shape((self.batch, CHANNELS, *self.extent))
        if image is None or len(image) != 4 or not index:
            return image
        return Shape((image[0], self.maps, *(side // self.stride for side in image[2:])))
