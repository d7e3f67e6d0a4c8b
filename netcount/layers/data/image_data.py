from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from netcount.core.shape import Shape
from netcount.layers.data._images import Images
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message

PARAM = "image_data_param"


class ImageData(Images):
    """Images of a list of files (image_data_layer.cpp).

    With a third top, caffe_train's (yuqj1991): as many images of each label one after the other; the
    second top has a number of images for each of label_num labels, the third a label per image.
    """

    type = "ImageData"
    params: tuple[str, ...] = (PARAM,)
    tops: ClassVar[Arity] = Arity(2, 3)
    labels: int

    def check(self, transform: Message) -> None:
        """new_height and new_width come together and leave room for the crop."""
        self.pair("new")
        param = self.message.child(PARAM)
        self.labels = param.integer("label_num")
        if self.top_count > 2 and self.labels * param.integer("sample_num") != param.integer("batch_size"):
            self.refuse("with three tops batch_size must be label_num times sample_num", f"{PARAM}.batch_size")
        height, width = param.integer("new_height"), param.integer("new_width")
        if not param.integer("batch_size"):
            self.refuse("batch_size must be positive", f"{PARAM}.batch_size")
        crop = transform.integer("crop_size")
        if height and crop > min(height, width):
            self.refuse(f"crop_size {crop} is larger than {height}×{width}", "transform_param.crop_size")

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """As of all images, but for the second of three tops."""
        return Shape((self.labels,)) if (index, self.top_count) == (1, 3) else super().shape_of(index, given)
