"""`netcount.toml`, or `[tool.netcount]` of pyproject.toml: which nets, and their budgets."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from netcount.analysis._support.smells import CODES
from netcount.analysis.conventions import KNOWN, Convention, weighted
from netcount.budget.budget import LEVELS, Budget
from netcount.budget.limits import FIT, Limit, is_rule, limits_of, rule_names
from netcount.core.errors import InputError, Place, raise_all
from netcount.core.files import read_bytes, relative_path
from netcount.core.globs import files_matching
from netcount.core.opcount import OpCount
from netcount.core.suggest import unknown
from netcount.core.toml_positions import Key, read_toml
from netcount.core.toml_tables import Tables, shown_file
from netcount.graph.options import LoadArguments, LoadOptions
from netcount.layers.assumed import Assumption

FILE = "netcount.toml"

_OPTIONS = {
    name: "input_shape" if name == "input_shapes" else name for name in LoadOptions._fields if name != "catalogue"
}
"""The key of each argument that says how a net is read."""
_NET = {"path", "name", "convention", "allow_incomplete", *_OPTIONS.values()}
_BITS = ("weight_bits", "activation_bits")
_BUDGET = {"nets", "layers", "level", *_BITS}
_TOP = {"net", "budget", "baseline", "convention", "assume", "lint"}


class NetEntry(NamedTuple):
    """A `[[net]]` table: the files it means, how they are loaded, the limits inside it.

    files: paths, sorted, at least one.  options: how they are read.
    """

    files: tuple[str, ...]
    name: str | None
    options: LoadOptions
    convention: Convention
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
    baseline_place: Place | None
    conventions: Mapping[str, Convention] = KNOWN
    assume: Mapping[str, Assumption] = {}
    lint_ignore: tuple[str, ...] = ()

    def labelled(self) -> dict[str, tuple[str, NetEntry]]:
        """Every file and its entry by label: the name, or the path from the folder with slashes.

        InputError where two nets would have one label.
        """
        by_label: dict[str, tuple[str, NetEntry]] = {}
        for entry in self.nets:
            for file in entry.files:
                label = entry.name or relative_path(file, self.folder)
                if label in by_label:
                    raise InputError(f'two nets are called "{label}"; give one of them a name', entry.place)
                by_label[label] = file, entry
        return by_label


def find(folder: str | os.PathLike[str] = ".") -> Path | None:
    """The nearest netcount.toml, or pyproject.toml with [tool.netcount], from `folder` upwards."""
    start = Path(folder).resolve()
    for here in (start, *start.parents):
        own, project = here / FILE, here / "pyproject.toml"
        if own.is_file():
            return own
        if project.is_file() and "netcount" in _tools(read_toml(project, shown_file(project))[0]):
            return project
    return None


def find_below(folder: str | os.PathLike[str]) -> list[Path]:
    """Every netcount.toml, or pyproject.toml with [tool.netcount], in and below a folder; hidden folders are
    passed over.  InputError where there is none.
    """
    files: list[Path] = []
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        own, project = Path(here, FILE), Path(here, "pyproject.toml")
        if FILE in names:
            files.append(own)
        elif "pyproject.toml" in names and _may_configure(project):
            files.append(project)
    if not files:
        raise InputError(f"there is no {FILE} in or below {shown_file(folder)}")
    return files


def _may_configure(project: Path) -> bool:
    """Whether a pyproject.toml has [tool.netcount]; a broken one counts where it speaks of netcount."""
    try:
        return "netcount" in _tools(read_toml(project, shown_file(project))[0])
    except InputError:
        return b"netcount" in read_bytes(project, 2**20)


def _tools(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The [tool] of a pyproject.toml; empty where that is no table."""
    tools = document.get("tool")
    return tools if isinstance(tools, dict) else {}


