from __future__ import annotations

from netcount.core.shape import Shape
from netcount.layers.data._images import Images
from netcount.layers.layer import TWO
from netcount.prototxt.message import Message


class ImageLabelData(Images):
    """Images, and label images from a list of their own.  -> N×3×H×W, N×1×h×w.

    h and w are the dim of label_slice (torrvision/caffe-tvg); without it, as in caffe-jacinto, they are
    the image's.  Source: image_label_data_layer.cpp of torrvision/caffe-tvg.
    """

    type = "ImageLabelData"
    source = "caffe-tvg, caffe-jacinto"
    params: tuple[str, ...] = ("image_label_data_param",)
    tops = TWO
    part: tuple[int, ...] | None

    def read(self, message: Message) -> None:
        """The part of the label image that is taken."""
        super().read(message)
        part = message.child("image_label_data_param").child("label_slice").integers("dim")
        self.part = tuple(part[:2]) if len(part) > 1 else None

    def label(self, images: int, data: Shape | None) -> Shape | None:
        """N×1×h×w."""
        extent: tuple[int, ...] | None = self.part or (data[2:4] if data and len(data) == 4 else self.extent)
        return Shape((images, 1, *extent)) if extent else None
