from __future__ import annotations

from collections.abc import Mapping

from netcount.core.shape import Shape
from netcount.layers.bases import Source
from netcount.prototxt.message import Message


class HDF5Data(Source):
    """Blobs of an HDF5 file, whose shapes only that file knows (hdf5_data_layer.cpp)."""

    type = "HDF5Data"

    def read(self, message: Message) -> None:
        """Nothing that tells a shape; data are not transformed."""
        if message.has("transform_param"):
            self.refuse("does not transform data: transform_param has no meaning", "transform_param")

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """Unknown."""
        return None
