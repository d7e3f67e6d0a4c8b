"""A profile: what a tool-chain takes, as a TOML file says (`netcount-target/1`)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from netcount.core.errors import InputError, Place, raise_all
from netcount.core.suggest import unknown
from netcount.core.toml_positions import Key, read_toml
from netcount.core.toml_tables import Tables, shown_file
from netcount.core.units import parse_quantity
from netcount.targets.expressions import BOOL, NUMBER, Expression, Function, Vocabulary, parse, short_form
from netcount.targets.figures import LAYER, NET, PAIRS, layer_vocabulary, net_vocabulary

SCHEMA = "netcount-target/1"
Effect = Literal["refused", "wrong", "cpu", "extra"]
"""What happens: the tool stops; it computes something else than Caffe; the layer runs on the host's CPU; the
layer costs more than it would."""
EFFECTS: tuple[Effect, ...] = get_args(Effect)
COMBINED: Mapping[str, Fraction] = {"max": Fraction(0), "max and half min": Fraction(1, 2), "sum": Fraction(1)}
"""How the time of the products and that of the memory make a layer's: the larger, and this part of the smaller."""
KEPT = ("pair", "blob")
"""What stays in the SRAM: a layer's bottoms and tops where they fit together, or each of them that fits."""
TRAFFIC = ("all", "weights")
"""What goes through the memory that `bandwidth` is of."""

_TOP = frozenset(
    "schema name vendor toolchain version reliability sources unchecked precision unlisted outside types constants"
    " function rule file memory hardware cycles board measured variant".split()
)
_TYPES = {"accepted", "ignored", "fused", *EFFECTS, "source"}
_RULE = {"type", "when", "require", "effect", "source", "note"}
_MEMORY = {"name", "size", "each", "type", "when", "need", "effect", "source", "note"}
_HARDWARE = {
    "array", "depthwise", "pool", "clock_hz", "bandwidth", "sram", "weight_bits", "activation_bits", "products",
    "combine", "keeps", "traffic", "source",
}  # fmt: skip
_BOARD = {"name", "variant", "cores", "clock_hz", "bandwidth", "source"}
ARRAYS: dict[str, tuple[str, ...]] = {
    "array": ("in", "out", "pixels"),
    "depthwise": ("channels", "pixels"),
    "pool": ("channels", "pixels"),
}


class Types(NamedTuple):
    """The layer types by what becomes of them; `unlisted`: of those that no list has."""

    effects: Mapping[str, Effect]
    accepted: frozenset[str]
    passed: frozenset[str]
    unlisted: Effect | None
    source: str

    def effect(self, name: str) -> Effect | None:
        """What becomes of a type; None where it is taken."""
        if name in self.effects:
            return self.effects[name]
        return None if name in self.accepted or name in self.passed else self.unlisted


class Bound(NamedTuple):
    """One condition: `figure` is the name that the profile gives it, empty for a free expression."""

    figure: str
    holds: Expression

    @property
    def text(self) -> str:
        """As the profile writes it."""
        return f"{self.figure} {self.holds.text}" if self.figure else self.holds.text


class Rule(NamedTuple):
    """What layers of some types have to keep to (all types, where it names none), or the file."""

    types: tuple[str, ...]
    when: Expression | None
    bounds: tuple[Bound, ...]
    effect: Effect
    source: str
    note: str
    place: Place


class Bank(NamedTuple):
    """A memory.  each: "layer" where it has to hold what each layer (of `types`) needs, or "net"."""

    name: str
    size: int
    each: str
    types: tuple[str, ...]
    when: Expression | None
    need: Expression
    effect: Effect
    source: str
    note: str
    place: Place


class Array(NamedTuple):
    """What an array multiplies a cycle: input channels × output channels × pixels."""

    inputs: int
    outputs: int
    pixels: int


class Lanes(NamedTuple):
    """What a unit takes a cycle: channels × pixels."""

    channels: int
    pixels: int


class Cycles(NamedTuple):
    """The cycles of some layers by a formula."""

    types: tuple[str, ...]
    when: Expression | None
    value: Expression


