"""Tables of a TOML file with their types checked; every mistake is kept with its line."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from netcount.core.errors import InputError, Place, Problems
from netcount.core.files import shown_path
from netcount.core.suggest import unknown
from netcount.core.toml_positions import Key, Spot


def shown_file(path: str | os.PathLike[str]) -> str:
    """A path as people know it from where they stand."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive
        relative = os.fspath(path)
    return shown_path(os.fspath(path) if relative.startswith("..") else relative)


class Tables:
    """Reads one document, collecting what is wrong with it.

    places: where keys stand.  prefix: where in the file the document begins.
    """

    columns = False
    """Whether a place has a column, too."""

    folder: Path
    file: str
    problems: Problems

    def __init__(
        self,
        path: str | os.PathLike[str],
        places: Mapping[tuple[Key, ...], Spot],
        prefix: tuple[Key, ...],
    ) -> None:
        self.folder = Path(path).resolve().parent
        self.file = shown_file(path)
        self.places = places
        self.prefix = prefix
        self.problems = Problems()

    def place(self, *path: Key) -> Place:
        """The line of a key, or of what it is in."""
        full = (*self.prefix, *path)
        while full and full not in self.places:
            full = (*full, 0) if (*full, 0) in self.places else full[:-1]
        spot = self.places.get(full)
        return Place(self.file, spot.line, spot.column if self.columns else 0) if spot else Place(self.file)

    def wrong(self, message: str, *path: Key) -> None:
        """Keep a mistake."""
        self.problems.append(InputError(message, self.place(*path)))

    def tables(self, document: Any, key: str) -> list[Any]:
        """The tables of a list `[[key]]`."""
        value = document.get(key, []) if isinstance(document, dict) else []
        if isinstance(value, list) and all(isinstance(table, dict) for table in value):
            return value
        self.wrong(f'"{key}" is a list of tables: write [[{key}]]', key)
        return []

    def known(self, table: Any, names: Collection[str], what: str, *path: Key) -> None:
        """Refuse keys that have no meaning here."""
        if not isinstance(table, dict):
            self.wrong("this is not a table", *path)
            return
        for key in table:
            if key not in names:
                self.wrong(unknown(what, key, names), *path, key)

    def typed(
        self,
        table: Any,
        key: str,
        kind: type | tuple[type, ...],
        what: str,
        default: Any,
        *path: Key,
    ) -> Any:
        """A value of the right type, or a problem and the default."""
        value = table.get(key, default) if isinstance(table, dict) else default
        fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        if value is default or (fits and value not in ("", [], {})):
            return value
        self.wrong(f"{key} is {what}, not {value!r}", *path, key)
        return default

    def texts(self, table: Any, key: str, *path: Key) -> tuple[str, ...]:
        """A text, or a list of texts."""
        value = self.typed(table, key, (str, list), "a string or a list of strings", (), *path)
        strings = (value,) if isinstance(value, str) else tuple(value)
        if all(isinstance(text, str) and text for text in strings):
            return strings
        self.wrong(f"{key} is a string or a list of strings", *path, key)
        return ()
