"""JSON documents that netcount wrote, read again: a value that does not fit is named by where it stands."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, NoReturn, TypeAlias, TypeVar

from netcount.core.errors import InputError, Place
from netcount.core.files import read_text, shown_path

T = TypeVar("T")

_MOST = 2**127
_SHOWN = 40
_NOTHING: Any = object()

Keys: TypeAlias = tuple[str | int, ...]


class Kind(NamedTuple):
    """A kind of document.

    Attributes:
        noun: What it is called: "baseline".
        schema: What its `schema` is.
        remedy: How a new one is written.
    """

    noun: str
    schema: str
    remedy: str


class Misfit(ValueError):
    """A value is not what is wanted.

    Args:
        wanted: What is.
        value: The value.
        inside: Where it stands in the value that is checked.
    """

    def __init__(self, wanted: str, value: object, inside: Keys = ()) -> None:
        super().__init__(wanted)
        self.wanted = wanted
        self.value = value
        self.inside = inside


Check: TypeAlias = Callable[[Any], T]
"""Gives a value in the form that is wanted, or raises a Misfit."""


def whole(value: Any) -> int:
    """A whole number from 0, of at most 127 bits."""
    if type(value) is not int or not 0 <= value < _MOST:
        raise Misfit("a whole number from 0", value)
    return value


def text(value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise Misfit("a text", value)
    return value


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Misfit("true or false", value)
    return value


def optional(check: Check[T]) -> Check[T | None]:
    """The check of a value that may be null."""
    return lambda value: None if value is None else check(value)


def list_of(check: Check[T]) -> Check[tuple[T, ...]]:
    """The check of a list by that of its items."""

    def checked(value: Any) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise Misfit("a list", value)
        return tuple(_inside(key, item, check) for key, item in enumerate(value))

    return checked


def mapping_of(check: Check[T]) -> Check[dict[str, T]]:
    """The check of an object with any keys by that of its values."""

    def checked(value: Any) -> dict[str, T]:
        return {key: _inside(key, item, check) for key, item in _object(value).items()}

    return checked


def _inside(key: str | int, value: Any, check: Check[T]) -> T:
    try:
        return check(value)
    except Misfit as misfit:
        raise Misfit(misfit.wanted, misfit.value, (key, *misfit.inside)) from None


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Misfit("an object", value)
    return value


class Record:
    """An object of a document.

    Attributes:
        file: The document's path, as it is shown.
        kind: What the document is.
        keys: Where in it the object stands.
    """

    def __init__(self, values: Mapping[str, Any], file: str, kind: Kind, keys: Keys = ()) -> None:
        self._values = values
        self.file = file
        self.kind = kind
        self.keys = keys

    def get(self, key: str, check: Check[T], default: T = _NOTHING) -> T:
        """A value, checked.

        Raises:
            InputError: It does not fit, or is missing where there is no default.
        """
        value = self._values.get(key, _NOTHING)
        if value is _NOTHING:
            if default is _NOTHING:
                self.wrong("is missing", key)
            return default
        try:
            return check(value)
        except Misfit as misfit:
            self.wrong(f"is {_shown(misfit.value)}, not {misfit.wanted}", key, *misfit.inside)

    def record(self, key: str) -> Record:
        """The object that a key has."""
        return Record(self.get(key, _object), self.file, self.kind, (*self.keys, key))

    def records(self, key: str) -> list[Record]:
        """The objects of a list."""
        items = self.get(key, list_of(_object))
        return [Record(item, self.file, self.kind, (*self.keys, key, index)) for index, item in enumerate(items)]

    def named(self, key: str) -> dict[str, Record]:
        """The objects of an object whose keys are names."""
        items = self.get(key, mapping_of(_object))
        return {name: Record(item, self.file, self.kind, (*self.keys, key, name)) for name, item in items.items()}

    def wrong(self, what: str, *keys: str | int) -> NoReturn:
        """Refuse the document for what a value in this object is."""
        raise InputError(
            f"not a complete {self.kind.noun}: {_path((*self.keys, *keys))} {what}; {self.kind.remedy}",
            Place(self.file),
        )


def read_record(path: str | os.PathLike[str], kind: Kind) -> Record:
    """The whole of a JSON document.

    Raises:
        InputError: The file cannot be read, or holds no document of that kind.
    """
    file = shown_path(os.fspath(path))
    no = f"not a {kind.noun}"
    try:
        document = json.loads(read_text(path))
    except json.JSONDecodeError as failure:
        raise InputError(
            f"{no}: not valid JSON: {failure.msg}", Place(file, failure.lineno, failure.colno)
        ) from None
    except (RecursionError, ValueError):
        raise InputError(f"{no}: nested too deeply, or a number too long", Place(file)) from None
    schema = document.get("schema", _NOTHING) if isinstance(document, dict) else _NOTHING
    if schema != kind.schema:
        has = "it has no schema, which is" if schema is _NOTHING else f"its schema is {_shown(schema)}, not"
        raise InputError(f'{no}: {has} "{kind.schema}"; {kind.remedy}', Place(file))
    return Record(document, file, kind)


def _path(keys: Keys) -> str:
    """Where a value stands, as JavaScript would write it.

    >>> _path(("nets", "my net", "layers", 2, "madds"))
    'nets["my net"].layers[2].madds'
    """
    parts = [
        f".{key}" if str(key).isidentifier() and str(key).isascii() else f"[{json.dumps(key)}]" for key in keys
    ]
    return "".join(parts).removeprefix(".")


def _shown(value: Any) -> str:
    """A value as the document has it, or what it is."""
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "an object"
    written = json.dumps(value)
    return written if len(written) <= _SHOWN else f"{written[: _SHOWN - 2]} …"
