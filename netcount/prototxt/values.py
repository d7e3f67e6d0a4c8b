"""Tokens of a text -> values of the schema's types, by protobuf's rules of text format."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from struct import pack, unpack
from typing import Any, TypeVar

from netcount.core.errors import InputError, Place
from netcount.core.suggest import nearest
from netcount.prototxt.schema import enum_values
from netcount.prototxt.tree import Tree

T = TypeVar("T")
Convert = Callable[[str], Any]

_RANGES = {
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
}
_BOOLS = {"true": True, "True": True, "t": True, "false": False, "False": False, "f": False}
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"|' r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ESCAPE = r"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))"
_LETTERS = {
    "n": 10, "r": 13, "t": 9, "a": 7, "b": 8, "f": 12, "v": 11,
    '"': 34, "'": 39, "\\": 92, "?": 63,
}  # fmt: skip
V1_TYPE = "V1LayerParameter.LayerType"
"""The enum of the types that a layer can have in a V1 net."""


def loose_value(raw: Tree | str, default: T, place: Place) -> T:
    """A scalar of an unknown field, read as the type of `default`."""
    convert: Convert = {
        bool: _bool,
        int: _integer("int64"),
        float: _float(double=True),
        str: string_value,
    }[type(default)]
    try:
        if not isinstance(raw, str):
            raise ValueError("needs a value, not a message")
        value: T = convert(raw)
    except ValueError as mistake:
        raise InputError(f"this field {mistake}", place) from None
    return value


def converter(kind: str, type_name: str) -> Convert | None:
    """The conversion for a field's kind; None for a message."""
    if kind == "message":
        return None
    if kind in _RANGES:
        return _integer(kind)
    if kind == "enum":
        return _enum(type_name)
    if kind in ("float", "double"):
        return _float(double=kind == "double")
    return {"bool": _bool, "string": string_value, "bytes": _bytes}[kind]


def whole_number(raw: str) -> int:
    """An integer token: decimal, 0x hexadecimal, or octal after a leading 0."""
    digits = raw.removeprefix("-")
    base = 10
    if digits[0] == "0" and len(digits) > 1:
        base = 16 if digits[1] in "xX" else 8
    if not digits[0].isdigit():
        raise ValueError
    value = int(digits, base)
    return -value if raw[0] == "-" else value


def _integer(kind: str) -> Convert:
    least, most = _RANGES[kind]

    def convert(raw: str) -> int:
        try:
            value = whole_number(raw)
        except ValueError:
            raise ValueError(f"needs an integer, not {raw[:40]}") from None
        if not least <= value <= most or (raw[0] == "-" and not least):  # -0 is no unsigned integer
            raise ValueError(f"is {raw[:40]}, outside {kind}'s {least} to {most}")
        return value

    return convert


def _float(double: bool) -> Convert:
    def convert(raw: str) -> float:
        digits = raw.removeprefix("-")
        if digits[0] == "0" and digits[1:2].isdigit():
            raise ValueError(f"needs a decimal number, not the octal {raw[:40]}")
        try:
            value = float(raw)
        except ValueError:
            if digits[0] not in ".0123456789" or raw[-1] not in "fF" or digits[1:2] in ("x", "X"):
                raise ValueError(f"needs a number, not {raw[:40]}") from None
            value = float(raw[:-1])
        return value if double else _float32(value)

    return convert


def _float32(value: float) -> float:
    """`value` rounded to single precision, as a float field keeps it."""
    try:
        (rounded,) = unpack("f", pack("f", value))
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    return float(rounded)


def _bool(raw: str) -> bool:
    if raw in _BOOLS:
        return _BOOLS[raw]
    try:
        return {0: False, 1: True}[-1 if raw[0] == "-" else whole_number(raw)]
    except (ValueError, KeyError):
        raise ValueError(f"needs true or false, not {raw[:40]}") from None


def _enum(type_name: str) -> Convert:
    values = enum_values(type_name)
    names = {number: name for name, number in reversed(values.items())}

    def convert(raw: str) -> str:
        if raw in values:
            return raw
        try:
            return names[whole_number(raw)]
        except (ValueError, KeyError):
            if type_name == V1_TYPE and _WORD.fullmatch(raw):
                return raw  # a fork's type: its layer is of unknown type
            known = list(values)
            hint = nearest(raw, known) or ("; one of " + ", ".join(known) if len(known) < 9 else "")
            if type_name == V1_TYPE:
                raise ValueError(_v1_type(raw, values)) from None
            raise ValueError(f"is {raw[:80]}, none of its values{hint}") from None

    return convert


def _v1_type(raw: str, values: Mapping[str, int]) -> str:
    """What is wrong with the type of a V1 layer, and what to write."""
    if raw[0] not in "\"'":
        return f"is {raw[:80]}, no V1 layer's type"
    plain = raw[1:-1]
    same = {name.replace("_", ""): name for name in values}.get(plain.replace("_", "").upper(), "CONVOLUTION")
    return (
        f'is {raw[:80]}, and in a "layers" message (V1) a type is a word without quotes: write type: {same}, '
        'or "layer" in place of "layers" where the file is in the current form'
    )


def string_value(raw: str) -> str:
    """The text of one or more string literals."""
    plain = raw[1:-1]
    if raw[0] == raw[-1] and raw[0] in "\"'" and raw[0] not in plain and "\\" not in plain:
        return plain if plain.isascii() else _clean(plain.encode("utf-8", "surrogateescape"))
    return _clean(_bytes(raw))


def _clean(data: bytes) -> str:
    """Text of a string field; bytes that are not UTF-8, which Caffe tolerates, shown as \\xNN."""
    return data.decode("utf-8", "backslashreplace")


def _bytes(raw: str) -> bytes:
    if raw[0] not in "\"'":
        raise ValueError(f"needs a string in quotes, not {raw[:40]}")
    return b"".join(_unescaped(m[1] or m[2] or "") for m in _LITERAL.finditer(raw))


def _unescaped(literal: str) -> bytes:
    parts: list[bytes] = []
    position = 0
    for match in re.finditer(_ESCAPE, literal):
        parts.append(literal[position : match.start()].encode("utf-8", "surrogateescape"))
        parts.append(_escaped(match))
        position = match.end()
    parts.append(literal[position:].encode("utf-8", "surrogateescape"))
    return b"".join(parts)


def _escaped(match: re.Match[str]) -> bytes:
    octal, hexadecimal, short, long, letter = match.groups()
    if letter is not None:
        if letter not in _LETTERS:
            raise ValueError(f"has the unknown escape \\{letter}")
        return bytes((_LETTERS[letter],))
    if short or long:
        code = int(short or long, 16)
        if code > 0x10FFFF:
            raise ValueError(f"has an escape beyond Unicode: {match.group()}")
        return chr(code).encode("utf-8", "surrogatepass")
    code = int(octal, 8) if octal else int(hexadecimal, 16)
    return bytes((code & 255,))  # \\400 and above wrap around, as a C char does
