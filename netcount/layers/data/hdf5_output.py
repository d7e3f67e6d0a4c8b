from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.shape import Shape
from netcount.layers.bases import Moving, legacy
from netcount.layers.layer import NONE, Arity
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class HDF5Output(Moving):
    """Writes its bottoms to an HDF5 file; computes nothing (hdf5_output_layer.cpp)."""

    type = "HDF5Output"
    bottoms: ClassVar[Arity] = Arity(2, 2)
    tops = NONE

    def read(self, message: Message) -> None:
        """A file name, which Caffe opens at once."""
        if not message.child("hdf5_output_param").text("file_name"):
            self.refuse("needs a file_name to write to", "hdf5_output_param")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """No tops."""
        return []

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Nothing is written here; but only here Caffe asks for as many images as labels."""
        data, label = (legacy(self, Shape(bottom.shape), index) for index, bottom in enumerate(bottoms))
        if data[0] != label[0]:
            self.refuse(f"{data[0]} images and {label[0]} labels cannot be written together", "bottom", 1)
        return []
