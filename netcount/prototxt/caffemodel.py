""".caffemodel files: listing one of any size without loading it, and writing one.

A .caffemodel is a NetParameter in protobuf's binary form
(https://protobuf.dev/programming-guides/encoding/).  It is mapped, and walked by hand: of the
weights only their lengths are looked at until somebody asks a blob for its array.
"""

from __future__ import annotations

import math
import mmap
import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from netcount.errors import InputError, Place
from netcount.lazy import np
from netcount.prototxt.schema_table import ENUMS, MESSAGES

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_AXES = 32
"""Axes of a blob: Caffe's kMaxBlobAxes (blob.hpp)."""
MAX_INT = 2**31 - 1
"""The most values in a blob (Blob::Reshape), and the most bytes in a protobuf message."""
MAX_ITEMS = 2**20
"""The most layers and blobs in a file: far above any net, and a bound for one made to hurt."""

_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5  # wire types; groups (3, 4) occur in no Caffe
_WIRES = {"string": _LENGTH, "bytes": _LENGTH, "message": _LENGTH, "float": _FOUR, "double": _EIGHT}
_LAYER_FIELDS = {"name", "type", "bottom", "top", "blobs", "layer"}
_LEGACY = ("num", "channels", "height", "width")
_DTYPES = {"DOUBLE": "<f8", "FLOAT": "<f4", "FLOAT16": "<f2"}
_HDF5 = b"\x89HDF\r\n\x1a\n"


