"""The layer types netcount knows, derived from the files of the families: one file per type.

A type's file is named after it (`module_name`), in whichever family folder; the class in it says under
which further names it is known.  Nothing is entered by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from os import scandir
from types import MappingProxyType
from typing import TYPE_CHECKING

from netcount.core.errors import InputError, reason
from netcount.layers.layer import Layer
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "netcount.layers"
"""The entry point group in which other packages offer layer classes."""

_WORD_STARTS = re.compile(
    r"(?<=[a-z]{2})(?=[A-Z][A-Z0-9a-z])"  # SmoothL1, LossOHEM, BatchNorm; not ReLU, TanH
    r"|(?<=[a-z0-9])(?=[A-Z][a-z]{2})"  # L1Loss, ImResize
    r"|(?<=[A-Z]{2})(?=[A-Z][a-z]{2})"  # ROIPooling; not DecodeBBox
)


def module_name(key: str) -> str:
    """The name of the file a layer type stands in: snake case, a run of capitals is one word.

    Args:
        key: A `type` string, or the key of a Python layer ("Python:module.layer").

    >>> [module_name(key) for key in ("BatchNorm", "PReLU", "ROIPooling", "SmoothL1LossOHEM", "TanH")]
    ['batch_norm', 'prelu', 'roi_pooling', 'smooth_l1_loss_ohem', 'tanh']
    >>> module_name("Python:roi_data_layer.layer.RoIDataLayer")
    'roi_data_layer'
    """
    name = key.rpartition(".")[2] if key.startswith("Python:") else key
    return _WORD_STARTS.sub("_", name.replace("RoI", "Roi")).lower()


class Catalogue:
    """Layer classes by key: the `type` string, or "Python:module.layer" for a Python layer.

    A type's module is imported when a net first uses it; classes that installed packages offer are
    looked up only for types that netcount itself does not know.
    """

    def __init__(self, own: Mapping[str, type[Layer]] = MappingProxyType({})) -> None:
        self._own = dict(own)
        self._loaded: dict[str, type[Layer]] = {}
        self._plugins: dict[str, type[Layer]] | None = None

    def with_(self, *classes: type[Layer]) -> Catalogue:
        """A larger catalogue, in which these classes take the place of others of the same key.

        TypeError for one that lacks a part of the contract.
        """
        for layer in classes:
            if lacking := _lacks(layer):
                raise TypeError(f"{layer.__module__}.{layer.__qualname__} lacks {lacking}")
        return Catalogue({**self._own, **{key: layer for layer in classes for key in keys_of(layer)}})

    def get(self, key: str) -> type[Layer] | None:
        """The class for a key, or None."""
        layer = self._own.get(key) or self._loaded.get(key)
        if layer is None:
            layer = _shipped(key) or self.plugins().get(key)
            if layer is not None:
                self._loaded[key] = layer
        return layer

    def find(self, message: Message) -> type[Layer] | None:
        """The class for a LayerParameter, or None.

        A Python layer netcount does not know is a source when it has no bottoms.
        """
        key: str = message.get("type")
        if key == "Python":
            layer = self.get(python_key(message))
            if layer is not None or "bottom" in message.values:
                return layer
        layer = self.get(key)
        other = layer.variant(message) if layer is not None else None
        return self.get(other) if other is not None else layer

    def custom(self, layer: type[Layer]) -> bool:
        """Whether a class came with the caller or a plugin, and may read fields of its own."""
        return not layer.__module__.startswith("netcount.layers.")

    def __reduce__(self) -> str | tuple[object, ...]:
        """In another process netcount's own catalogue is that process's own."""
        return "CATALOGUE" if self is CATALOGUE else (Catalogue, (self._own,))

    def __iter__(self) -> Iterator[str]:
        return iter({**shipped_types(), **self._own, **self.plugins()})

    def plugins(self) -> dict[str, type[Layer]]:
        """The classes of installed packages, by key."""
        if self._plugins is None:
            from importlib.metadata import entry_points  # slow: only for types not known otherwise

            offered: dict[str, type[Layer]] = {}
            for point in entry_points(group=GROUP):
                offered |= _offered(point)
            self._plugins = offered
        return self._plugins


def _offered(point: EntryPoint) -> dict[str, type[Layer]]:
    """The class of an entry point by its keys; InputError, which names the package, where it cannot be loaded."""
    package = point.dist.name if point.dist else "an unknown package"
    try:
        layer = point.load()
    except (Exception, SystemExit) as failure:
        what = f"{type(failure).__name__}: {reason(failure) if isinstance(failure, Exception) else failure.code}"
        raise InputError(f"package {package}: {point.value} of {GROUP} cannot be loaded: {what}") from failure
    if not (isinstance(layer, type) and issubclass(layer, Layer)):
        raise InputError(f"package {package}: {point.value} of {GROUP} is not a Layer class")
    lacking = _lacks(layer)
    if lacking:
        raise InputError(f"package {package}: {point.value} of {GROUP} lacks {lacking}")
    return dict.fromkeys(keys_of(layer), layer)


def _lacks(layer: type[Layer]) -> str:
    """What a class has yet to say before it can stand for a layer; "" for nothing."""
    return ", ".join([*([] if hasattr(layer, "type") else ["type"]), *sorted(layer.__abstractmethods__)])


def keys_of(layer: type[Layer]) -> tuple[str, ...]:
    """The keys a class is known under: its type and its further names, or a Python layer's own key."""
    python = getattr(layer, "python", None)
    return (f"Python:{python}",) if python else (layer.type, *layer.names)


def python_key(message: Message) -> str:
    """The key of a Python layer: "Python:module.layer"."""
    param = message.child("python_param")
    return f"Python:{param.text('module')}.{param.text('layer')}"


@cache
def shipped_types() -> Mapping[str, type[Layer]]:
    """The types that netcount itself knows, by key.  Imports the file of every one of them."""
    return MappingProxyType({key: layer for name in sorted(_homes()) for key, layer in _types_in(name).items()})


def _shipped(key: str) -> type[Layer] | None:
    """netcount's own class for a key: from the file of that name, or under a further name of another."""
    return _types_in(module_name(key)).get(key) or shipped_types().get(key)


@cache
def _homes() -> Mapping[str, str]:
    """The module of every layer type's file, by the name of the file."""
    (root,) = import_module("netcount.layers").__path__
    homes = {}
    for family in scandir(root):
        if family.is_dir():
            for file in scandir(family):
                if file.name.endswith(".py") and file.name[0] != "_":
                    name = file.name.removesuffix(".py")
                    homes[name] = f"netcount.layers.{family.name}.{name}"
    return homes


@cache
def _types_in(name: str) -> Mapping[str, type[Layer]]:
    """The layer types of one file, by key; none where there is no such file."""
    home = _homes().get(name)
    if home is None:
        return {}
    layers = [
        value
        for value in vars(import_module(home)).values()
        if isinstance(value, type) and issubclass(value, Layer) and value.__module__ == home
    ]
    return {key: layer for layer in layers if hasattr(layer, "type") for key in keys_of(layer)}


CATALOGUE = Catalogue()
"""What netcount knows by itself."""
