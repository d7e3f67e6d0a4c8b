"""The words that a prototxt can have, for completion: messages with their fields, enums, layer types."""

from __future__ import annotations

import inspect
from typing import Any

from netcount.layers.registry import CATALOGUE
from netcount.prototxt.schema import enum_values, fields_of, message_types
from netcount.serve.meanings import MEANINGS

ROOT = "NetParameter"
_LAYER = "LayerParameter"


def vocabulary() -> dict[str, Any]:
    """`messages`: by type, each field as [kind, type, repeated, default, meaning]; `enums`: their values;
    `types`: what each layer type does, in a line; `root`: the type of a whole file; `layer`: that of a layer.
    """
    enums: dict[str, list[str]] = {}
    messages: dict[str, dict[str, list[Any]]] = {}
    waiting = [ROOT]
    for message in waiting:
        if message in messages:
            continue
        messages[message] = {}
        for name, (_, kind, type_name, repeated, default) in fields_of(message).items():
            if kind == "enum":
                enums.setdefault(type_name, list(enum_values(type_name)))
            elif kind == "message":
                waiting.append(type_name)
            written = default.decode("latin-1") if isinstance(default, bytes) else default
            meaning = MEANINGS.get(f"{message}.{name}") or MEANINGS.get(name, "")
            messages[message][name] = [kind, type_name, repeated, _written(written), meaning]
    types = {name: (inspect.getdoc(CATALOGUE.get(name)) or "").partition("\n")[0] for name in CATALOGUE}
    assert set(message_types()) >= set(messages)
    return {"messages": messages, "enums": enums, "types": types, "root": ROOT, "layer": _LAYER}


def _written(default: Any) -> str | None:
    """A default as a prototxt writes it."""
    if default is None:
        return None
    if isinstance(default, bool):
        return "true" if default else "false"
    return f"{default:g}" if isinstance(default, float) else str(default)
