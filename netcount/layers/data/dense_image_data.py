from __future__ import annotations

from netcount.core.shape import Shape
from netcount.layers.data._images import Images
from netcount.layers.layer import TWO
from netcount.prototxt.message import Message


class DenseImageData(Images):
    """SegNet's images with a label image of the same height and width.

    -> N×3×H×W, N×1×H×W.  Source: dense_image_data_layer.cpp of SegNet's Caffe.
    """

    type = "DenseImageData"
    source = "SegNet"
    params: tuple[str, ...] = ("dense_image_data_param",)
    tops = TWO

    def check(self, transform: Message) -> None:
        """Heights and widths come together."""
        for form in ("new", "crop"):
            self.pair(form)

    def _extent(self, param: Message, transform: Message) -> tuple[int, int] | None:
        """crop_size, then the layer's own crop, then new_height and new_width."""
        if not transform.integer("crop_size") and param.integer("crop_height"):
            return param.integer("crop_height"), param.integer("crop_width")
        return super()._extent(param, transform)

    def label(self, images: int, data: Shape | None) -> Shape | None:
        """N×1×H×W."""
        height, width = data[2:4] if data and len(data) == 4 else self.extent or (0, 0)
        return Shape((images, 1, height, width)) if height else None
