"""Which fields of a prototxt a layer type reads, by watching it read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from netcount.core.errors import NetcountError
from netcount.core.shape import Shape
from netcount.layers.layer import Layer
from netcount.prototxt.message import Message
from netcount.prototxt.schema import fields_of
from netcount.prototxt.tree import Source, Tree

_NEEDED = ("num_output", "min_size")
"""Fields without which a layer asks for no others."""
_NUMBERS = ("uint32", "int32", "float")


def fields_read(layer: type[Layer]) -> list[str]:
    """The paths of the fields that decide what a layer of the type is: `convolution_param.num_output`.

    They are what `read`, `infer` and `blobs` ask for of layers that set nothing, all fields, those for all
    axes alone, those for one axis alone, and each field by itself; in the order of the schema.  A package's
    own fields stand by the name they have.
    """
    fields: dict[str, None] = {}
    for filled in _FILLED:
        _watch(layer, filled, fields)
    for name in dict.fromkeys(path.rpartition(".")[2] for path in list(fields)):
        _watch(layer, lambda other, name=name: other in (name, *_NEEDED), fields)  # type: ignore[misc]
    return sorted(fields, key=_position)


def _watch(layer: type[Layer], filled: Callable[[str], bool], fields: dict[str, None]) -> None:
    """Note what a layer asks for that sets these fields; it may want more than such a layer can tell."""
    with suppress(NetcountError, ArithmeticError, LookupError, TypeError, ValueError):
        made = layer(_Watched("LayerParameter", "", fields, filled), 1)
        bottoms = [Shape((2, 4, 8, 9))] * max(1, layer.bottoms.least)
        made.infer(bottoms)
        made.blobs(bottoms)


def _one_axis(name: str) -> bool:
    return name.endswith(("_h", "_w", "_height", "_width"))


_FILLED: tuple[Callable[[str], bool], ...] = (
    lambda name: False,
    lambda name: True,
    lambda name: not _one_axis(name),
    lambda name: _one_axis(name) or name in _NEEDED,
)
"""Which fields the layers that are read set."""


def _position(path: str) -> tuple[int, ...]:
    places = []
    message = "LayerParameter"
    for name in path.split("."):
        fields = fields_of(message) if message else {}
        places.append(list(fields).index(name) if name in fields else len(fields))
        message = fields[name][2] if name in fields else ""
    return tuple(places)


class _Watched(Message):
    """A message without text that notes which of its fields are asked for."""

    __slots__ = ("_filled", "_found")

    def __init__(self, type: str, prefix: str, fields: dict[str, None], filled: Callable[[str], bool]) -> None:
        super().__init__(type, _Values(type, prefix, fields, filled), Tree(Source("", "<type>"), 0))
        self._found, self._filled = fields, filled

    def get(self, name: str) -> Any:
        _, kind, type_name, repeated, _ = fields_of(self.type)[name]
        if kind == "message" and not repeated and self.type == "LayerParameter":
            return _Watched(type_name, f"{name}.", self._found, self._filled)
        return super().get(name)

    def extra(self, name: str, field: str, default: Any) -> Any:
        self._found.setdefault(f"{name}.{field}")
        return default


class _Values(dict[str, Any]):
    """The values of a watched message: 1 for every number that is set, an empty message for a parameter's."""

    def __init__(self, type: str, prefix: str, fields: dict[str, None], filled: Callable[[str], bool]) -> None:
        super().__init__()
        self._prefix, self._found = prefix, fields
        self._fields = {} if type == "LayerParameter" else fields_of(type)
        for name, (_, kind, type_name, repeated, default) in fields_of(type).items():
            if filled(name) and kind in _NUMBERS and prefix:
                self[name] = [1] if repeated else default or 1
            elif filled(name) and kind == "message" and not (repeated or prefix):
                self[name] = _Watched(type_name, f"{name}.", fields, filled)

    def __contains__(self, name: object) -> bool:
        if name in self._fields:
            self._found.setdefault(f"{self._prefix}{name}")
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default  # noqa: SIM401, which would ask itself
