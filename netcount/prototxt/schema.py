"""Questions to the schema: which fields a message has, of which type, with which default."""

from __future__ import annotations

from typing import Any, TypeAlias

from netcount.prototxt.schema_table import ENUMS, MESSAGES, REQUIRED

FieldRow: TypeAlias = "tuple[int, str, str, bool, Any]"
"""(number, kind, type name of a message or enum, repeated, default)."""


def fields_of(message: str) -> dict[str, FieldRow]:
    """The fields of a message type, by name, in the order of the schema."""
    return MESSAGES[message]


def field_of(message: str, name: str) -> FieldRow:
    """One field; KeyError names both when the schema has no such field (a programming error)."""
    try:
        return MESSAGES[message][name]
    except KeyError:
        raise KeyError(f"the schema's {message} has no field {name!r}") from None


def required_fields(message: str) -> tuple[str, ...]:
    """The fields without which a message of this type cannot be read."""
    return REQUIRED.get(message, ())


def enum_values(enum: str) -> dict[str, int]:
    """The values of an enum type: name -> number."""
    return ENUMS[enum]
