"""The prototxt of the net that a `.caffemodel` holds: everything of the file but its weights."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from struct import unpack
from typing import NamedTuple

from netcount.caffemodel.wire import EIGHT, FOUR, LENGTH, VARINT, WIRES, Wire
from netcount.core.errors import InputError
from netcount.prototxt.schema import fields_of
from netcount.prototxt.schema_table import ENUMS

_WEIGHTS = ("blobs",)
_DEEPEST = 32
_UNSIGNED = ("uint32", "uint64")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class NetText(NamedTuple):
    """A net as a prototxt.

    Attributes:
        text: The fields of the file but its weights, in their order.
        connected: Whether its layers say which blobs they read and make; weights alone are no net.
        unknown: How many fields no known Caffe has; they are left out.
    """

    text: str
    connected: bool
    unknown: int


class _Raw(NamedTuple):
    number: int
    wire: int
    start: int
    stop: int
    value: int


class _Unreadable(Exception):
    """What is no message of the kind that its number says; forks use one number for different fields."""


def net_text(wire: Wire) -> NetText:
    """The prototxt of an open file.  InputError where the file is damaged."""
    writer = _Writer(wire)
    try:
        lines = [*writer.fields("NetParameter", 0, len(wire.data), 0)]
    except _Unreadable as what:
        raise InputError(f"{wire.file}: the net in it cannot be read: {what}") from None
    return NetText("".join(f"{line}\n" for line in lines), writer.connected, writer.unknown)


class _Writer:
    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.connected = False
        self.unknown = 0

    def fields(self, message: str, start: int, stop: int, depth: int) -> Iterator[str]:
        """The lines of a message's fields."""
        if depth > _DEEPEST:
            raise _Unreadable(f"messages are nested more than {_DEEPEST} deep")
        known = _by_number(message)
        indent = "  " * depth
        for raw in self._raw(start, stop):
            name, kind, type_name, repeated = known.get(raw.number, ("", "", "", False))
            if name in _WEIGHTS and message.endswith("LayerParameter"):
                continue
            if not name:
                self.unknown += 1
                continue
            self.connected |= name in ("bottom", "top")
            try:
                if kind == "message":
                    if raw.wire != LENGTH:
                        raise _Unreadable(name)
                    inner = [*self.fields(type_name, raw.start, raw.stop, depth + 1)]
                    yield from (
                        (f"{indent}{name} {{", *inner, f"{indent}}}") if inner else (f"{indent}{name} {{ }}",)
                    )
                else:
                    for value in [*self._values(raw, kind, type_name, repeated)]:
                        yield f"{indent}{name}: {value}"
            except _Unreadable:
                if not depth:
                    raise
                self.unknown += 1

    def _raw(self, start: int, stop: int) -> Iterator[_Raw]:
        """The fields of a message by number."""
        data = self.wire.data
        while start < stop:
            try:
                tag, at = self.wire.varint(start, stop)
                value = 0
                wire = tag & 7
                if wire == VARINT:
                    value, end = self.wire.varint(at, stop)
                elif wire == LENGTH:
                    length, at = self.wire.varint(at, stop)
                    end = at + length
                elif wire in (EIGHT, FOUR):
                    end = at + (8 if wire == EIGHT else 4)
                else:
                    raise _Unreadable(f"byte {start}: wire type {wire}")
            except InputError as problem:
                raise _Unreadable(problem.what) from None
            if end > stop or end > len(data):
                raise _Unreadable(f"byte {start}: the data end inside a field")
            yield _Raw(tag >> 3, wire, at, end, value)
            start = end

    def _values(self, raw: _Raw, kind: str, type_name: str, repeated: bool) -> Iterator[str]:
        wanted = WIRES.get(kind, VARINT)
        if raw.wire == wanted:
            yield self._text(kind, type_name, raw.start, raw.stop, raw.value)
        elif raw.wire == LENGTH and repeated and wanted != LENGTH:
            position = raw.start
            while position < raw.stop:
                if wanted == VARINT:
                    try:
                        value, end = self.wire.varint(position, raw.stop)
                    except InputError as problem:
                        raise _Unreadable(problem.what) from None
                else:
                    value, end = 0, position + (8 if wanted == EIGHT else 4)
                if end > raw.stop:
                    raise _Unreadable(f"byte {position}: the data end inside a number")
                yield self._text(kind, type_name, position, end, value)
                position = end
        else:
            raise _Unreadable(f"byte {raw.start}: wire type {raw.wire} for {kind}")

    def _text(self, kind: str, type_name: str, start: int, stop: int, value: int) -> str:
        data = self.wire.data
        if kind in ("string", "bytes"):
            return quoted(data.part(start, stop))
        if kind == "bool":
            return "true" if value else "false"
        if kind == "float":
            return shortest(unpack("<f", data.part(start, start + 4))[0])
        if kind == "double":
            return repr(unpack("<d", data.part(start, start + 8))[0])
        number = value - 2**64 if value >> 63 and kind not in _UNSIGNED else value
        if kind == "enum":
            names = {known: name for name, known in ENUMS[type_name].items()}
            if number not in names:
                raise _Unreadable(f"{number} is no value of {type_name}")
            return names[number]
        return str(number)


@cache
def _by_number(message: str) -> dict[int, tuple[str, str, str, bool]]:
    return {
        number: (name, kind, type_name, repeated)
        for name, (number, kind, type_name, repeated, _) in fields_of(message).items()
    }


def shortest(value: float) -> str:
    """The fewest digits that read as the same float32.

    >>> shortest(0.10000000149011612), shortest(1.0), shortest(3.0000001e38)
    ('0.1', '1', '3.0000001e+38')
    """
    from struct import pack, unpack

    for digits in range(1, 10):
        text = f"{value:.{digits}g}"
        try:
            if unpack("<f", pack("<f", float(text)))[0] == value:
                return text
        except OverflowError:
            continue
    return f"{value:.9g}"


def quoted(data: bytes) -> str:
    """Bytes as a string literal on one line.

    >>> print(quoted(b'a"b'), quoted(bytes([255, 10])))
    "a\\"b" "\\377\\n"
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return '"' + "".join(_ESCAPES.get(chr(b), chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in data) + '"'
    return (
        '"'
        + "".join(
            _ESCAPES.get(sign, sign if sign.isprintable() else "".join(f"\\{b:03o}" for b in sign.encode()))
            for sign in text
        )
        + '"'
    )
