from __future__ import annotations

from netcount.core.shape import Shape
from netcount.layers.data._images import Images
from netcount.prototxt.message import Message


class CompactData(Images):
    """Encoded images of an LMDB or LevelDB, cropped.  -> N×C×crop×crop[, N×1×1×1].

    Source: compact_data_layer.cpp (lxx1991/caffe_mpi, bogger/caffe-multilabel), written COMPACT_DATA.
    """

    type = "CompactData"
    source = "caffe_mpi"
    params: tuple[str, ...] = ("data_param",)

    def check(self, transform: Message) -> None:
        """crop_size must be given: the images have no size of their own."""
        if not transform.integer("crop_size"):
            self.refuse("crop_size must be positive", "transform_param")

    def label(self, images: int, data: Shape | None) -> Shape | None:
        """N×1×1×1."""
        return Shape((images, 1, 1, 1))
