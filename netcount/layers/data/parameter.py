from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from netcount.core.shape import Shape
from netcount.layers.bases import Source
from netcount.layers.layer import ONE, ParamBlob
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Parameter(Source):
    """A learned blob as a top (parameter_layer.hpp).  shape -> the same shape, one weight blob."""

    type = "Parameter"
    tops = ONE
    computes = True
    learned = True
    shape: Shape

    def read(self, message: Message) -> None:
        """The blob's shape."""
        shape = message.child("parameter_param").child("shape")
        self.shape = Shape(shape.integers("dim"))

    def infer_given(self, given: Mapping[int, Shape]) -> list[Shape]:
        """The blob's shape; another cannot be given."""
        if given:
            self.refuse(f"its blob is {self.shape}; another shape cannot be given", "parameter_param")
        return [self.shape]

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """The blob's shape."""
        return self.shape

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """The blob itself."""
        return [ParamBlob(self.shape, "weight")]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The blob's values."""
        return [blobs[0]]
