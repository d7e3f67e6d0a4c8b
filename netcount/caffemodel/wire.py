"""protobuf's binary form, walked by hand: fields, varints and lengths, nothing copied.

Source: https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from netcount.caffemodel.file_bytes import FileBytes
from netcount.core.errors import InputError, Place
from netcount.prototxt.schema import fields_of

MAX_AXES = 32
"""Axes of a blob: Caffe's kMaxBlobAxes (blob.hpp)."""
MAX_INT = 2**31 - 1
"""The most values in a blob (Blob::Reshape), and the most bytes in a protobuf message."""
MAX_ITEMS = 2**20
"""The most layers and blobs in a file: far above any net, and a bound for one made to hurt."""

VARINT, EIGHT, LENGTH, FOUR = 0, 1, 2, 5  # wire types; groups (3, 4) occur in no Caffe
WIRES = {"string": LENGTH, "bytes": LENGTH, "message": LENGTH, "float": FOUR, "double": EIGHT}
LAYER_FIELDS = {"name", "type", "bottom", "top", "blobs", "layer"}


class Field(NamedTuple):
    """A field of a message: its value's bytes, or a number in `value`.

    Fixed-width values that follow one another, each with its one-byte tag, come as one field of
    `value` elements: unpacked weights are a hundred million of them.
    """

    name: str
    wire: int
    at: int
    start: int
    stop: int
    value: int


@dataclass
class Wire:
    """Protobuf's wire format over a file; every error names the file and the byte."""

    data: FileBytes
    file: str
    items: int = 0

    def error(self, at: int, message: str) -> InputError:
        """An error at a byte of the file."""
        return InputError(f"byte {at}: {message}", Place(self.file))

    def count_item(self, at: int) -> None:
        """Count a layer or blob; an error when there are absurdly many."""
        self.items += 1
        if self.items > MAX_ITEMS:
            raise self.error(at, f"more than {MAX_ITEMS} layers and blobs: this is not a net")

    def varint(self, start: int, end: int) -> tuple[int, int]:
        """An unsigned number of up to 64 bits, and where it ends."""
        value = 0
        for index in range(10):
            if start + index >= end:
                raise self.error(start, "the data ends inside a number")
            byte = self.data.byte(start + index)
            value |= (byte & 0x7F) << 7 * index
            if byte < 0x80:
                return value & (2**64 - 1), start + index + 1
        raise self.error(start, "a number of more than 10 bytes")

    def fields(self, message: str, start: int, end: int) -> Iterator[Field]:
        """The fields of a message in the order of the file; "" names one not in the schema."""
        known = known_fields(message)
        while start < end:
            at = start
            tag, start = self.varint(at, end)
            number, wire = tag >> 3, tag & 7
            name, wires = known.get(number, ("", {VARINT, EIGHT, LENGTH, FOUR}))
            if wire not in wires or not 0 < number < 2**29:
                what = f"{message}.{name}" if name else f"field {number} of {message}"
                raise self.error(at, f"{what} cannot have wire type {wire}; not a .caffemodel?")
            value = 1
            if wire == VARINT:
                value, stop = self.varint(start, end)
            elif wire == LENGTH:
                value, start = self.varint(start, end)
                stop = start + value
            else:
                width = 8 if wire == EIGHT else 4
                value = self._alike(at, start, width + 1, end)
                stop = start + value * (width + 1) - 1
            if stop > end:
                missing = f"{stop - end} bytes of {message}.{name or number} are missing"
                raise self.error(at, f"{missing}; the file is cut short or damaged")
            yield Field(name, wire, at, start, stop, value)
            start = stop

    def _alike(self, at: int, start: int, stride: int, end: int) -> int:
        """How many values in a row, one each `stride` bytes, have the one-byte tag at `at`."""
        if start - at != 1:
            return 1
        tag, count, ask = self.data.part(at, start), 1, 16
        while True:
            most = max(0, min(ask, (end - at) // stride - count))
            first = at + count * stride
            tags = self.data.part(first, first + most * stride, stride)
            alike = most - len(tags.lstrip(tag))
            count += alike
            if alike < ask:
                return count
            ask = min(2 * ask, 2**16)

    def text(self, field: Field) -> str:
        """A string field's value; an error when it is not UTF-8."""
        try:
            return self.data.part(field.start, field.stop).decode("utf-8")
        except UnicodeDecodeError:
            raise self.error(field.at, f"{field.name} is not UTF-8 text") from None

    def elements(self, field: Field, width: int) -> int:
        """The number of values in a packed field, or in a row of unpacked ones."""
        if field.wire != LENGTH:
            return field.value
        if field.value % width:
            problem = f"{field.value} bytes of {field.name} are not a whole number of values"
            raise self.error(field.at, problem)
        return field.value // width


@cache
def known_fields(message: str) -> dict[int, tuple[str, set[int]]]:
    """Number -> name and wire types; a repeated number may be packed whatever the schema says.

    Of a layer only the fields that matter here: forks use the other numbers for other types.
    """
    return {
        number: (name, {WIRES.get(kind, VARINT), LENGTH if repeated else WIRES.get(kind, 0)})
        for name, (number, kind, _, repeated, _) in fields_of(message).items()
        if name in LAYER_FIELDS or not message.endswith("LayerParameter")
    }
