"""`netcount.toml`, or `[tool.netcount]` of pyproject.toml: which nets, and their budgets."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from netcount.analysis.budget import LEVELS, Budget
from netcount.analysis.conventions import CONVENTIONS
from netcount.analysis.limits import Limit, is_rule, limits_of, rule_names, unknown
from netcount.errors import InputError, Place, Problems, raise_all
from netcount.layers.assumed import IDENTITY
from netcount.loading import shown_path
from netcount.toml_lines import Key, read_toml

FILE = "netcount.toml"

_OPTIONS = {"phase", "level", "stages", "batch", "input_shape", "assume"}
_NET = {"path", "name", "convention", "allow_incomplete", *_OPTIONS}
_BUDGET = {"nets", "layers", "level", "weight_bits"}
_TOP = {"net", "budget", "baseline"}


class NetEntry(NamedTuple):
    """A `[[net]]` table: the files it means, how they are loaded, the limits inside it.

    files: paths, sorted, at least one.  options: keyword arguments of `netcount.load`.
    """

    files: tuple[str, ...]
    name: str | None
    options: Mapping[str, Any]
    convention: str
    allow_incomplete: bool
    budget: Budget | None
    place: Place


class Config(NamedTuple):
    """A whole configuration; `folder` is the file's, and paths in it are relative to that."""

    file: str
    folder: str
    nets: tuple[NetEntry, ...]
    budgets: tuple[Budget, ...]
    baseline: str | None

    def labelled(self) -> dict[str, tuple[str, NetEntry]]:
        """Every file and its entry by label: the name, or the path from the folder with slashes.

        InputError where two nets would have one label.
        """
        found: dict[str, tuple[str, NetEntry]] = {}
        for entry in self.nets:
            for file in entry.files:
                label = entry.name or Path(os.path.relpath(file, self.folder)).as_posix()
                if label in found:
                    raise InputError(f'two nets are called "{label}"; give one a name', entry.place)
                found[label] = file, entry
        return found


def find(folder: str | os.PathLike[str] = ".") -> Path | None:
    """The nearest netcount.toml, or pyproject.toml with [tool.netcount], from `folder` upwards."""
    start = Path(folder).resolve()
    for here in (start, *start.parents):
        own, project = here / FILE, here / "pyproject.toml"
        if own.is_file():
            return own
        if project.is_file() and "netcount" in _tool(read_toml(project, _shown(project))[0]):
            return project
    return None


def load(path: str | os.PathLike[str]) -> Config:
    """The configuration in a file; all independent mistakes at once, each with its line."""
    document, places = read_toml(path, _shown(path))
    prefix: tuple[Key, ...] = ()
    if Path(path).name == "pyproject.toml":
        tool = _tool(document)
        if "netcount" not in tool:
            raise InputError("there is no [tool.netcount]", Place(_shown(path)))
        document, prefix = tool["netcount"], ("tool", "netcount")
    return _Reader(path, places, prefix).config(document)


