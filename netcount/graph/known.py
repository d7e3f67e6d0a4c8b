"""What layers answered before, for a net that is built again and again with other numbers."""

from __future__ import annotations

import gc
from collections.abc import Hashable, Sequence
from typing import Any, TypeAlias

from netcount.core.shape import Shape
from netcount.layers.assumed import Assumed
from netcount.layers.layer import Layer, ParamBlob
from netcount.layers.registry import Catalogue
from netcount.prototxt.message import Message

MOST = 50_000
"""Answers that are kept; then all are forgotten, so that memory does not grow with the number of nets."""

Key: TypeAlias = "tuple[int | Shape, ...]"
"""A kind of layer, and the shapes that it was asked about."""


class Known:
    """Answers of layers to shapes, kept from one building of a net to the next.

    `infer`, `blobs` and `ops` of a layer depend on its class, its fields and the bottoms alone, not on
    names; so layers that are alike in these answer for each other. A class of a plugin may look at more,
    and each of its layers answers for itself.

    Attributes:
        catalogue: Tells which classes are netcount's own.
        placed: Tops and parameter blobs, checked.
        counted: What counting a layer found; the analysis puts it here and takes it.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.placed: dict[Key, tuple[list[Shape], list[ParamBlob]]] = {}
        self.counted: dict[Key, Any] = {}
        self._kinds: dict[Layer, int] = {}
        self._numbers: dict[Hashable, int] = {}

    def key(self, layer: Layer, shapes: Sequence[Shape]) -> Key:
        """Under what the answers of a layer to these bottoms, or bottoms and tops, are kept."""
        kind = self._kinds.get(layer)
        if kind is None:
            own = self.catalogue.custom(type(layer)) or isinstance(layer, Assumed)
            kind = self._numbers.setdefault(layer if own else _kind(layer), len(self._numbers))
            self._kinds[layer] = kind
        return (kind, *shapes)

    def trim(self) -> None:
        """Forget everything where there is too much of it."""
        if len(self.placed) > MOST or len(self._kinds) > MOST:
            for kept in (self.placed, self.counted, self._kinds, self._numbers):
                kept.clear()
            gc.collect()  # a layer and its window know each other


_NAMES = ("name", "bottom", "top")


def _kind(layer: Layer) -> Hashable:
    """What is the same in layers that are alike; of their blobs' names only which are one."""
    values = layer.message.values
    bottoms, tops = values.get("bottom", ()), values.get("top", ())
    names = [*bottoms, *tops]
    fields = tuple([(name, frozen(value)) for name, value in values.items() if name not in _NAMES])
    return type(layer), layer.phase, layer.top_count, len(bottoms), tuple(map(names.index, names)), fields


def frozen(value: object) -> Hashable:
    """A message, or a value of one, as something that can be compared: what it says, wherever it stands."""
    if isinstance(value, Message):
        return tuple([(name, frozen(inner)) for name, inner in value.values.items()])
    if isinstance(value, list):
        return tuple(map(frozen, value))
    return value
