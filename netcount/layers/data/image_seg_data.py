from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from netcount.core.shape import Shape
from netcount.layers.data._images import Images
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message


class ImageSegData(Images):
    """DeepLab's images, label images N×1×H×W and the data's own extents N×1×1×2.

    Source: image_seg_data_layer.cpp of DeepLab's Caffe.
    """

    type = "ImageSegData"
    source = "DeepLab"
    params: tuple[str, ...] = ("image_data_param",)
    tops: ClassVar[Arity] = Arity(1, 3)

    def check(self, transform: Message) -> None:
        """A mean by values only, and a crop by one number or by both."""
        self.pair("new")
        if transform.has("mean_file"):
            self.refuse("knows no mean_file", "transform_param.mean_file")
        sides = [transform.has(f"crop_{side}") for side in ("height", "width")]
        if any(sides) and (transform.has("crop_size") or not all(sides)):
            self.refuse("needs crop_size, or both crop_height and crop_width", "transform_param")

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """Image, label image, and height and width of the image."""
        if index == 2:
            images = given[0][0] if given.get(0) else self.batch
            return Shape((images, 1, 1, 2)) if images else None
        return super().shape_of(index, given)

    def label(self, images: int, data: Shape | None) -> Shape | None:
        """N×1×H×W."""
        height, width = data[2:4] if data and len(data) == 4 else self.extent or (0, 0)
        return Shape((images, 1, height, width)) if height else None