def load(path: str | os.PathLike[str]) -> Config:
    """The configuration in a file; all independent mistakes at once, each with its line."""
    document, places = read_toml(path, shown_file(path))
    prefix: tuple[Key, ...] = ()
    if Path(path).name == "pyproject.toml":
        tools = _tools(document)
        if "netcount" not in tools:
            raise InputError("there is no [tool.netcount]", Place(shown_file(path)))
        document, prefix = tools["netcount"], ("tool", "netcount")
    return _Reader(path, places, prefix).config(document)


class _Reader(Tables):
    """Reads one configuration."""

    def config(self, document: Any) -> Config:
        self.known(document, _TOP, "key")
        self.conventions = {**KNOWN, **self.own_conventions(document)}
        self.assume = self.assumptions(document)
        nets = [self.net(table, index) for index, table in enumerate(self.tables(document, "net"))]
        budgets = [
            self.budget(table, "budget", index, _BUDGET)
            for index, table in enumerate(self.tables(document, "budget"))
        ]
        baseline = self.typed(document, "baseline", str, "a path", None)
        lint_ignore = self.lint_codes(document)
        raise_all(self.problems)
        return Config(
            self.file,
            str(self.folder),
            tuple(nets),
            tuple(budget for budget in budgets if budget),
            shown_file(self.folder / baseline) if baseline else None,
            self.place("baseline") if baseline else None,
            MappingProxyType(self.conventions),
            MappingProxyType(self.assume),
            lint_ignore,
        )

    def lint_codes(self, document: Any) -> tuple[str, ...]:
        """The codes that `[lint]` switches off in every net."""
        table = self.typed(document, "lint", dict, "a table", {})
        self.known(table, {"ignore"}, "key of lint", "lint")
        codes = self.texts(table, "ignore", "lint")
        for number, code in enumerate(codes):
            if code not in CODES:
                self.wrong(unknown("code", code, CODES), "lint", "ignore", number)
        return codes

    def assumptions(self, document: Any) -> dict[str, Assumption]:
        """The `[assume]` table: what layers are taken for in every net that has them."""
        assumptions: dict[str, Assumption] = {}
        for name, value in self.typed(document, "assume", dict, "a table by layer, type or field", {}).items():
            try:
                assumptions |= LoadOptions.of(assume={name: value}).assume
            except InputError as problem:
                self.wrong(problem.what, "assume", name)
        return {name: what._replace(optional=True) for name, what in assumptions.items()}

    def own_conventions(self, document: Any) -> dict[str, Convention]:
        """The `[convention.NAME]` tables: whole-number weights of op classes."""
        conventions: dict[str, Convention] = {}
        tables = self.typed(document, "convention", dict, "a table by name", {})
        for name, table in tables.items():
            at: tuple[Key, ...] = ("convention", name)
            before = len(self.problems)
            self.known(table, {*OpCount._fields, "about"}, "op class", *at)
            if name in KNOWN:
                self.wrong(f'"{name}" is a convention of netcount\'s own; call this one otherwise', *at)
            about = self.typed(table, "about", str, "a text", "", *at)
            classes = [key for key in OpCount._fields if isinstance(table, dict) and key in table]
            weights = {key: self.typed(table, key, int, "a whole number", 0, *at) for key in classes}
            if any(not 0 <= weight < 2**31 for weight in weights.values()):
                self.wrong("a weight is a whole number from 0 on", *at)
            elif len(self.problems) == before and not any(weights.values()):
                self.wrong(f"this convention counts nothing; give a weight to {', '.join(OpCount._fields)}", *at)
            elif len(self.problems) == before:
                conventions[name] = weighted(name, weights, about)
        return conventions

    def net(self, table: Any, index: int) -> NetEntry:
        at: tuple[Key, ...] = ("net", index)
        self.known(table, {*_NET, *rule_names(), *_BITS}, "key of a net", *at)
        convention = self.typed(table, "convention", str, "the name of one", "madds", *at)
        if convention not in self.conventions:
            self.wrong(unknown("convention", convention, self.conventions), *at, "convention")
        files = self.files(table, *at)
        name = self.typed(table, "name", str, "a text", None, *at)
        if name and len(files) > 1:
            self.wrong(f'{len(files)} files cannot all be called "{name}"', *at, "name")
        return NetEntry(
            files,
            name,
            self.options(table, *at),
            self.conventions.get(convention, KNOWN["madds"]),
            self.typed(table, "allow_incomplete", bool, "true or false", False, *at),
            self.budget(table, "net", index, _NET | {*_BITS}),
            self.place(*at),
        )

    def files(self, table: Any, *at: Key) -> tuple[str, ...]:
        paths: dict[str, None] = {}
        patterns = self.texts(table, "path", *at)
        if not patterns and "path" not in table:
            self.wrong("this net has no path", *at)
        for number, pattern in enumerate(patterns):
            if (self.folder / pattern).is_file():
                matches = [self.folder / pattern]
            else:
                matches = [self.folder / name for name in files_matching(pattern, self.folder)]
            if not matches:
                folder = (self.folder / pattern).is_dir()
                inside = pattern.rstrip("/") + "/*.prototxt"
                what = f'"{pattern}" is a folder; write "{inside}"' if folder else f'no file matches "{pattern}"'
                self.wrong(what, *at, "path", number)
            paths.update(dict.fromkeys(shown_file(os.path.normpath(match)) for match in matches))
        return tuple(paths)

    def target(self, name: Any) -> Any:
        """A target's name, or a profile's path from the folder of the configuration as one from here."""
        path, mark, variant = str(name).partition("#")
        return f"{shown_file(self.folder / path)}{mark}{variant}" if path.endswith(".toml") else name

    def options(self, table: Any, *at: Key) -> LoadOptions:
        """How the nets of a table are read; a wrong value is left out and noted at its key."""
        given: LoadArguments = {"stages": self.texts(table, "stages", *at)}
        for argument, key in _OPTIONS.items():
            if argument == "stages" or not isinstance(table, dict) or key not in table:
                continue
            value: Any = table[key]
            if argument == "input_shapes" and isinstance(value, list):
                value = {"": value}
            one: LoadArguments = {argument: value}  # type: ignore[misc]
            try:
                LoadOptions.of(**one)
            except InputError as problem:
                hint = ' ("warn" stands in a [[budget]])' if key == "level" and value in LEVELS else ""
                self.wrong(f"{key}: {problem.what}{hint}", *at, key)
            else:
                given.update(one)
        options = LoadOptions.of(**given)
        return options._replace(assume={**self.assume, **options.assume})

    def budget(self, table: Any, kind: str, index: int, others: Collection[str]) -> Budget | None:
        """The limits of a table; None for a net without any."""
        at: tuple[Key, ...] = (kind, index)
        own = kind == "budget"
        if own:
            self.known(table, {*rule_names(), *others}, "limit", *at)
        level = self.typed(table, "level", str, '"error" or "warn"', LEVELS[0], *at) if own else LEVELS[0]
        if level not in LEVELS:
            self.wrong(f'level is "error" or "warn", not {level!r}', *at, "level")
        bits = {key: self.typed(table, key, int, "a number of bits", 32, *at) for key in _BITS}
        for key, number in bits.items():
            if not 1 <= number <= 64:
                self.wrong(f"{key} is from 1 to 64, not {number}", *at, key)
        limits: list[Limit] = []
        for key, value in table.items():
            if is_rule(key):
                if key == FIT and isinstance(value, list):
                    value = [self.target(name) for name in value]
                try:
                    limits += limits_of(key, value, self.place(*at, key))
                except ValueError as mistake:
                    self.wrong(f"{key}: {mistake}", *at, key)
        if own and not any(is_rule(key) for key in table):
            self.wrong("this budget sets no limit", *at)
        layers = self.texts(table, "layers", *at) if own else ()
        nets = self.texts(table, "nets", *at) if own else ()
        budget = Budget(tuple(limits), nets, layers, level, place=self.place(*at), **bits)
        for limit in budget.misfits():
            self.wrong(f"{limit.rule} is of a whole net, and this budget is for layers", *at, limit.rule)
        return budget if limits else None
