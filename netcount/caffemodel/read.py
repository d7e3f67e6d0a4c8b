"""`.caffemodel` files: listing one of any size without loading it.

A .caffemodel is a NetParameter in protobuf's binary form
(https://protobuf.dev/programming-guides/encoding/).  It is walked by hand: of the
weights only their lengths are looked at until somebody asks a blob for its array.
"""

from __future__ import annotations

import math
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import TYPE_CHECKING

from netcount.caffemodel.file_bytes import FileBytes
from netcount.caffemodel.net_text import NetText, net_text
from netcount.caffemodel.wire import LENGTH, MAX_AXES, MAX_INT, Field, Wire
from netcount.core.errors import InputError, Place, reason
from netcount.core.files import shown_path
from netcount.core.lazy_numpy import np
from netcount.prototxt.schema import fields_of
from netcount.prototxt.schema_table import ENUMS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEGACY = ("num", "channels", "height", "width")
_DTYPES = {"DOUBLE": "<f8", "FLOAT": "<f4", "FLOAT16": "<f2"}
_HDF5 = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True)
class StoredBlob:
    """A parameter blob in a file.  `legacy`: its shape is num, channels, height and width."""

    shape: tuple[int, ...]
    count: int
    legacy: bool
    _wire: Wire = attribute(repr=False, compare=False)
    _place: tuple[int, int] = attribute(repr=False, compare=False)
    _source: str = attribute(repr=False, compare=False)
    _dtype: str = attribute(repr=False, compare=False)

    def array(self) -> NDArray[np.float32]:
        """The values as float32, read-only: one copy of what the file holds, whatever form it has there.

        Values beyond float32 become infinite, as in Caffe's float nets.  ValueError when closed; InputError
        where the file has changed since it was listed.
        """
        if self._wire.data.closed:
            raise ValueError(f"{self._wire.file} is closed")
        flat = np.empty(self.count, np.float32)
        filled = 0
        with np.errstate(all="ignore"):
            for start, size, stride in self._parts():
                if filled + size > self.count:
                    break
                self._fill(flat[filled : filled + size], start, stride)
                filled += size
        if filled < self.count:
            raise self._wire.error(self._place[0], "the file has changed while it was read")
        flat.flags.writeable = False
        return flat.reshape(self.shape)

    def _parts(self) -> Iterator[tuple[int, int, int]]:
        """The stretches of the file that hold the values, in order: where, how many, one each so many bytes."""
        width = int(self._dtype[-1])
        start, stop = self._place
        if self._source == "raw_data":
            yield start, self.count, width
            return
        for field in self._wire.fields("BlobProto", start, stop):
            if field.name == self._source:
                size = self._wire.elements(field, width)
                yield field.start, size, width if field.wire == LENGTH else width + 1

    def _fill(self, values: NDArray[np.float32], start: int, stride: int) -> None:
        """Read values, at once where the file has them as memory does."""
        data, width = self._wire.data, int(self._dtype[-1])
        if self._dtype == "<f4" and stride == width and sys.byteorder == "little":
            data.fill(values.view(np.uint8).data, start)
            return
        for first in range(0, len(values), _AT_ONCE):
            piece = values[first : first + _AT_ONCE]
            held = data.part(start + first * stride, start + (first + len(piece) - 1) * stride + width)
            piece[:] = np.ndarray((len(piece),), self._dtype, held, 0, (stride,))


_AT_ONCE = 2**18
"""Values that are brought into another form at once."""


@dataclass(frozen=True)
class StoredLayer:
    """A layer in a file.  `type` is the V1 enum's name, such as "CONVOLUTION", in a V1 file."""

    name: str
    type: str
    blobs: tuple[StoredBlob, ...]


@dataclass(frozen=True)
class CaffeModel:
    """An open .caffemodel.  Arrays taken from it stay good after it is closed."""

    net_name: str
    layers: tuple[StoredLayer, ...]
    _wire: Wire = attribute(repr=False, compare=False)

    def __enter__(self) -> CaffeModel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def net_text(self) -> NetText:
        """The prototxt of the net that the file holds with its weights."""
        return net_text(self._wire)

    def close(self) -> None:
        """Let go of the file."""
        self._wire.data.close()


def open(path: str | os.PathLike[str]) -> CaffeModel:
    """Open a .caffemodel and list its layers; InputError where the file is damaged or none."""
    file = shown_path(os.fspath(path))
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise InputError("is not a regular file", Place(file))
        if not os.path.getsize(path):
            raise InputError("is empty", Place(file))
        data = FileBytes(path, file)
    except (OSError, ValueError) as failure:
        raise InputError(f"cannot read {file}: {reason(failure)}") from None
    try:
        return _model(Wire(data, file))
    except BaseException:
        data.close()
        raise


