"""Whether a counted net keeps to its budgets, and what costs most of it where it does not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from fractions import Fraction
from functools import cached_property, partial
from typing import NamedTuple

from netcount.analysis._support.kernels import kernel_name
from netcount.analysis.compare import LayerChange, NetFacts, changes, facts
from netcount.analysis.count import Count
from netcount.analysis.figures import FIGURES, LAYER, SHARES, Figure, layer_figure, moved_by
from netcount.analysis.rows import LayerRow
from netcount.budget.limits import FIT, LISTED, Limit
from netcount.core.errors import InputError, NetcountError, Place, each
from netcount.core.exit_codes import DONE, FAILED, INCOMPLETE, worst
from netcount.targets.fit import Target, fit
from netcount.targets.shipped import profile

LEVELS = ("error", "warn")
SHOWN = 5
"""How many layers a failure names."""


class Budget(NamedTuple):
    """Some limits.  nets: patterns of names or paths, all nets when empty.  layers: patterns; the
    limits then hold for every matching layer.  level: "error", or "warn" to report only.
    weight_bits: the width of a stored value, for weight_bytes; activation_bits: that of an activation,
    for peak_bytes.
    """

    limits: tuple[Limit, ...]
    nets: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    level: str = "error"
    weight_bits: int = 32
    place: Place | None = None
    activation_bits: int = 32

    @property
    def bits(self) -> dict[str, int]:
        """The widths of values, by the name of their setting."""
        return {"weight_bits": self.weight_bits, "activation_bits": self.activation_bits}

    def misfits(self) -> list[Limit]:
        """The limits that make no sense for single layers, where the budget is for those."""
        fitting = {*(figure.key for figure in LAYER), "layers"}
        if not self.layers:
            return []
        return [limit for limit in self.limits if limit.figure not in fitting or limit.side not in ("max", "min")]

    def covers(self, names: Collection[str]) -> bool:
        """Whether a net of these names (its label and its paths) is meant."""
        return not self.nets or any(fnmatchcase(name, pattern) for pattern in self.nets for name in names)

    def concerns(self, layer: str) -> bool:
        """Whether a layer of that name is meant by `layers`."""
        return any(fnmatchcase(layer, pattern) for pattern in self.layers)


class Finding(NamedTuple):
    """One limit held against one net, or one layer of it.

    value: the figure (for types: how many layers break the rule).  bound: what would still have
    passed.  base: the figure in the baseline.  rows: the layers that cost most of it, with what
    each costs.  changes: the layers that changed since the baseline, what was
    edited before what only got other shapes.  line: of the first layer that was edited; without a baseline
    of the one that costs most.  notes: of a target its verdict, and what it says of layers.
    """

    limit: Limit
    level: str
    layer: str | None
    line: int
    value: int | Fraction
    bound: int | Fraction
    passed: bool
    base: int | None = None
    rows: tuple[tuple[LayerRow, int], ...] = ()
    changes: tuple[LayerChange, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def left(self) -> int | Fraction | None:
        """How much more (of a least: less) would still pass; None for a broken limit and for types."""
        if not self.passed or self.limit.side in LISTED:
            return None
        return self.value - self.bound if self.limit.side == "min" else self.bound - self.value

    @property
    def over(self) -> int | Fraction:
        """By how much the bound is missed; 0 when it is kept."""
        if self.passed:
            return 0
        return self.value - self.bound if self.value > self.bound else self.bound - self.value


class Checked(NamedTuple):
    """A net and what its check found.  error: why it could not be counted.

    label: what tells nets apart on every machine.  file: the path as seen from here.  name: what a
    report for people calls the net (its label where none is given).  is_net: False for the
    configuration, where that has mistakes of its own.
    """

    label: str
    file: str
    counted: Count | None = None
    findings: tuple[Finding, ...] = ()
    allow_incomplete: bool = False
    error: NetcountError | None = None
    is_net: bool = True
    name: str | None = None

    @property
    def title(self) -> str:
        """What a report for people calls the net; where that is a path, the one of `file`."""
        return self.name or self.label

    @property
    def incomplete(self) -> bool:
        """Whether the cost of an assumed layer is missing, and nobody said that this is fine."""
        return self.counted is not None and not self.counted.net.complete and not self.allow_incomplete

    @property
    def failed(self) -> list[Finding]:
        """The limits of level error that are broken."""
        return [finding for finding in self.findings if not finding.passed and finding.level == LEVELS[0]]

    @property
    def exit_code(self) -> int:
        """That of an error, FAILED, INCOMPLETE or DONE; a broken limit counts more than a missing cost."""
        if self.error is not None:
            return self.error.exit_code
        if self.failed:
            return FAILED
        return INCOMPLETE if self.incomplete else DONE

    @property
    def problems(self) -> tuple[NetcountError, ...]:
        """The errors, one by one."""
        return () if self.error is None else each(self.error)


def exit_code(nets: Iterable[Checked]) -> int:
    """The code for several nets together."""
    return worst({net.exit_code for net in nets})


def check(
    count: Count,
    budgets: Sequence[Budget],
    label: str | None = None,
    base: NetFacts | None = None,
    allow_incomplete: bool = False,
    name: str | None = None,
) -> Checked:
    """Hold a net against every limit.  InputError where a limit wants a missing baseline.

    A limit is inclusive: a figure equal to it passes.
    """
    now = facts(count, label)
    changed = tuple(changes(base, now)) if base else ()
    findings: list[Finding] = []
    for budget in budgets:
        judge = _Judge(count, now, budget, base, changed)
        for limit in budget.limits:
            findings += judge.findings(limit)
    return Checked(now.label, count.net.file, count, tuple(findings), allow_incomplete, name=name)


def _matching(budget: Budget, count: Count) -> Iterator[LayerRow]:
    for row in count.layers:
        if budget.concerns(row.name):
            yield row


class _Judge:
    """One budget's view of one net."""

    def __init__(
        self,
        count: Count,
        now: NetFacts,
        budget: Budget,
        base: NetFacts | None,
        changed: tuple[LayerChange, ...],
    ) -> None:
        self.count, self.now, self.budget, self.base, self.changed = (
            count,
            now,
            budget,
            base,
            changed,
        )
        self._movers: dict[str, tuple[LayerChange, ...]] = {}

    def findings(self, limit: Limit) -> list[Finding]:
        if limit.side == FIT:
            return [self.fits(limit)]
        if limit.side in LISTED:
            return [self.types(limit)]
        if limit.figure in SHARES:
            return [self.share(limit)]
        if limit.side == "increase":
            return [self.increase(limit)]
        if self.budget.layers:
            return self.by_layer(limit)
        value = self.total(self.now.totals, limit.figure)
        return [self.found(limit, value, limit.bound, rows=partial(self.dearest, limit.figure))]

    def found(
        self,
        limit: Limit,
        value: int | Fraction,
        bound: int | Fraction,
        rows: partial[tuple[tuple[LayerRow, int], ...]],
        passed: bool | None = None,
        base: int | None = None,
    ) -> Finding:
        if passed is None:
            passed = value >= bound if limit.side == "min" else value <= bound
        if base is None and self.base is not None and limit.figure in self.base.totals:
            base = self.total(self.base.totals, limit.figure)
        dear = () if passed or limit.side == "min" else rows()
        line = dear[0][0].line if dear else self.first_line()
        if not passed and self.cause and self.cause.after:
            line = self.cause.after.line
        changed = () if passed else self.movers(limit.figure)
        return Finding(limit, self.budget.level, None, line, value, bound, passed, base, dear, changed)

    @cached_property
    def cause(self) -> LayerChange | None:
        """The first layer that the author edited, in the order of the file; one that only got another name
        where no other was."""
        edited = [change for change in self.changed if change.after and change.kind != "resized"]
        return min(edited, key=lambda change: (change.kind == "renamed", change.layer.line), default=None)

    def movers(self, figure: str) -> tuple[LayerChange, ...]:
        """What changed since the baseline: what was edited, then what only got other shapes; of each that which
        moved the figure most first."""
        by = moved_by(figure)
        if by not in self._movers:
            ranked = sorted(self.changed, key=lambda change: (change.kind == "resized", -abs(change.delta(by))))
            self._movers[by] = tuple(ranked)
        return self._movers[by]

    @cached_property
    def own_changes(self) -> dict[tuple[str, int], LayerChange]:
        """By name and line of a layer what changed of it."""
        return {(change.after.name, change.after.line): change for change in self.changed if change.after}

    def first_line(self) -> int:
        return self.count.layers[0].line if self.count.layers else 1

    def at_bits(self, figure: Figure, value: int) -> int:
        """A value of a figure at the budget's width of weights or activations."""
        return figure.at(value, getattr(self.budget, figure.bits)) if figure.bits else value

    def total(self, totals: Mapping[str, int], figure: str) -> int:
        return FIGURES[figure].sized(totals, self.budget.bits)

    def dearest(self, figure: str) -> tuple[tuple[LayerRow, int], ...]:
        """The layers with most of a figure (of its largest part), the first of equal ones first."""
        while FIGURES[figure].sum_of:
            figure = max(FIGURES[figure].sum_of, key=lambda part: self.total(self.now.totals, part))
        values = [self.at_bits(FIGURES[figure], value) for value in FIGURES[figure].by_layer(self.count)]
        ranked = sorted(zip(self.count.layers, values, strict=False), key=lambda pair: -pair[1])
        return tuple(pair for pair in ranked[:SHOWN] if pair[1])

    def by_layer(self, limit: Limit) -> list[Finding]:
        rows = list(_matching(self.budget, self.count))
        if limit.figure == "layers":
            shown = tuple((row, 1) for row in rows[:SHOWN])
            return [self.found(limit, len(rows), limit.bound, rows=partial(tuple, shown))]
        findings = []
        for row in rows:
            value = self.at_bits(FIGURES[limit.figure], layer_figure(FIGURES[limit.figure], row))
            finding = self.found(limit, value, limit.bound, partial(tuple, ((row, value),)))
            own = None if finding.passed else self.own_changes.get((row.name, row.line))
            changed: tuple[LayerChange, ...] = (own,) if own else ()
            line = row.line
            if own and own.kind == "resized" and self.cause and self.cause.after:
                line, changed = self.cause.after.line, (self.cause, own)
            findings.append(finding._replace(layer=row.name, line=line, base=None, changes=changed))
        return findings

    def increase(self, limit: Limit) -> Finding:
        if self.base is None:
            raise InputError(
                f'{limit.rule}: "{self.now.label}" is not in the baseline; '
                "netcount check --update-baseline adds it",
                limit.place,
            )
        for what in ("phase", "batch", "convention"):
            was, now = getattr(self.base, what), getattr(self.now, what)
            if was != now and (what != "convention" or limit.figure == "cost"):
                raise InputError(
                    f'{limit.rule}: the baseline of "{self.now.label}" is of {what} {was}, '
                    f"and this is {what} {now}; netcount check --update-baseline updates it",
                    limit.place,
                )
        if limit.figure not in self.base.totals:
            raise InputError(f'the baseline of "{self.now.label}" has no {limit.figure}', limit.place)
        base = self.total(self.base.totals, limit.figure)
        value = self.total(self.now.totals, limit.figure)
        bound = base + max(int(limit.bound * base), limit.floor)
        return self.found(limit, value, bound, partial(self.dearest, limit.figure), base=base)

    def share(self, limit: Limit) -> Finding:
        figure = SHARES[limit.figure]
        members = [row for row in self.count.layers if kernel_name(row) == limit.kernel and row.madds]
        rows = [(row, layer_figure(figure, row)) for row in members]
        part, whole = sum(value for _, value in rows), self.now.totals[figure.key]
        dear = sorted(rows, key=lambda pair: -pair[1])
        value = Fraction(part, whole) if whole else Fraction(0)
        return self.found(limit, value, limit.bound, partial(tuple, dear[:SHOWN]))

    def fits(self, limit: Limit) -> Finding:
        """Whether the net fits a target; the value is how many layers (and memories of the net) stop it."""
        (name,) = limit.names
        held = fit(self.count, Target.of(profile(name)))
        stopping = [one for one in held.findings if one.stops]
        layers = {one.layer for one in stopping}
        rows = [row for row in self.count.layers if row.name in layers]
        whole = sum(one.layer is None for one in stopping)
        named = tuple((row, 1) for row in rows[:SHOWN])
        finding = self.found(limit, len(rows) + whole, 0, partial(tuple, named), passed=held.fits)
        return finding._replace(notes=(held.verdict, *(one.told for one in stopping[:SHOWN])))

    def types(self, limit: Limit) -> Finding:
        forbidden = limit.side == "forbidden"
        rows = [row for row in self.count.layers if (row.type in limit.names) == forbidden]
        named = tuple((row, 1) for row in rows[:SHOWN])
        return self.found(limit, len(rows), 0, partial(tuple, named), passed=not rows)
