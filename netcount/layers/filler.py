"""Fillers: how Caffe initializes a parameter blob that no .caffemodel gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    import numpy as np

    from netcount.layers.run import Array

TYPES = frozenset(
    ("constant", "gaussian", "uniform", "positive_unitball", "xavier", "msra", "bilinear")
)


class Filler:
    """A FillerParameter, checked as Caffe's GetFiller and Fill check it (include/caffe/filler.hpp)."""

    __slots__ = ("message", "type")

    def __init__(self, message: Message) -> None:
        self.message = message
        self.type = message.text("type")
        if message.values and self.type not in TYPES:
            message.refuse(f'unknown filler "{self.type}"; known are {", ".join(sorted(TYPES))}', "type")

    @property
    def given(self) -> bool:
        """Whether the file names this filler at all."""
        return bool(self.message.values)

    def check(self, shape: Shape) -> None:
        """Raise InputError where Caffe would refuse to fill a blob of this shape."""
        message = self.message
        if self.type == "bilinear" and (len(shape) != 4 or shape[2] != shape[3]):
            message.refuse(f"a bilinear filler needs a square 4-axis blob, not {shape}", "type")
        if self.type == "gaussian" and message.number("std") <= 0:
            message.refuse("a gaussian filler needs std > 0", "std")
        if self.type == "uniform" and message.number("min") > message.number("max"):
            message.refuse("a uniform filler needs min <= max", "min")
        if self.type not in ("gaussian", "constant", "bilinear") and not shape.count():
            message.refuse(f"a {self.type} filler cannot fill an empty blob ({shape})", "type")
        if self.type != "gaussian" and message.integer("sparse") != -1:
            message.refuse(f"sparsity is not supported by the {self.type} filler", "sparse")

    def fill(self, shape: Shape, generator: np.random.Generator) -> Array:
        """An array of `shape`, filled by the rule with numbers from `generator`."""
        from netcount.layers.filling import FILLS  # numpy is wanted only here

        return FILLS[self.type](self.message, shape, generator)
