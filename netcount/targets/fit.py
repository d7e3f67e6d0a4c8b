"""Whether a net fits a target: what its tool-chain refuses, leaves to the CPU, pays for, or computes wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from netcount.analysis.count import Count, count
from netcount.analysis.memory import Memory, memory
from netcount.core.errors import InputError, Place
from netcount.core.exit_codes import DONE, FAILED, INCOMPLETE
from netcount.core.units import human_bytes, plural
from netcount.graph.graph import Node
from netcount.graph.load import load_net
from netcount.targets.estimate import Estimate, Speed, estimate, speed_of
from netcount.targets.expressions import Absent, Expression, Machine, Scope, Term
from netcount.targets.figures import PAIRS, LayerScope, NetScope, Setting
from netcount.targets.profile import Bank, Board, Bound, Effect, Measured, Profile, Rule

STOPS: tuple[Effect, ...] = ("refused", "wrong")
"""The effects with which a net does not fit."""


class Target(NamedTuple):
    """What a net is held against: a profile, and what the command line chooses of it."""

    profile: Profile
    precision: str = ""
    board: Board | None = None

    @classmethod
    def of(cls, profile: Profile, precision: str | None = None, board: str | None = None) -> Target:
        """A profile with a precision (its first by default) and a board.  InputError where it has none such."""
        if precision is not None and precision not in profile.precisions:
            names = ", ".join(profile.precisions)
            known = f"; known are {names}" if names else ": its rules know none"
            raise InputError(f'{profile.id} has no precision "{precision}"{known}', argument="precision")
        chosen = precision or next(iter(profile.precisions), "")
        return cls(profile, chosen, profile.board(board) if board else None)

    @property
    def speed(self) -> Speed | None:
        """What the estimate needs of the hardware; None where the profile does not say it."""
        return speed_of(self.profile, self.board)


class Finding(NamedTuple):
    """Something about a layer (or the file) that the target does not take as it is.

    rule: "type", "memory", "file" or the bound as the profile writes it.  layer: None for the file.  value: what
    there is, and bound: what would pass.
    """

    effect: Effect
    rule: str
    layer: str | None
    type: str
    place: Place
    value: str
    bound: str
    note: str
    source: str

    @property
    def stops(self) -> bool:
        """Whether the net does not fit with it."""
        return self.effect in STOPS

    @property
    def told(self) -> str:
        """The finding in one line, without target and source."""
        where = f"{self.place.file}:{self.place.line}  {self.layer} ({self.type})"
        what = where if self.layer is not None else "the net"
        wanted = f", it takes {self.bound}" if self.bound else ""
        return f"{what}: {self.value}{wanted}{f' ({self.note})' if self.note else ''}"


class Held(NamedTuple):
    """What a memory has to hold at most.  layer: where; None for the whole net."""

    bank: Bank
    need: int
    layer: str | None
    line: int
    over: int
    """How many layers are over it, or 1 for the net."""

    @property
    def fits(self) -> bool:
        """Whether it has room."""
        return self.need <= self.bank.size


class Unjudged(NamedTuple):
    """A rule that could not be held against a layer, since the layer lacks a figure it speaks of."""

    layer: str
    line: int
    rule: str
    lacks: str


class Compared(NamedTuple):
    """A time that the profile says was measured, and the estimate of it, in milliseconds."""

    measured: Measured
    ms: float

    @property
    def error(self) -> float:
        """By which part of the measured time the estimate is off."""
        return self.ms / float(self.measured.ms) - 1


class Edit(NamedTuple):
    """What to write in a layer's place, and what it changes: an estimate, as it has to be trained or checked.

    same: whether it computes the same with the weights there are.
    """

    layer: str
    line: int
    what: str
    params: int
    madds: int
    same: bool


class Smaller(NamedTuple):
    """A smaller net that fits once the edits are made.  Figures are its own, before them."""

    width: Fraction
    resolution: tuple[int, int] | None
    params: int
    madds: int


class WhatFits(NamedTuple):
    """What would fit.

    edits: the smallest known edit for each layer that stops the net or is on the CPU.  rest: the layers (empty:
    the file, or the net) that stop it and that no edit helps.  width, resolution: the largest net of a smaller
    width, or on smaller images, that fits once the edits are made; None where none does or needs to.
    """

    edits: tuple[Edit, ...]
    rest: tuple[str, ...]
    width: Smaller | None
    resolution: Smaller | None


class Fit(NamedTuple):
    """The whole answer.  findings: in the order of the file.  estimate: None without hardware figures."""

    counted: Count
    memory: Memory
    target: Target
    findings: tuple[Finding, ...]
    held: tuple[Held, ...]
    unjudged: tuple[Unjudged, ...]
    estimate: Estimate | None
    compared: tuple[Compared, ...] = ()
    would_fit: WhatFits | None = None

    def layers(self, *effects: Effect) -> list[str]:
        """The layers with such a finding, each once."""
        names = [
            finding.layer for finding in self.findings if finding.effect in effects and finding.layer is not None
        ]
        return list(dict.fromkeys(names))

    @property
    def fits(self) -> bool:
        """Whether nothing is refused, computed wrongly or over a memory."""
        return not any(finding.stops for finding in self.findings)

    @property
    def verdict(self) -> str:
        """The answer in words: `fits with 3 layers on the CPU`."""
        if not self.fits:
            layers = len(self.layers(*STOPS))
            whole = [finding for finding in self.findings if finding.stops and finding.layer is None]
            parts = [plural(layers, "layer")] if layers else []
            parts += ["the memory"] if any(finding.rule == "memory" for finding in whole) else []
            parts += ["the file"] if any(finding.rule != "memory" for finding in whole) else []
            return f"does not fit: {' and '.join(parts)}"
        notes = []
        if cpu := self.layers("cpu"):
            notes.append(f"{plural(len(cpu), 'layer')} on the CPU")
        if extra := [name for name in self.layers("extra") if name not in cpu]:
            notes.append(f"{plural(len(extra), 'layer')} at extra cost")
        return f"fits with {' and '.join(notes)}" if notes else "fits"

    @property
    def complete(self) -> bool:
        """False where the cost of an assumed layer is missing."""
        return self.counted.net.complete

    @property
    def exit_code(self) -> int:
        """FAILED where it does not fit, INCOMPLETE where a layer was assumed, else DONE."""
        if not self.fits:
            return FAILED
        return DONE if self.complete else INCOMPLETE


def fit(counted: Count, target: Target) -> Fit:
    """Hold a counted net against a target.

    Raises:
        InputError: A rule of the profile cannot be computed (a division by zero); the place is the profile's.
    """
    profile = target.profile
    judge = _Judge(counted, target)
    for node in counted.net.nodes:
        judge.layer(node)
    judge.file()
    held = [one for bank in profile.banks if (one := judge.bank(bank)) is not None]
    findings = sorted(judge.findings, key=lambda found: (found.place.line, found.place.column))
    speed = target.speed
    return Fit(
        counted,
        judge.memory,
        target,
        tuple(findings),
        tuple(held),
        tuple(judge.unjudged),
        None if speed is None else estimate(counted, profile, speed, judge.setting, judge.on_cpu()),
    )


def times(counts: Sequence[Count], target: Target) -> list[Estimate]:
    """The estimated time of each net.  InputError where the profile lacks the figures of the hardware."""
    if target.speed is None:
        boards = ", ".join(board.name for board in target.profile.boards)
        hint = f"; with a board it has: {boards}" if boards and target.board is None else ""
        raise InputError(f"{target.profile.id} has not the hardware figures for a time{hint}", argument="target")
    return [answer.estimate for answer in (fit(one, target) for one in counts) if answer.estimate is not None]


def compared(target: Target) -> tuple[Compared, ...]:
    """The profile's own measured times beside its estimates; the nets lie beside the profile.

    Raises:
        InputError: A net cannot be read; or there are times, and no figures to estimate them with.
    """
    rows = []
    for row in target.profile.measured:
        try:
            counted = count(load_net(Path(target.profile.folder) / row.net))
            (estimate,) = times([counted], Target.of(target.profile, board=row.board or None))
        except InputError as problem:
            raise problem.changed(f"the measured net {row.net}: {problem}", row.place) from None
        rows.append(Compared(row, estimate.ms))
    return tuple(rows)


class _Judge:
    """Collects what one net comes to on one target."""

    def __init__(self, counted: Count, target: Target) -> None:
        profile = target.profile
        self.counted, self.net, self.profile = counted, counted.net, profile
        self.memory = memory(counted, profile.hardware.activation_bits, profile.hardware.weight_bits)
        self.setting = Setting(profile.constants, target.precision, profile.types.passed)
        self.findings: list[Finding] = []
        self.unjudged: list[Unjudged] = []

    def on_cpu(self) -> frozenset[str]:
        """The layers that the array does not compute."""
        return frozenset(finding.layer for finding in self.findings if finding.effect == "cpu" and finding.layer)

    def layer(self, node: Node) -> None:
        types = self.profile.types
        effect = types.effect(node.type)
        if effect is not None:
            listed = node.type in types.effects
            value = f"type {node.type}"
            bound = "" if listed else f"not among the {len(types.accepted) + len(types.passed)} types it takes"
            self.found(effect, "type", node, value, bound, "", types.source)
            if effect in STOPS:
                return
        scope = LayerScope(self.net, node, self.setting)
        for rule in self.profile.rules:
            if not rule.types or node.type in rule.types:
                self.rule(rule, node, scope)

    def rule(self, rule: Rule, node: Node, scope: LayerScope) -> None:
        machine = Machine(scope, f'layer "{node.name}"')
        try:
            if rule.when is not None and not machine.holds(rule.when):
                return
            for bound in rule.bounds:
                if not machine.holds(bound.holds):
                    value, wanted = told(rule, bound, machine, scope)
                    self.found(rule.effect, bound.text, node, value, wanted, rule.note, rule.source)
        except Absent as missing:
            text = rule.bounds[0].text
            self.unjudged.append(Unjudged(node.name, node.place.line, text, missing.name))

    def found(self, effect: Effect, rule: str, node: Node, value: str, bound: str, note: str, source: str) -> None:
        self.findings.append(Finding(effect, rule, node.name, node.type, node.place, value, bound, note, source))

    def file(self) -> None:
        scope = NetScope(self.memory, self.setting)
        machine = Machine(scope, "the file")
        for rule in self.profile.file_rules:
            if rule.when is not None and not machine.holds(rule.when):
                continue
            for bound in rule.bounds:
                if not machine.holds(bound.holds):
                    value, wanted = told(rule, bound, machine, scope)
                    self.whole(rule.effect, bound.text, value, wanted, rule.note, rule.source)

    def whole(self, effect: Effect, rule: str, value: str, bound: str, note: str, source: str) -> None:
        place = Place(self.net.file, 1, 1)
        self.findings.append(Finding(effect, rule, None, "", place, value, bound, note, source))

    def bank(self, bank: Bank) -> Held | None:
        """What a memory has to hold; None where nothing goes there."""
        if bank.each == "net":
            machine = Machine(NetScope(self.memory, self.setting), "the net")
            if bank.when is not None and not machine.holds(bank.when):
                return None
            need = machine.number(bank.need)
            if need > bank.size:
                self.whole(bank.effect, "memory", *self.over(bank, need), bank.note, bank.source)
            return Held(bank, need, None, 0, int(need > bank.size))
        worst: tuple[int, Node] | None = None
        over = 0
        for node in self.net.nodes:
            if bank.types and node.type not in bank.types:
                continue
            machine = Machine(LayerScope(self.net, node, self.setting), f'layer "{node.name}"')
            try:
                if bank.when is not None and not machine.holds(bank.when):
                    continue
                need = machine.number(bank.need)
            except Absent as missing:
                self.unjudged.append(Unjudged(node.name, node.place.line, bank.name, missing.name))
                continue
            if worst is None or need > worst[0]:
                worst = need, node
            if need > bank.size:
                over += 1
                self.found(bank.effect, "memory", node, *self.over(bank, need), bank.note, bank.source)
        return Held(bank, worst[0], worst[1].name, worst[1].place.line, over) if worst else None

    def over(self, bank: Bank, need: int) -> tuple[str, str]:
        return f"{bank.name} {need:,} bytes", f"at most {bank.size:,} ({human_bytes(bank.size)})"


def told(rule: Rule, bound: Bound, machine: Machine, scope: Scope) -> tuple[str, str]:
    """What there is, and what would pass, in words: ("kernel 11×11", "1..7"); no bound where nothing would."""
    if bound.figure:
        figures = PAIRS.get(bound.figure, (bound.figure,))
        values = [scope(figure, ()) for figure in figures]
        return f"{bound.figure} {'×'.join(map(_shown, values))}", bound.holds.text
    part = machine.failing(bound.holds)
    if part.op == "value":  # never taken
        condition = _values(rule.when, rule.when.term, machine, scope) if rule.when else ""
        return ", ".join(text for text in (f"type {scope('type', ())}", condition) if text), ""
    return _values(bound.holds, part, machine, scope), bound.holds.part(part)


def _values(expression: Expression, part: Term, machine: Machine, scope: Scope) -> str:
    """The figures of a part that failed, with their values; a computed side with its own."""
    shown: dict[str, str] = {}
    for term in part.leaves():
        names = [name for name in term.arguments if "." in name] if term.op == "ask" else [term.name]
        shown |= {name: f"{name} {_shown(value)}" for name in names if (value := scope(name, ())) is not None}
        if term.op == "ask" and not names:
            text = expression.part(term)
            shown[text] = f"{text} {_shown(machine.part(expression, term))}"
    left = part.parts[0] if part.op == "compare" else part
    if left is not part and left.op not in ("name", "value"):
        shown[""] = f"{expression.part(left)} = {_shown(machine.part(expression, left))}"
    return ", ".join(shown.values())


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Fraction):
        return str(float(value))
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, tuple):
        return f"({', '.join(map(_shown, value))})"
    return str(value)