def _model(wire: Wire) -> CaffeModel:
    if wire.data.part(0, len(_HDF5)) == _HDF5:
        raise wire.error(0, "an HDF5 file; only the binary protobuf form is read")
    net_name = ""
    layers: list[StoredLayer] = []
    seen: set[str] = set()
    for field in wire.fields("NetParameter", 0, len(wire.data)):
        seen.add(field.name)
        if field.name == "name":
            net_name = wire.text(field)
        elif field.name in ("layer", "layers"):
            kind = "LayerParameter" if field.name == "layer" else "V1LayerParameter"
            layers.append(_layer(wire, kind, field))
            if {"layer", "layers"} <= seen:  # NetNeedsV1ToV2Upgrade refuses it too
                raise wire.error(field.at, "the net has both `layer` and the older `layers`")
    if seen <= {""}:
        raise wire.error(0, "no field of a NetParameter: this is not a .caffemodel")
    return CaffeModel(net_name, tuple(layers), wire)


def _layer(wire: Wire, message: str, outer: Field) -> StoredLayer:
    """A layer of any age: a V0 layer is the field `layer` inside a V1 layer."""
    wire.count_item(outer.at)
    _, _, enum, _, type = fields_of(message)["type"]
    name, blobs, older = "", [], None
    for field in wire.fields(message, outer.start, outer.stop):
        if field.name == "name":
            name = wire.text(field)
        elif field.name == "type":
            type = _enum_name(wire, enum, field) if enum else wire.text(field)
        elif field.name == "blobs":
            blobs.append(_blob(wire, field))
        elif field.name == "layer":
            if older:
                raise wire.error(field.at, "a second V0 layer inside one layer")
            older = _layer(wire, "V0LayerParameter", field)
    return older or StoredLayer(name, type, tuple(blobs))


def _enum_name(wire: Wire, enum: str, field: Field) -> str:
    for name, number in ENUMS[enum].items():
        if number == field.value:
            return name
    raise wire.error(field.at, f"{field.value} is not a known value of {enum}")


def _blob(wire: Wire, outer: Field) -> StoredBlob:
    """Shape and whereabouts of a blob, by the rules of Caffe's Blob::FromProto (blob.cpp).

    Any legacy field makes it four axes, whatever `shape` says; double_data is taken before data.
    NVIDIA's Caffe adds raw_data of a stated type, which counts where there is neither.
    """
    wire.count_item(outer.at)
    place, dtype = (outer.start, outer.stop), "<f4"
    dims: list[int] = []
    legacy: dict[str, int] = {}
    counts = {"double_data": 0, "data": 0}
    raw, raw_type = None, ""
    for field in wire.fields("BlobProto", *place):
        if field.name in counts:
            counts[field.name] += wire.elements(field, 8 if field.name == "double_data" else 4)
        elif field.name in _LEGACY:
            legacy[field.name] = _signed(field.value, 32)
        elif field.name == "shape":
            dims += _dims(wire, field)
        elif field.name == "raw_data":
            raw = field
        elif field.name == "raw_data_type":
            raw_type = _enum_name(wire, "Type", field)
    shape = tuple(legacy.get(axis, 0) for axis in _LEGACY) if legacy else tuple(dims)
    source = next((name for name, count in counts.items() if count), "data")
    count = counts[source]
    if source == "double_data":
        dtype = "<f8"
    elif raw and not count:
        if raw_type not in _DTYPES:
            raise wire.error(raw.at, f"raw_data of type {raw_type or 'unknown'} is not read")
        source, dtype, place = "raw_data", _DTYPES[raw_type], (raw.start, raw.stop)
        count = wire.elements(raw, int(dtype[-1]))
    _check_shape(wire, outer.at, shape, count)
    return StoredBlob(shape, count, bool(legacy), wire, place, source, dtype)


def _dims(wire: Wire, outer: Field) -> Iterator[int]:
    axes = 0
    for field in wire.fields("BlobShape", outer.start, outer.stop):
        position = field.start
        while field.name and position < field.stop:
            value, position = wire.varint(position, field.stop)
            axes += 1
            if axes > MAX_AXES:
                raise wire.error(outer.at, f"a blob of more than {MAX_AXES} axes")
            yield _signed(value, 64)


def _signed(value: int, bits: int) -> int:
    value &= 2**bits - 1
    return value - 2**bits if value >> bits - 1 else value


def _check_shape(wire: Wire, at: int, shape: tuple[int, ...], count: int) -> None:
    shown = "×".join(map(str, shape)) or "no axes"
    if len(shape) > MAX_AXES or min(shape, default=0) < 0:
        raise wire.error(at, f"a blob of {shown} is not possible")
    if math.prod(extent or 1 for extent in shape) > MAX_INT:
        raise wire.error(at, f"a blob of {shown} is larger than Caffe allows")
    if math.prod(shape) != count:
        raise wire.error(at, f"a blob of {shown} has {math.prod(shape)} values, the file {count}")