class Hardware(NamedTuple):
    """Figures of a chip; None where they are not known.  products: the most a cycle."""

    array: Array | None = None
    depthwise: Lanes | None = None
    pool: Lanes | None = None
    clock_hz: int | None = None
    bandwidth: int | None = None
    sram: int | None = None
    weight_bits: int = 8
    activation_bits: int = 8
    products: int | None = None
    combine: str = "max"
    keeps: str = "pair"
    traffic: str = "all"
    source: str = ""


class Board(NamedTuple):
    """A board on which the chip is sold; what it does not say is the profile's.  bandwidth: of one core."""

    name: str
    variant: str
    cores: int
    clock_hz: int | None
    bandwidth: int | None
    source: str


class Measured(NamedTuple):
    """A time that somebody measured: milliseconds for one image."""

    net: str
    ms: Fraction
    board: str
    source: str
    place: Place


class Profile(NamedTuple):
    """A whole profile, of one variant."""

    id: str
    file: str
    folder: str
    name: str
    vendor: str
    toolchain: str
    version: str
    reliability: str
    sources: tuple[str, ...]
    unchecked: tuple[str, ...]
    precisions: tuple[str, ...]
    types: Types
    constants: Mapping[str, int | Fraction]
    rules: tuple[Rule, ...]
    file_rules: tuple[Rule, ...]
    banks: tuple[Bank, ...]
    hardware: Hardware
    cycles: tuple[Cycles, ...]
    boards: tuple[Board, ...]
    measured: tuple[Measured, ...]

    def board(self, name: str) -> Board:
        """The board of that name; InputError where the profile has none."""
        for board in self.boards:
            if board.name.lower() == name.lower():
                return board
        names = [board.name for board in self.boards]
        known = f"; known are {', '.join(names)}" if names else ": it names none"
        raise InputError(f'{self.id} has no board "{name}"{known}', argument="board")


def read_profile(path: str | os.PathLike[str], variant: str = "", stem: str | None = None) -> Profile:
    """The profile in a file; all independent mistakes at once, each with line and column.

    Args:
        path: A TOML file.
        variant: Which of its variants, "" where it has none.
        stem: What the profile is called, without its variant (default: the file's name).

    Raises:
        InputError: It is no profile, or has no such variant.
    """
    document, places = read_toml(path, shown_file(path))
    return _Reader(path, places, ()).profile(document, variant, Path(path).stem if stem is None else stem)


