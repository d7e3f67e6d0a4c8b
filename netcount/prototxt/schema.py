"""Questions to the schema: which fields a message has, of which type, with which default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from netcount.prototxt.schema_table import ENUMS, MESSAGES, REQUIRED

FieldRow: TypeAlias = "tuple[int, str, str, bool, Any]"
"""(number, kind, type name of a message or enum, repeated, default)."""

_DEFAULTS: Mapping[str, Callable[[str], Any]] = {
    "double": float,
    "float": float,
    "int64": int,
    "uint64": int,
    "int32": int,
    "uint32": int,
    "bool": "True".__eq__,
    "bytes": str.encode,
}
"""What makes a default of its text, by kind; of other kinds it is the text."""


class _Rows(dict[str, dict[str, FieldRow]]):
    """The fields of each message that was asked for: a net uses few of two hundred."""

    def __missing__(self, message: str) -> dict[str, FieldRow]:
        rows = self[message] = {}
        for line in MESSAGES[message].split("\n")[:-1]:
            name, number, kind, type_name, *text = line.split(" ", 4)
            repeated = kind[0] == "*"
            kind = kind[repeated:]
            default = None if repeated or kind == "message" else _DEFAULTS.get(kind, str)("".join(text))
            rows[name] = (int(number), kind, "" if type_name == "-" else type_name, repeated, default)
        return rows


_rows = _Rows()


def message_types() -> tuple[str, ...]:
    """The message types that the schema has, in its order."""
    return tuple(MESSAGES)


def fields_of(message: str) -> dict[str, FieldRow]:
    """The fields of a message type, by name, in the order of the schema."""
    return _rows[message]


def field_of(message: str, name: str) -> FieldRow:
    """One field; KeyError names both when the schema has no such field (a programming error)."""
    try:
        return _rows[message][name]
    except KeyError:
        raise KeyError(f"the schema's {message} has no field {name!r}") from None


def required_fields(message: str) -> tuple[str, ...]:
    """The fields without which a message of this type cannot be read."""
    return REQUIRED.get(message, ())


def enum_values(enum: str) -> dict[str, int]:
    """The values of an enum type: name -> number."""
    return ENUMS[enum]
