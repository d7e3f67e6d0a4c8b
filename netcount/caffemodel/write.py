"""Writing a `.caffemodel`: current form, one blob at a time, packed float32."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from netcount.caffemodel.wire import LENGTH, MAX_AXES, MAX_INT
from netcount.core.errors import InputError, Place
from netcount.core.files import replacing, shown_path
from netcount.core.lazy_numpy import np
from netcount.prototxt.schema import fields_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


def write(
    path: str | os.PathLike[str],
    net_name: str,
    layers: Iterable[tuple[str, str, Sequence[NDArray[Any]]]],
) -> None:
    """Write a .caffemodel of (name, type, blobs) layers: current form, shapes, packed float32.

    One blob at a time goes to a new file beside `path`, which takes its place when complete.
    InputError where the disk, protobuf (2 GiB) or float32 cannot hold it.
    """
    with replacing(path) as stream:
        for piece in pieces(path, net_name, layers):
            stream.write(piece)


def pieces(
    path: str | os.PathLike[str],
    net_name: str,
    layers: Iterable[tuple[str, str, Sequence[NDArray[Any]]]],
) -> Iterator[bytes | memoryview]:
    """What `write` puts into the file, one blob at a time; `path` is for messages."""
    file = shown_path(os.fspath(path))
    name = _record("NetParameter", "name", _encoded(net_name, file))
    written_bytes = len(name)
    yield name
    for name_, type, blobs in layers:
        for piece in _layer(file, name_, type, blobs, written_bytes):
            written_bytes += len(piece) if isinstance(piece, bytes) else piece.nbytes
            yield piece


def _layer(
    file: str, name: str, type: str, blobs: Sequence[NDArray[Any]], written_bytes: int
) -> Iterator[bytes | memoryview]:
    """A layer, its length known from the shapes before any value is converted."""
    start = _record("LayerParameter", "name", _encoded(name, file))
    start += _record("LayerParameter", "type", _encoded(type, file))
    frames = [_blob_frame(blob.shape) for blob in blobs]
    length = len(start) + sum(len(a) + 4 * blob.size + len(b) for (a, b), blob in zip(frames, blobs, strict=True))
    head = _head("NetParameter", "layer", length)
    if written_bytes + len(head) + length > MAX_INT:
        raise InputError(f'with layer "{name}" the file exceeds protobuf\'s 2 GiB', Place(file))
    yield head + start
    for (before, after), blob in zip(frames, blobs, strict=True):
        yield before
        yield _values(blob, file, name)
        yield after


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
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _head(message: str, name: str, length: int) -> bytes:
    return _varint(fields_of(message)[name][0] << 3 | LENGTH) + _varint(length)


def _record(message: str, name: str, payload: bytes) -> bytes:
    return _head(message, name, len(payload)) + payload
