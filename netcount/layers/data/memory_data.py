from __future__ import annotations

from collections.abc import Mapping

from netcount.core.shape import Shape
from netcount.layers.bases import Source, check_transform
from netcount.layers.layer import TWO
from netcount.prototxt.message import Message


class MemoryData(Source):
    """Data handed over in memory: the shape is declared (memory_data_layer.cpp).

    In naibaf7's Caffe, of any number of axes, as `dim`.
    """

    type = "MemoryData"
    tops = TWO
    dims: list[int]
    shape: Shape

    def read(self, message: Message) -> None:
        """batch_size × channels × height × width, or each dim; all positive."""
        check_transform(self)
        param = message.child("memory_data_param")
        names = ("batch_size", "channels", "height", "width")
        self.dims = param.integers("dim")
        self.shape = Shape(self.dims or [param.integer(name) for name in names])
        if not all(self.shape):
            what = "each dim" if self.dims else "batch_size, channels, height and width"
            self.refuse(f"{what} must be positive, not {self.shape}", "memory_data_param")

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """The declared shape, and one label per image, in naibaf7's Caffe with as many axes."""
        if index == 0:
            return self.shape
        first = given.get(0) or self.shape
        return Shape((first[0], *[1] * (len(first) - 1 if self.dims else 0)))