class _Field(NamedTuple):
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
class _Wire:
    """Protobuf's wire format over a mapped file; every error names the file and the byte."""

    data: mmap.mmap
    file: str
    items: int = 0

    def error(self, at: int, message: str) -> InputError:
        return InputError(f"byte {at}: {message}", Place(self.file))

    def count_item(self, at: int) -> None:
        self.items += 1
        if self.items > MAX_ITEMS:
            raise self.error(at, f"more than {MAX_ITEMS} layers and blobs; this is no net")

    def varint(self, start: int, end: int) -> tuple[int, int]:
        """An unsigned number of up to 64 bits, and where it ends."""
        value = 0
        for index in range(10):
            if start + index >= end:
                raise self.error(start, "the data ends inside a number")
            byte = self.data[start + index]
            value |= (byte & 0x7F) << 7 * index
            if byte < 0x80:
                return value & (2**64 - 1), start + index + 1
        raise self.error(start, "a number of more than 10 bytes")

    def fields(self, message: str, start: int, end: int) -> Iterator[_Field]:
        """The fields of a message in the order of the file; "" names one not in the schema."""
        known = _known(message)
        while start < end:
            at = start
            tag, start = self.varint(at, end)
            number, wire = tag >> 3, tag & 7
            name, wires = known.get(number, ("", {_VARINT, _EIGHT, _LENGTH, _FOUR}))
            if wire not in wires or not 0 < number < 2**29:
                what = f"{message}.{name}" if name else f"field {number} of {message}"
                raise self.error(at, f"{what} cannot have wire type {wire}; not a .caffemodel?")
            value = 1
            if wire == _VARINT:
                value, stop = self.varint(start, end)
            elif wire == _LENGTH:
                value, start = self.varint(start, end)
                stop = start + value
            else:
                width = 8 if wire == _EIGHT else 4
                value = self._alike(at, start, width + 1, end)
                stop = start + value * (width + 1) - 1
            if stop > end:
                missing = f"{stop - end} bytes of {message}.{name or number} are missing"
                raise self.error(at, f"{missing}; the file is cut short or damaged")
            yield _Field(name, wire, at, start, stop, value)
            start = stop

    def _alike(self, at: int, start: int, stride: int, end: int) -> int:
        """How many values in a row, one each `stride` bytes, have the one-byte tag at `at`."""
        if start - at != 1:
            return 1
        tag, count, ask = self.data[at:start], 1, 16
        while True:
            most = max(0, min(ask, (end - at) // stride - count))
            first = at + count * stride
            tags = self.data[first : first + most * stride : stride]
            alike = most - len(tags.lstrip(tag))
            count += alike
            if alike < ask:
                return count
            ask = min(2 * ask, 2**16)

    def text(self, found: _Field) -> str:
        try:
            return self.data[found.start : found.stop].decode("utf-8")
        except UnicodeDecodeError:
            raise self.error(found.at, f"{found.name} is not UTF-8 text") from None

    def elements(self, found: _Field, width: int) -> int:
        """The number of values in a packed field, or in a row of unpacked ones."""
        if found.wire != _LENGTH:
            return found.value
        if found.value % width:
            problem = f"{found.value} bytes of {found.name} are no whole number of values"
            raise self.error(found.at, problem)
        return found.value // width


@cache
def _known(message: str) -> dict[int, tuple[str, set[int]]]:
    """Number -> name and wire types; a repeated number may be packed whatever the schema says.

    Of a layer only the fields that matter here: forks use the other numbers for other types.
    """
    return {
        number: (name, {_WIRES.get(kind, _VARINT), _LENGTH if repeated else _WIRES.get(kind, 0)})
        for name, (number, kind, _, repeated, _) in MESSAGES[message].items()
        if name in _LAYER_FIELDS or not message.endswith("LayerParameter")
    }


@dataclass(frozen=True)
class StoredBlob:
    """A parameter blob in a file.  `legacy`: its shape is num, channels, height and width."""

    shape: tuple[int, ...]
    count: int
    legacy: bool
    _wire: _Wire = field(repr=False, compare=False)
    _place: tuple[int, int] = field(repr=False, compare=False)
    _source: str = field(repr=False, compare=False)
    _dtype: str = field(repr=False, compare=False)

    def array(self) -> NDArray[np.float32]:
        """The values as float32, read-only and not copied where the file has them packed.

        Values beyond float32 become infinite, as in Caffe's float nets.  ValueError when closed.
        """
        if self._wire.data.closed:
            raise ValueError(f"{self._wire.file} is closed")
        with np.errstate(all="ignore"):
            whole = next((part for part in self._parts() if part.size == self.count), None)
            if whole is not None:
                return np.asarray(whole, np.float32).reshape(self.shape)
            flat = np.empty(self.count, np.float32)
            filled = 0
            for part in self._parts():
                flat[filled : filled + part.size] = part
                filled += part.size
        return flat.reshape(self.shape)

    def _parts(self) -> Iterator[NDArray[Any]]:
        """The stretches of the file that hold the values, in order."""
        width = int(self._dtype[-1])
        start, stop = self._place
        if self._source == "raw_data":
            yield self._view(start, stop, self.count, width)
            return
        for found in self._wire.fields("BlobProto", start, stop):
            if found.name == self._source:
                size = self._wire.elements(found, width)
                stride = width if found.wire == _LENGTH else width + 1
                yield self._view(found.start, found.stop, size, stride)

    def _view(self, start: int, stop: int, size: int, stride: int) -> NDArray[Any]:
        """Values in the file, one each `stride` bytes.

        frombuffer keeps the file mapped while the array lives; an ndarray made of the map, or of
        a memoryview of it, does not: closing would take the memory from under it.
        """
        held = np.frombuffer(self._wire.data, np.uint8, stop - start, start)
        return np.ndarray((size,), self._dtype, held, 0, (stride,))


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
    _wire: _Wire = field(repr=False, compare=False)

    def __enter__(self) -> CaffeModel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; where an array still shows it, the last such array will."""
        with suppress(BufferError):
            self._wire.data.close()


def open(path: str | os.PathLike[str]) -> CaffeModel:
    """Map a .caffemodel and list its layers; InputError where the file is damaged or none."""
    file = _shown(os.fspath(path))
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise InputError("is not a regular file", Place(file))
        if not os.path.getsize(path):
            raise InputError("is empty", Place(file))
        with Path(path).open("rb") as stream:
            data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as failure:
        reason = (failure.strerror if isinstance(failure, OSError) else None) or failure
        raise InputError(f"cannot read {file}: {reason}") from None
    try:
        return _model(_Wire(data, file))
    except BaseException:
        data.close()
        raise


def _shown(path: str) -> str:
    return path if path.isprintable() else ascii(path)


def _model(wire: _Wire) -> CaffeModel:
    if wire.data[: len(_HDF5)] == _HDF5:
        raise wire.error(0, "an HDF5 file; only the binary protobuf form is read")
    net_name = ""
    layers: list[StoredLayer] = []
    seen: set[str] = set()
    for found in wire.fields("NetParameter", 0, len(wire.data)):
        seen.add(found.name)
        if found.name == "name":
            net_name = wire.text(found)
        elif found.name in ("layer", "layers"):
            kind = "LayerParameter" if found.name == "layer" else "V1LayerParameter"
            layers.append(_layer(wire, kind, found))
            if {"layer", "layers"} <= seen:  # NetNeedsV1ToV2Upgrade refuses it too
                raise wire.error(found.at, "the net has both `layer` and the older `layers`")
    if seen <= {""}:
        raise wire.error(0, "no field of a NetParameter; not a .caffemodel")
    return CaffeModel(net_name, tuple(layers), wire)


def _layer(wire: _Wire, message: str, outer: _Field) -> StoredLayer:
    """A layer of any age: a V0 layer is the field `layer` inside a V1 layer."""
    wire.count_item(outer.at)
    _, _, enum, _, type = MESSAGES[message]["type"]
    name, blobs, older = "", [], None
    for found in wire.fields(message, outer.start, outer.stop):
        if found.name == "name":
            name = wire.text(found)
        elif found.name == "type":
            type = _enum_name(wire, enum, found) if enum else wire.text(found)
        elif found.name == "blobs":
            blobs.append(_blob(wire, found))
        elif found.name == "layer":
            if older:
                raise wire.error(found.at, "a second V0 layer inside one layer")
            older = _layer(wire, "V0LayerParameter", found)
    return older or StoredLayer(name, type, tuple(blobs))


def _enum_name(wire: _Wire, enum: str, found: _Field) -> str:
    for name, number in ENUMS[enum].items():
        if number == found.value:
            return name
    raise wire.error(found.at, f"{found.value} is no value of {enum} that is known")


def _blob(wire: _Wire, outer: _Field) -> StoredBlob:
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
    for found in wire.fields("BlobProto", *place):
        if found.name in counts:
            counts[found.name] += wire.elements(found, 8 if found.name == "double_data" else 4)
        elif found.name in _LEGACY:
            legacy[found.name] = _signed(found.value, 32)
        elif found.name == "shape":
            dims += _dims(wire, found)
        elif found.name == "raw_data":
            raw = found
        elif found.name == "raw_data_type":
            raw_type = _enum_name(wire, "Type", found)
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


def _dims(wire: _Wire, outer: _Field) -> Iterator[int]:
    axes = 0
    for found in wire.fields("BlobShape", outer.start, outer.stop):
        position = found.start
        while found.name and position < found.stop:
            value, position = wire.varint(position, found.stop)
            axes += 1
            if axes > MAX_AXES:
                raise wire.error(outer.at, f"a blob of more than {MAX_AXES} axes")
            yield _signed(value, 64)


def _signed(value: int, bits: int) -> int:
    value &= 2**bits - 1
    return value - 2**bits if value >> bits - 1 else value


def _check_shape(wire: _Wire, at: int, shape: tuple[int, ...], count: int) -> None:
    shown = "×".join(map(str, shape)) or "no axes"
    if len(shape) > MAX_AXES or min(shape, default=0) < 0:
        raise wire.error(at, f"a blob of {shown} is not possible")
    if math.prod(extent or 1 for extent in shape) > MAX_INT:
        raise wire.error(at, f"a blob of {shown} is larger than Caffe allows")
    if math.prod(shape) != count:
        raise wire.error(at, f"a blob of {shown} has {math.prod(shape)} values, the file {count}")


def write(
    path: str | os.PathLike[str],
    net_name: str,
    layers: Iterable[tuple[str, str, Sequence[NDArray[Any]]]],
) -> None:
    """Write a .caffemodel of (name, type, blobs) layers: current form, shapes, packed float32.

    One blob at a time goes to a new file beside `path`, which takes its place when complete.
    InputError where the disk, protobuf (2 GiB) or float32 cannot hold it.
    """
    file = _shown(os.fspath(path))
    target = Path(os.path.realpath(path))
    partial = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        try:
            with partial.open("xb") as stream:
                stream.write(_record("NetParameter", "name", _encoded(net_name, file)))
                for name, type, blobs in layers:
                    _write_layer(stream, file, name, type, blobs)
            os.replace(partial, target)
        except BaseException:
            with suppress(OSError):
                partial.unlink()
            raise
    except OSError as failure:
        raise InputError(f"cannot write {file}: {failure.strerror or failure}") from None


def _write_layer(stream: BinaryIO, file: str, name: str, type: str, blobs: Sequence[NDArray[Any]]) -> None:
    """A layer, its length known from the shapes before any value is converted."""
    start = _record("LayerParameter", "name", _encoded(name, file))
    start += _record("LayerParameter", "type", _encoded(type, file))
    frames = [_blob_frame(blob.shape) for blob in blobs]
    length = len(start) + sum(len(a) + 4 * blob.size + len(b) for (a, b), blob in zip(frames, blobs, strict=True))
    head = _head("NetParameter", "layer", length)
    if stream.tell() + len(head) + length > MAX_INT:
        raise InputError(f'with layer "{name}" the file exceeds protobuf\'s 2 GiB', Place(file))
    stream.write(head + start)
    for (before, after), blob in zip(frames, blobs, strict=True):
        stream.write(before)
        stream.write(_values(blob, file, name))
        stream.write(after)


def _blob_frame(shape: tuple[int, ...]) -> tuple[bytes, bytes]:
    """What stands before and after the values of a blob; fields in the order of their numbers."""
    dims = b"".join(map(_varint, shape))
    after = _record("BlobProto", "shape", _record("BlobShape", "dim", dims) if dims else b"")
    data_bytes = 4 * math.prod(shape)
    before = _head("BlobProto", "data", data_bytes) if data_bytes else b""
    return _head("LayerParameter", "blobs", len(before) + data_bytes + len(after)) + before, after


def _values(blob: NDArray[Any], file: str, layer: str) -> memoryview:
    if blob.dtype.kind not in "fiu" or blob.ndim > MAX_AXES:
        what = f"a blob of {blob.dtype} and {blob.ndim} axes"
        raise InputError(f'layer "{layer}": {what} cannot be stored', Place(file))
    try:
        with np.errstate(over="raise"):
            return np.ascontiguousarray(blob, "<f4").reshape(-1).data
    except FloatingPointError:
        raise InputError(f'layer "{layer}": a value exceeds float32', Place(file)) from None


def _encoded(text: str, file: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(f"{text!r} is not Unicode text", Place(file)) from None


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _head(message: str, name: str, length: int) -> bytes:
    return _varint(MESSAGES[message][name][0] << 3 | _LENGTH) + _varint(length)


def _record(message: str, name: str, payload: bytes) -> bytes:
    return _head(message, name, len(payload)) + payload