def variants_of(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """The variants that a profile has."""
    document, _ = read_toml(path, shown_file(path))
    table = document.get("variant", {})
    return tuple(table) if isinstance(table, dict) else ()


class _Reader(Tables):
    """Reads one profile."""

    columns = True

    def profile(self, document: Any, variant: str, stem: str) -> Profile:
        schema = document.get("schema")
        if schema != SCHEMA:
            raise InputError(f'not a profile: schema = "{SCHEMA}" is missing', self.place("schema"))
        self.known(document, _TOP, "key")
        own = self.variant(document, variant)
        self.constants = self.numbers(document, "constants") | self.numbers(own, "constants", "variant", variant)
        for name in self.constants:
            if name in LAYER or name in NET or "." in name or not name.isidentifier():
                self.wrong(f'"{name}" cannot name a constant: it has a meaning already', "constants", name)
        self.functions: dict[str, Function] = {}
        self.read_functions(document)
        self.on_layers = layer_vocabulary(self.constants, self.functions)
        self.on_nets = net_vocabulary(self.constants, self.functions)
        outside = self.effect(document, "outside", "refused")
        made = Profile(
            id=f"{stem}-{variant}" if variant else stem,
            file=self.file,
            folder=str(self.folder),
            name=str(own.get("name") or self.text(document, "name", required=True)),
            vendor=self.text(document, "vendor"),
            toolchain=self.text(document, "toolchain", required=True),
            version=self.text(document, "version", required=True),
            reliability=self.text(document, "reliability", required=True),
            sources=self.texts(document, "sources"),
            unchecked=self.texts(document, "unchecked"),
            precisions=self.texts(document, "precision"),
            types=self.types(document),
            constants=self.constants,
            rules=tuple(self.rules(document, "rule", self.on_layers, outside)),
            file_rules=tuple(self.rules(document, "file", self.on_nets, outside)),
            banks=tuple(self.banks(document, outside)),
            hardware=self.hardware(document, own, variant),
            cycles=tuple(self.cycles(document)),
            boards=tuple(board for board in self.boards(document) if board.variant in ("", variant)),
            measured=tuple(self.measured(document)),
        )
        raise_all(self.problems)
        return made

    def variant(self, document: Any, variant: str) -> dict[str, Any]:
        tables = self.typed(document, "variant", dict, "a table by name", {})
        if variant not in tables and (variant or tables):
            what = f'no variant "{variant}"' if variant else "variants, and none is named"
            hint = f"; write {shown_file(self.file)}#{next(iter(tables))}" if tables and not variant else ""
            raise InputError(f"the profile has {what}{hint}", self.place("variant"))
        own: dict[str, Any] = tables.get(variant, {})
        if variant:
            self.known(own, {"name", "constants", "hardware"}, "key of a variant", "variant", variant)
        return own if isinstance(own, dict) else {}

    def text(self, table: Any, key: str, *path: Key, required: bool = False) -> str:
        value: str = self.typed(table, key, str, "a text", "", *path)
        if required and not value and key not in table:
            self.wrong(f"{key} is missing", *path)
        return value

    def numbers(self, table: Any, key: str, *path: Key) -> dict[str, int | Fraction]:
        values: dict[str, int | Fraction] = {}
        for name, value in self.typed(table, key, dict, "a table of numbers", {}, *path).items():
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                self.wrong(f"{name} is a number, not {value!r}", *path, key, name)
            else:
                values[name] = value if isinstance(value, int) else Fraction(str(value))
        return values

    def effect(self, table: Any, key: str, default: Effect, *path: Key) -> Effect:
        value = table.get(key, default)
        if value not in EFFECTS:
            self.wrong(f"{key} is one of {', '.join(EFFECTS)}, not {value!r}", *path, key)
            return default
        effect: Effect = value
        return effect

    def types(self, document: Any) -> Types:
        table = self.typed(document, "types", dict, "a table of lists", {})
        self.known(table, _TYPES, "list of types", "types")
        effects: dict[str, Effect] = {}
        for effect in EFFECTS:
            effects |= dict.fromkeys(self.texts(table, effect, "types"), effect)
        taken = {key: self.texts(table, key, "types") for key in ("accepted", "ignored", "fused")}
        for key, names in taken.items():
            for index, name in enumerate(names):
                if name in effects:
                    self.wrong(f"{name} is in {key} and in {effects[name]}", "types", key, index)
        unlisted = document.get("unlisted", "refused")
        if unlisted not in (*EFFECTS, "accepted"):
            self.wrong(f"unlisted is accepted or one of {', '.join(EFFECTS)}, not {unlisted!r}", "unlisted")
        return Types(
            effects,
            frozenset(taken["accepted"]),
            frozenset({*taken["ignored"], *taken["fused"]}),
            None if unlisted == "accepted" else unlisted,
            self.text(table, "source", "types"),
        )

    def read_functions(self, document: Any) -> None:
        """The functions: each may call those before it, so that none can call itself."""
        for name, table in self.typed(document, "function", dict, "a table by name", {}).items():
            at: tuple[Key, ...] = ("function", name)
            self.known(table, {"arguments", "value"}, "key of a function", *at)
            arguments = self.texts(table, "arguments", *at)
            names = {*arguments, *self.constants}
            vocabulary = Vocabulary(
                lambda word, names=names: NUMBER if word in names else None,  # type: ignore[misc]
                tuple(names),
                dict(self.functions),
            )
            body = self.expression(table, "value", vocabulary, NUMBER, *at)
            if body is not None:
                self.functions[name] = Function(arguments, body)
            elif isinstance(table, dict) and "value" not in table:
                self.wrong("value is missing", *at)

    def expression(
        self, table: Any, key: str, vocabulary: Vocabulary, wanted: str, *path: Key
    ) -> Expression | None:
        """The expression under a key; None where there is none, or a mistake that is kept."""
        if not isinstance(table, dict) or key not in table:
            return None
        text = self.typed(table, key, str, "an expression, as a text", "", *path)
        if not text:
            return None
        try:
            return parse(text, self.value_place(*path, key), vocabulary, wanted)
        except InputError as problem:
            self.problems.append(problem)
            return None

    def value_place(self, *path: Key) -> Place:
        """Where the first character of a text stands."""
        spot = self.places.get((*self.prefix, *path))
        return Place(self.file, spot.value_line, spot.value_column + 1) if spot else self.place(*path)

    def rules(self, document: Any, key: str, vocabulary: Vocabulary, outside: Effect) -> list[Rule]:
        kept = []
        for index, table in enumerate(self.tables(document, key)):
            at: tuple[Key, ...] = (key, index)
            bounds = []
            for name in table:
                figures = PAIRS.get(name, (name,))
                if name in _RULE:
                    continue
                if all(vocabulary.kind_of(figure) is not None for figure in figures):
                    bound = self.short(table, name, figures, vocabulary, *at)
                    bounds += [bound] if bound else []
                else:
                    names = (*_RULE, *PAIRS, *vocabulary.names)
                    self.wrong(unknown("key or figure", name, names), *at, name)
            require = self.expression(table, "require", vocabulary, BOOL, *at)
            bounds += [Bound("", require)] if require else []
            if not bounds and not ({*table} - _RULE or "require" in table):
                self.wrong('a rule needs a figure with its bound, such as kernel = "1..7", or require', *at)
            kept.append(
                Rule(
                    self.texts(table, "type", *at),
                    self.expression(table, "when", vocabulary, BOOL, *at),
                    tuple(bounds),
                    self.effect(table, "effect", outside, *at),
                    self.text(table, "source", *at),
                    self.text(table, "note", *at),
                    self.place(*at),
                )
            )
        return kept

    def short(
        self, table: Any, name: str, figures: tuple[str, ...], vocabulary: Vocabulary, *path: Key
    ) -> Bound | None:
        value = table[name]
        several = isinstance(value, list)
        choices = value if several else [value]
        texts = []
        for choice in choices:
            if isinstance(choice, bool):
                texts.append("true" if choice else "false")
            elif isinstance(choice, (int, float)):
                texts.append(str(choice))
            elif isinstance(choice, str) and choice:
                texts.append(choice)
            else:
                self.wrong(f"{name} is a number, a range such as 1..7, or a list of these", *path, name)
                return None
        if not texts:
            self.wrong(f"{name} has no alternative", *path, name)
            return None
        try:
            place = self.place(*path, name, 0) if several else self.value_place(*path, name)
            return Bound(name, short_form(figures, tuple(texts), place, vocabulary))
        except InputError as problem:
            self.problems.append(problem if problem.place else problem.changed(place=self.place(*path, name)))
            return None

    def banks(self, document: Any, outside: Effect) -> list[Bank]:
        kept = []
        for index, table in enumerate(self.tables(document, "memory")):
            at: tuple[Key, ...] = ("memory", index)
            self.known(table, _MEMORY, "key of a memory", *at)
            each = table.get("each", "net")
            if each not in ("layer", "net"):
                self.wrong(f"each is layer or net, not {each!r}", *at, "each")
            vocabulary = self.on_layers if each == "layer" else self.on_nets
            size = self.quantity(table, "size", *at)
            need = self.expression(table, "need", vocabulary, NUMBER, *at)
            if "size" not in table:
                self.wrong("size is missing: how many bytes it holds", *at)
            if need is None and "need" not in table:
                self.wrong("need is missing: a formula for bytes", *at)
            if need is None or size is None:
                continue
            kept.append(
                Bank(
                    self.text(table, "name", *at, required=True),
                    size,
                    str(each),
                    self.texts(table, "type", *at),
                    self.expression(table, "when", vocabulary, BOOL, *at),
                    need,
                    self.effect(table, "effect", outside, *at),
                    self.text(table, "source", *at),
                    self.text(table, "note", *at),
                    self.place(*at),
                )
            )
        return kept

    def quantity(self, table: Any, key: str, *path: Key) -> int | None:
        """A positive whole number, or a text with a unit."""
        value = table.get(key) if isinstance(table, dict) else None
        if value is None:
            return None
        try:
            number = parse_quantity(value) if isinstance(value, str) else value
        except ValueError as mistake:
            self.wrong(f"{key}: {mistake}", *path, key)
            return None
        if isinstance(number, float) and number == int(number):
            number = int(number)
        if isinstance(number, bool) or not isinstance(number, int) or number <= 0:
            self.wrong(f'{key} is a positive number, or a text such as "2 MiB", not {value!r}', *path, key)
            return None
        return number

    def hardware(self, document: Any, own: Mapping[str, Any], variant: str) -> Hardware:
        common = self.hardware_of(document, "hardware")
        return Hardware(**{**common, **self.hardware_of(own, "variant", variant, "hardware")})

    def hardware_of(self, document: Any, *path: Key) -> dict[str, Any]:
        table = self.typed(document, str(path[-1]), dict, "a table", {}, *path[:-1])
        self.known(table, _HARDWARE, "figure of hardware", *path)
        parts: dict[str, Any] = {}
        for key in ("clock_hz", "bandwidth", "sram", "weight_bits", "activation_bits", "products"):
            if (number := self.quantity(table, key, *path)) is not None:
                parts[key] = number
        for key, names in ARRAYS.items():
            part = self.typed(table, key, dict, f"a table of {', '.join(names)}", {}, *path)
            self.known(part, names, "extent", *path, key)
            numbers = [self.quantity(part, name, *path, key) for name in names]
            if part and None in numbers:
                self.wrong(f"{key} needs {', '.join(names)}", *path, key)
            elif part:
                parts[key] = (Array if key == "array" else Lanes)(*numbers)  # type: ignore[arg-type]
        for key, values in (("combine", tuple(COMBINED)), ("keeps", KEPT), ("traffic", TRAFFIC)):
            if key in table and table[key] not in values:
                self.wrong(f"{key} is one of {', '.join(values)}, not {table[key]!r}", *path, key)
            elif key in table:
                parts[key] = table[key]
        if "source" in table:
            parts["source"] = self.text(table, "source", *path)
        return parts

    def cycles(self, document: Any) -> list[Cycles]:
        kept = []
        for index, table in enumerate(self.tables(document, "cycles")):
            at: tuple[Key, ...] = ("cycles", index)
            self.known(table, {"type", "when", "value"}, "key of cycles", *at)
            value = self.expression(table, "value", self.on_layers, NUMBER, *at)
            when = self.expression(table, "when", self.on_layers, BOOL, *at)
            if value is not None:
                kept.append(Cycles(self.texts(table, "type", *at), when, value))
            elif "value" not in table:
                self.wrong("value is missing: a formula for cycles", *at)
        return kept

    def boards(self, document: Any) -> list[Board]:
        kept = []
        for index, table in enumerate(self.tables(document, "board")):
            at: tuple[Key, ...] = ("board", index)
            self.known(
                table, {"name", "variant", "cores", "clock_hz", "bandwidth", "source"}, "key of a board", *at
            )
            kept.append(
                Board(
                    self.text(table, "name", *at, required=True),
                    self.text(table, "variant", *at),
                    self.quantity(table, "cores", *at) or 1,
                    self.quantity(table, "clock_hz", *at),
                    self.quantity(table, "bandwidth", *at),
                    self.text(table, "source", *at),
                )
            )
        return kept

    def measured(self, document: Any) -> list[Measured]:
        kept = []
        for index, table in enumerate(self.tables(document, "measured")):
            at: tuple[Key, ...] = ("measured", index)
            self.known(table, {"net", "ms", "board", "source"}, "key of a measurement", *at)
            ms = table.get("ms")
            if isinstance(ms, bool) or not isinstance(ms, (int, float)) or not 0 < ms < 1e9:
                self.wrong("ms is the time of one image in milliseconds, a positive number", *at, "ms")
                continue
            kept.append(
                Measured(
                    self.text(table, "net", *at, required=True),
                    Fraction(str(ms)),
                    self.text(table, "board", *at),
                    self.text(table, "source", *at),
                    self.place(*at),
                )
            )
        return kept
