"""The layer types netcount knows: an explicit, immutable list, loaded family by family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from types import MappingProxyType

from netcount.layers.families import FAMILIES
from netcount.layers.layer import Layer
from netcount.prototxt.message import Message

GROUP = "netcount.layers"
"""The entry point group in which other packages offer layer classes."""


class Catalogue:
    """Layer classes by key: the `type` string, or "Python:module.layer" for a Python layer.

    A family's module is imported when a net first uses one of its types; classes that installed
    packages offer are looked up only for types that are in no family.
    """

    def __init__(self, own: Mapping[str, type[Layer]] = MappingProxyType({})) -> None:
        self._own = dict(own)
        self._loaded: dict[str, type[Layer]] = {}
        self._plugins: dict[str, type[Layer]] | None = None

    def with_(self, *classes: type[Layer]) -> Catalogue:
        """A larger catalogue: these classes besides, or instead of, the ones of the same key."""
        return Catalogue({**self._own, **{key_of(found): found for found in classes}})

    def get(self, key: str) -> type[Layer] | None:
        """The class for a key, or None."""
        found = self._own.get(key) or self._loaded.get(key)
        if found is None:
            place = FAMILIES.get(key)
            found = _load(*place) if place else self._plugin(key)
            if found is not None:
                self._loaded[key] = found
        return found

    def find(self, message: Message) -> type[Layer] | None:
        """The class for a LayerParameter, or None.

        A Python layer netcount does not know is a source when it has no bottoms.
        """
        key: str = message.get("type")
        if key == "Python":
            found = self.get(python_key(message))
            if found is not None or "bottom" in message.values:
                return found
        return self.get(key)

    def custom(self, layer: type[Layer]) -> bool:
        """Whether a class came with the caller or a plugin, and may read fields of its own."""
        return not layer.__module__.startswith("netcount.layers.")

    def __iter__(self) -> Iterator[str]:
        return iter({**FAMILIES, **self._own, **self.plugins()})

    def plugins(self) -> dict[str, type[Layer]]:
        """The classes of installed packages, by key."""
        if self._plugins is None:
            self._plugins = {}
            from importlib.metadata import entry_points  # slow: only for types not known otherwise

            for point in entry_points(group=GROUP):
                found = point.load()
                if not (isinstance(found, type) and issubclass(found, Layer)):
                    raise TypeError(f"entry point {point.name!r} of {GROUP} is not a Layer class")
                self._plugins[key_of(found)] = found
        return self._plugins

    def _plugin(self, key: str) -> type[Layer] | None:
        return self.plugins().get(key)


def key_of(layer: type[Layer]) -> str:
    """The key a class is found under."""
    python = getattr(layer, "python", None)
    return f"Python:{python}" if python else layer.type


def python_key(message: Message) -> str:
    """The key of a Python layer: "Python:module.layer"."""
    param = message.child("python_param")
    return f"Python:{param.text('module')}.{param.text('layer')}"


def _load(module: str, name: str) -> type[Layer]:
    found: type[Layer] = getattr(import_module(f"netcount.layers.{module}"), name)
    return found


CATALOGUE = Catalogue()
"""What netcount knows by itself."""