def _tool(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The table [tool] of a pyproject.toml."""
    tool = document.get("tool")
    return tool if isinstance(tool, dict) else {}


def _shown(path: str | os.PathLike[str]) -> str:
    """A path as people know it from where they stand."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive
        relative = os.fspath(path)
    return shown_path(os.fspath(path) if relative.startswith("..") else relative)


def _is_shape(value: Any) -> bool:
    if not isinstance(value, list) or not value:
        return False
    return all(type(extent) is int and 0 < extent < 2**31 for extent in value)


class _Reader:
    """Reads one document, collecting what is wrong with it."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        places: Mapping[tuple[Key, ...], int],
        prefix: tuple[Key, ...],
    ) -> None:
        self.folder = Path(path).resolve().parent
        self.file = _shown(path)
        self.places = places
        self.prefix = prefix
        self.problems = Problems()

    def place(self, *path: Key) -> Place:
        full = (*self.prefix, *path)
        while full and full not in self.places:
            full = (*full, 0) if (*full, 0) in self.places else full[:-1]
        return Place(self.file, self.places.get(full, 0))

    def wrong(self, message: str, *path: Key) -> None:
        self.problems.append(InputError(message, self.place(*path)))

    def config(self, document: Any) -> Config:
        self.known(document, _TOP, "key")
        nets = [self.net(table, index) for index, table in enumerate(self.tables(document, "net"))]
        budgets = [
            self.budget(table, "budget", index, _BUDGET)
            for index, table in enumerate(self.tables(document, "budget"))
        ]
        baseline = self.typed(document, "baseline", str, "a path", None)
        raise_all(self.problems)
        return Config(
            self.file,
            str(self.folder),
            tuple(nets),
            tuple(budget for budget in budgets if budget),
            _shown(self.folder / baseline) if baseline else None,
        )

    def tables(self, document: Any, key: str) -> list[Any]:
        value = document.get(key, []) if isinstance(document, dict) else []
        if isinstance(value, list) and all(isinstance(table, dict) for table in value):
            return value
        self.wrong(f'"{key}" is a list of tables: write [[{key}]]', key)
        return []

    def known(self, table: Any, names: Collection[str], what: str, *path: Key) -> None:
        if not isinstance(table, dict):
            self.wrong("this is not a table", *path)
            return
        for key in table:
            if key not in names:
                self.wrong(unknown(key, names, what), *path, key)

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
        value = self.typed(table, key, (str, list), "a text or a list of texts", (), *path)
        found = (value,) if isinstance(value, str) else tuple(value)
        if all(isinstance(text, str) and text for text in found):
            return found
        self.wrong(f"{key} is a text or a list of texts", *path, key)
        return ()

    def net(self, table: Any, index: int) -> NetEntry:
        at: tuple[Key, ...] = ("net", index)
        self.known(table, {*_NET, *rule_names(), "weight_bits"}, "key of a net", *at)
        convention = self.typed(table, "convention", str, "the name of one", "madds", *at)
        if convention not in CONVENTIONS:
            self.wrong(unknown(convention, CONVENTIONS, "convention"), *at, "convention")
        files = self.files(table, *at)
        name = self.typed(table, "name", str, "a text", None, *at)
        if name and len(files) > 1:
            self.wrong(f'{len(files)} files cannot all be called "{name}"', *at, "name")
        return NetEntry(
            files,
            name,
            self.options(table, *at),
            convention,
            self.typed(table, "allow_incomplete", bool, "true or false", False, *at),
            self.budget(table, "net", index, _NET | {"weight_bits"}),
            self.place(*at),
        )

    def files(self, table: Any, *at: Key) -> tuple[str, ...]:
        found: dict[str, None] = {}
        patterns = self.texts(table, "path", *at)
        if not patterns and "path" not in table:
            self.wrong("this net has no path", *at)
        for pattern in patterns:
            if (self.folder / pattern).is_file():
                matches = [self.folder / pattern]
            else:
                import glob

                names = glob.glob(pattern, root_dir=self.folder, recursive=True)
                matches = [self.folder / n for n in sorted(names) if (self.folder / n).is_file()]
            if not matches:
                self.wrong(f'no file matches "{pattern}"', *at, "path")
            found.update(dict.fromkeys(_shown(os.path.normpath(match)) for match in matches))
        return tuple(found)

    def options(self, table: Any, *at: Key) -> dict[str, Any]:
        shapes = self.typed(table, "input_shape", (list, dict), "a shape or shapes by blob", {}, *at)
        shapes = {"": shapes} if isinstance(shapes, list) else shapes
        for shape in shapes.values():
            if not _is_shape(shape):
                self.wrong("a shape is a list of whole numbers, [1, 3, 227, 227]", *at, "input_shape")
        batch = self.typed(table, "batch", (int, str), 'a number or "net"', 1, *at)
        if batch != "net" and not (isinstance(batch, int) and 0 < batch < 2**31):
            self.wrong(f'batch is a positive number or "net", not {batch!r}', *at, "batch")
        phase = self.typed(table, "phase", str, '"TEST" or "TRAIN"', "TEST", *at)
        if phase not in ("TEST", "TRAIN"):
            self.wrong(f'phase is "TEST" or "TRAIN", not {phase!r}', *at, "phase")
        return {
            "phase": phase,
            "level": self.typed(table, "level", int, "a whole number", 0, *at),
            "stages": self.texts(table, "stages", *at),
            "batch": batch,
            "input_shapes": shapes,
            "assume": self.assumed(table, *at),
        }

    def assumed(self, table: Any, *at: Key) -> dict[str, Any]:
        found: dict[str, Any] = self.typed(table, "assume", dict, "a table by type or layer", {}, *at)
        for what in found.values():
            shapes = what if isinstance(what, list) else []
            if what != IDENTITY and not (_is_shape(shapes) or (shapes and all(map(_is_shape, shapes)))):
                self.wrong('assume takes "identity", a shape, or a list of shapes', *at, "assume")
        return found

    def budget(self, table: Any, kind: str, index: int, others: Collection[str]) -> Budget | None:
        """The limits of a table; None for a net without any."""
        at: tuple[Key, ...] = (kind, index)
        own = kind == "budget"
        if own:
            self.known(table, {*rule_names(), *others}, "limit", *at)
        level = self.typed(table, "level", str, '"error" or "warn"', LEVELS[0], *at) if own else LEVELS[0]
        if level not in LEVELS:
            self.wrong(f'level is "error" or "warn", not {level!r}', *at, "level")
        bits = self.typed(table, "weight_bits", int, "a number of bits", 32, *at)
        if not 1 <= bits <= 64:
            self.wrong(f"weight_bits is from 1 to 64, not {bits}", *at, "weight_bits")
        limits: list[Limit] = []
        for key, value in table.items():
            if is_rule(key):
                try:
                    limits += limits_of(key, value, self.place(*at, key))
                except ValueError as mistake:
                    self.wrong(f"{key}: {mistake}", *at, key)
        if own and not any(is_rule(key) for key in table):
            self.wrong("this budget sets no limit", *at)
        layers = self.texts(table, "layers", *at) if own else ()
        nets = self.texts(table, "nets", *at) if own else ()
        budget = Budget(tuple(limits), nets, layers, level, bits, self.place(*at))
        for limit in budget.misfits():
            self.wrong(f"{limit.rule} is of a whole net, and this budget is for layers", *at, limit.rule)
        return budget if limits else None
