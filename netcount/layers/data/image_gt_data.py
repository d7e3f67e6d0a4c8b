from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from netcount.core.shape import Shape
from netcount.layers.bases import Source
from netcount.layers.data._images import COLOURS
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message


class ImageGtData(Source):
    """MS-CNN's images with the truth of each of its branches.

    -> N×C×H×W, for each downsample_rate N×(2+coord_num)×(H/rate)×(W/rate), and with output_gt_boxes
    boxes G×7×1×1, of which Caffe sets up one.  Height and width are the crop's or the resized image's,
    else the list of images knows them.  Source: image_gt_data_layer.cpp of mscnn.
    """

    type = "ImageGtData"
    source = "mscnn"
    tops: ClassVar[Arity] = Arity(2, None)
    param: ClassVar[str] = "image_gt_data_param"
    rate: ClassVar[str] = "downsample_rate"
    """The field with how many pixels a cell of each branch has."""
    box: ClassVar[int] = 7
    """Values of a box."""

    batch: int
    rates: list[int]
    values: int
    extent: tuple[int, int] | None

    def read(self, message: Message) -> None:
        """Batch, height and width, and the branches' fields."""
        param = message.child(self.param)
        self.batch = param.integer("batch_size")
        self.rates = param.integers(self.rate)
        self.values = 2 + param.integer("coord_num")
        for field in ("field_h", "field_w"):
            if len(param.integers(field)) != len(self.rates):
                self.refuse(
                    f"{len(param.integers(field))} {field} for {len(self.rates)} {self.rate}",
                    f"{self.param}.{field}",
                )
        for index, rate in enumerate(self.rates):
            if not rate:
                self.refuse(f"{self.rate} must be positive", f"{self.param}.{self.rate}", index)
        boxes = param.flag("output_gt_boxes")
        wanted = 1 + len(self.rates) + boxes
        if self.top_count != wanted or wanted < self.tops.least:
            self.refuse(
                f"needs {wanted} tops: the image, one for each of {len(self.rates)} {self.rate}"
                f"{', and the boxes' if boxes else ''}; it has {self.top_count}",
                "top",
            )
        self.extent = self._extent(param)
        self.assumed = f"{COLOURS} channels are assumed, only its list of images knows"

    def _extent(self, param: Message) -> tuple[int, int] | None:
        resized, cropped = (
            (param.integer(f"{form}_height"), param.integer(f"{form}_width"))
            if param.has(f"{form}_height") and param.has(f"{form}_width")
            else (0, 0)
            for form in ("resize", "crop")
        )
        for field, crop, limit in zip(("crop_height", "crop_width"), cropped, resized, strict=True):
            if limit and crop > limit:
                self.refuse(f"{field} {crop} is larger than the resized image's {limit}", f"{self.param}.{field}")
        high, wide = (crop or whole for crop, whole in zip(cropped, resized, strict=True))
        return (high, wide) if high and wide else None

    def infer_given(self, given: Mapping[int, Shape]) -> list[Shape]:
        """Nothing is assumed of an image that is given."""
        if 0 in given or self.extent is None:
            self.assumed = None
        return super().infer_given(given)

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """By the top's position; a branch has one cell for each whole downsample_rate."""
        if index > len(self.rates):
            return Shape((1, self.box, 1, 1))
        image = given.get(0)
        if image is None and self.extent and self.batch:
            image = Shape((self.batch, COLOURS, *self.extent))
        if image is None or len(image) != 4 or not index:
            return image
        rate = self.rates[index - 1]
        return Shape((image[0], self.values, *(self.cells(side, rate) for side in image[2:])))

    def cells(self, side: int, rate: int) -> int:
        """Cells of a branch along a side of the image."""
        return side // rate
