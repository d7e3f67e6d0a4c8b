"""A located tree -> messages with the schema's types; all mistakes are collected, not the first."""

from __future__ import annotations

from typing import Any

from netcount.core.errors import InputError, NetcountError
from netcount.prototxt.message import Message
from netcount.prototxt.schema import fields_of, required_fields
from netcount.prototxt.tree import Tree
from netcount.prototxt.unknown_fields import LAYERS, UnknownField
from netcount.prototxt.values import Convert, converter

BROKEN = "!broken"
"""Marks a message, and those around it, in which a mistake left a field unset."""

_binders: dict[str, dict[str, tuple[Convert | None, str, bool]]] = {}


def bind(
    tree: Tree, type: str, problems: list[NetcountError], unknown: list[UnknownField], layer: Tree | None = None
) -> Message:
    """The message of schema type `type` that `tree` writes down.

    Args:
        tree: What the file says.
        type: The name of a message type of the schema.
        problems: Mistakes are appended, and their fields left unset.
        unknown: Fields that the schema's message does not have are appended.  A sub-message of a layer
            that nobody knows is kept as a tree under "?name", for custom layers.
        layer: The layer around the message, if there is one.
    """
    if type in LAYERS:
        layer = tree
    binders = _binders.get(type) or _binders_of(type)
    values: dict[str, Any] = {}
    before = len(problems)
    for name, raw, offset in tree.fields:
        try:
            convert, type_name, repeated = binders[name]
        except KeyError:
            if type in LAYERS and not isinstance(raw, str):
                values.setdefault("?" + name, []).append(raw)
            else:
                unknown.append(UnknownField(type, name, raw, tree, offset, layer))
            continue
        try:
            if convert is None:
                if isinstance(raw, str):
                    if raw == "[]" and repeated:
                        continue
                    raise ValueError(f"needs a message {{ … }}, not {raw[:40]!r}")
                value = bind(raw, type_name, problems, unknown, layer)
            elif isinstance(raw, str):
                if repeated and raw == "[]":
                    continue
                value = convert(raw)
            else:
                raise ValueError("needs a value, not a message")
            if repeated:
                if name in values:
                    values[name].append(value)
                else:
                    values[name] = [value]
            elif name in values:
                raise ValueError("is given twice, and is not a repeated field")
            else:
                values[name] = value
        except ValueError as mistake:
            problems.append(InputError(f'"{name}" {mistake}', tree.place(offset)))
    for name in tree.lists:
        if name in binders and not binders[name][2]:
            offset = next(at for field, _, at in tree.fields if field == name)
            problems.append(InputError(f'"{name}" is not a repeated field', tree.place(offset)))
    for name in required_fields(type):
        if name not in values and len(problems) == before:
            problems.append(InputError(f'{type} needs the field "{name}"', tree.place()))
    if len(problems) > before:
        values[BROKEN] = True
        if layer is tree:
            for problem in problems[before:]:
                problem.layer = tree.offset
    return Message(type, values, tree)


def _binders_of(type: str) -> dict[str, tuple[Convert | None, str, bool]]:
    binders: dict[str, tuple[Convert | None, str, bool]] = {}
    for name, (_, kind, type_name, repeated, _) in fields_of(type).items():
        binders[name] = (converter(kind, type_name), type_name, repeated)
    _binders[type] = binders
    return binders
