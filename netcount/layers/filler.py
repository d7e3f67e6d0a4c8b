"""Fillers: how Caffe initializes a parameter blob that no .caffemodel gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcount.core.shape import Shape
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    import numpy as np

    from netcount.kernels.run import Array

TYPES = frozenset(
    ("constant", "gaussian", "gaussian_unitball", "uniform", "positive_unitball", "xavier", "msra", "bilinear")
)
"""Caffe's, and caffe-windows' gaussian_unitball."""

_PLAIN = ("constant", "xavier", "msra")
"""Types that fill every blob that has an axis and elements."""


class Filler:
    """A FillerParameter, checked as Caffe's GetFiller and Fill do (include/caffe/filler.hpp).

    given: whether the file names it at all; where it does not, Caffe fills with zeros.
    """

    __slots__ = ("field", "given", "owner", "type")
    field: str
    given: bool
    owner: Message
    type: str

    def __init__(self, owner: Message, field: str) -> None:
        """The filler in `field` of a parameter message."""
        self.owner = owner
        self.field = field
        self.given = field in owner.values
        self.type = "constant"
        if self.given:
            self._name(self.message)

    @classmethod
    def of(cls, message: Message) -> Filler:
        """The filler that a FillerParameter is itself (one of a repeated field)."""
        filler = cls(message, "")
        filler.given = True
        filler._name(message)
        return filler

    def _name(self, message: Message) -> None:
        self.type = message.text("type")
        if self.type not in TYPES:
            message.refuse(f'unknown filler "{self.type}"; known are {", ".join(sorted(TYPES))}', "type")

    @property
    def message(self) -> Message:
        """The FillerParameter; an empty one where the file names none."""
        return self.owner.child(self.field) if self.field else self.owner

    def check(self, shape: Shape) -> None:
        """Raise InputError where Caffe would refuse to fill a blob of this shape."""
        if 0 in shape:
            self.message.refuse(f"a {self.type} filler cannot fill a blob without elements ({shape})", "type")
        if not self.given:
            return
        message = self.message
        if self.type in _PLAIN and shape and "sparse" not in message.values:
            return
        if self.type == "bilinear" and (len(shape) != 4 or shape[2] != shape[3]):
            message.refuse(f"a bilinear filler needs a square 4-axis blob, not {shape}", "type")
        if self.type in ("positive_unitball", "gaussian_unitball", "xavier", "msra") and not shape:
            message.refuse(f"a {self.type} filler needs a blob with an axis, not a {shape}", "type")
        if self.type == "gaussian" and not message.number("std") > 0:
            message.refuse(f"a gaussian filler needs std > 0, not {message.number('std'):g}", "std")
        least, most = message.number("min"), message.number("max")
        if self.type == "uniform" and not least <= most:
            message.refuse(f"a uniform filler needs min <= max, not {least:g} and {most:g}", "min")
        sparse = message.integer("sparse")
        if sparse != -1 and (self.type != "gaussian" or sparse < -1):
            message.refuse(f"sparse {sparse} is not supported by the {self.type} filler", "sparse")
        if sparse >= 0 and (not shape or sparse > shape[0]):
            message.refuse(f"sparse {sparse} is more than axis 0 of the blob ({shape}) allows", "sparse")

    def fill(self, shape: Shape, generator: np.random.Generator) -> Array:
        """An array of `shape`, filled by the rule with numbers from `generator`."""
        from netcount.kernels.fillers import FILLS  # numpy is wanted only here

        return FILLS[self.type](self.message, shape, generator)
