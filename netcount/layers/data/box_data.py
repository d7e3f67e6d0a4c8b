from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from netcount.core.shape import Shape
from netcount.layers.data._images import Images
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message

GRID = 7
"""caffe-yolo's side where none is given."""
CELL = 7
"""What it has for a cell: difficulty, presence, label and box."""
BOX = 5
"""What MaskYolo has for a box."""


class BoxData(Images):
    """YOLO's images with boxes.  -> N×3×H×W, labels N×K.

    yeahkun/caffe-yolo: a top of K = side²·7 for each side (7 where none is given).
    leon-liangwu/MaskYolo_Caffe, known by min_size_and, min_size_or, max_box_num or resize_h: K =
    max_box_num·5.  Source: box_data_layer.cpp of both.
    """

    type = "BoxData"
    source = "caffe-yolo, MaskYolo"
    params: tuple[str, ...] = ("data_param",)
    tops: ClassVar[Arity] = Arity(1, None)
    knows_colour = False
    boxed: bool
    labels: list[int]

    def read(self, message: Message) -> None:
        """Which fork's it is, and the label's extents."""
        param, transform = message.child("data_param"), message.child("transform_param")
        boxed = any(param.has(name) for name in ("min_size_and", "min_size_or", "max_box_num"))
        self.boxed = boxed or transform.has("resize_h")
        sides = param.integers("side") or [GRID]
        self.labels = (
            [param.integer("max_box_num") * BOX] if self.boxed else [side * side * CELL for side in sides]
        )
        if self.top_count > 1 and len(self.labels) != self.top_count - 1:
            self.refuse(f"makes {len(self.labels)} labels, not {self.top_count - 1}", "data_param.side")
        super().read(message)

    def _extent(self, param: Message, transform: Message) -> tuple[int, int] | None:
        """MaskYolo's resize_h and resize_w before all others."""
        if transform.integer("resize_h") and transform.integer("resize_w"):
            return transform.integer("resize_h"), transform.integer("resize_w")
        return super()._extent(param, transform)

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """The image, and a label per side."""
        if index == 0:
            return super().shape_of(0, given)
        images = given[0][0] if given.get(0) else self.batch
        return Shape((images, self.labels[index - 1])) if images else None
