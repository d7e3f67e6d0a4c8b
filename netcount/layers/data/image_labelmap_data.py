from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from netcount.core.shape import Shape
from netcount.layers.data.image_seg_data import ImageSegData
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message


class ImageLabelmapData(ImageSegData):
    """Images with label images of the same height and width.  -> N×3×H×W, N×1×H×W[, N×1×H×W].

    A third top holds superpixels.  Source: image_labelmap_data_layer.cpp of HED's Caffe (Xie and Tu 2015)
    and of its kin.
    """

    type = "ImageLabelmapData"
    source = "HED"
    tops: ClassVar[Arity] = Arity(1, 3)

    def check(self, transform: Message) -> None:
        """Height and width come together."""
        self.pair("new")

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """All tops behind the image are label images."""
        return super().shape_of(min(index, 1), given)
