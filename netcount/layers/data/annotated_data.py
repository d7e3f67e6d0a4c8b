from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from netcount.core.shape import Shape
from netcount.layers.data._images import Images
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message


class AnnotatedData(Images):
    """SSD's images with boxes: the label is 1×1×boxes×8, one box until data come.

    With MobileNet-YOLO's yolo_data_type 1 it is N×1×300×5.  Its third top are maps of the classes,
    as many as its label map has unless there is a single_class (annotated_data_layer.cpp of both).
    """

    type = "AnnotatedData"
    source = "SSD"
    params: tuple[str, ...] = ("data_param",)
    tops: ClassVar[Arity] = Arity(1, 3)
    knows_colour = False

    def check(self, transform: Message) -> None:
        """An image of its own size makes a batch of its own."""
        batch = self.message.child("data_param").integer("batch_size")
        for resize in transform.children("resize_param")[:1]:
            if resize.text("resize_mode") == "FIT_SMALL_SIZE" and batch != 1:
                self.refuse(
                    f"resize_mode FIT_SMALL_SIZE needs a batch_size of 1, not {batch}", "data_param.batch_size"
                )

    def label(self, images: int, data: Shape | None) -> Shape | None:
        """One box of eight numbers, as SSD's layer sets it up before data come."""
        if self.message.child("annotated_data_param").integer("yolo_data_type") == 1:
            return Shape((images, 1, 300, 5))
        return Shape((1, 1, 1, 8))

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """The maps N×1×H×W, by a size of their own or a part of the image's; the width goes first."""
        image = given.get(0) or super().shape_of(0, given)
        param = self.message.child("annotated_data_param")
        if index < 2:
            return super().shape_of(index, given)
        if image is None or len(image) != 4 or not param.flag("single_class"):
            return None
        own = param.integer("seg_resize_width"), param.integer("seg_resize_height")
        part = param.integer("seg_scales")
        if not all(own) and part < 1:
            self.refuse(f"seg_scales {part} must be positive", "annotated_data_param.seg_scales")
        return Shape((image[0], 1, *(own if all(own) else (image[2] // part, image[3] // part))))
