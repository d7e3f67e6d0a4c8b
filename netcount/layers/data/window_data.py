from __future__ import annotations

from netcount.layers.data._images import Images
from netcount.layers.layer import TWO
from netcount.prototxt.message import Message


class WindowData(Images):
    """Cropped windows of images, N×3×crop×crop, and a label each (window_data_layer.cpp)."""

    type = "WindowData"
    params: tuple[str, ...] = ("window_data_param",)
    tops = TWO

    def read(self, message: Message) -> None:
        """crop_size is a must."""
        super().read(message)
        if self.extent is None:
            self.refuse("needs a crop_size in transform_param", "transform_param")
