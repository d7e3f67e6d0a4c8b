from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from netcount.core.shape import Shape
from netcount.layers.bases import Source
from netcount.layers.data._images import COLOURS
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message

PARAM = "eval_data_param"


class EvalData(Source):
    """Cascade R-CNN's images for a test, with the truth and their sizes.

    -> N×C×H×W, boxes G×8×1×1, of which Caffe sets up one[, N×2×1×1 heights and widths].  Height and
    width are the resized image's: with a short and a long side it is set up as upright; else the list of
    images knows them.  Source: eval_data_layer.cpp of cascade-rcnn.
    """

    type = "EvalData"
    source = "cascade-rcnn"
    tops: ClassVar[Arity] = Arity(2, 3)
    batch: int
    extent: tuple[int, int]

    def read(self, message: Message) -> None:
        """Batch, height and width."""
        param = message.child(PARAM)
        self.batch = param.integer("batch_size")
        resized = param.has("resize_height") and param.has("resize_width")
        if self.batch != 1 and not resized:
            self.refuse("needs a batch_size of 1, or resize_height and resize_width", f"{PARAM}.batch_size")
        fields = ("resize_height", "resize_width") if resized else ("long_size", "short_size")
        self.extent = (param.integer(fields[0]), param.integer(fields[1]))
        self.assumed = f"{COLOURS} channels are assumed, only its list of images knows"

    def infer_given(self, given: Mapping[int, Shape]) -> list[Shape]:
        """Nothing is assumed of an image that is given."""
        if 0 in given or not all(self.extent):
            self.assumed = None
        return super().infer_given(given)

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """By the top's position."""
        if index == 1:
            return Shape((1, 8, 1, 1))
        image = given.get(0)
        if image is None and all(self.extent):
            image = Shape((self.batch, COLOURS, *self.extent))
        return image if image is None or not index else Shape((image[0], 2, 1, 1))
