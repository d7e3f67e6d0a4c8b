from __future__ import annotations

from netcount.layers.data._images import Images
from netcount.layers.layer import TWO
from netcount.prototxt.message import Message


class ImageData(Images):
    """Images of a list of files (image_data_layer.cpp)."""

    type = "ImageData"
    params = ("image_data_param",)
    tops = TWO

    def check(self, transform: Message) -> None:
        """new_height and new_width come together and leave room for the crop."""
        self.pair("new")
        param = self.message.child("image_data_param")
        height, width = param.integer("new_height"), param.integer("new_width")
        if not param.integer("batch_size"):
            self.refuse("batch_size must be positive", "image_data_param.batch_size")
        crop = transform.integer("crop_size")
        if height and crop > min(height, width):
            self.refuse(f"crop_size {crop} is larger than {height}×{width}", "transform_param.crop_size")
