from __future__ import annotations

from collections.abc import Mapping

from netcount.core.shape import Shape
from netcount.layers.bases import Source, check_transform
from netcount.layers.layer import TWO
from netcount.prototxt.message import Message


class MemoryData(Source):
    """Data handed over in memory: the shape is declared (memory_data_layer.cpp)."""

    type = "MemoryData"
    tops = TWO

    def read(self, message: Message) -> None:
        """batch_size × channels × height × width, all positive."""
        check_transform(self)
        param = message.child("memory_data_param")
        names = ("batch_size", "channels", "height", "width")
        self.shape = Shape(param.integer(name) for name in names)
        if not all(self.shape):
            self.refuse(
                f"batch_size, channels, height and width must be positive, not {self.shape}",
                "memory_data_param",
            )

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """The declared shape, and one label per image."""
        if index == 0:
            return self.shape
        return Shape(((given.get(0) or self.shape)[0],))
