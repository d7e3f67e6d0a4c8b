"""The gate: which nets meet which budgets, from a configuration and a command line."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from netcount.analysis._support.kernels import kernel_name
from netcount.analysis.compare import NetFacts, facts
from netcount.analysis.conventions import CONVENTIONS, Convention
from netcount.analysis.count import Count, count
from netcount.budget.baseline import baseline_text, read_baseline
from netcount.budget.budget import Budget, Checked, check
from netcount.budget.config import FILE, Config, NetEntry, relative_path
from netcount.budget.limits import Limit
from netcount.core.errors import Errors, InputError, NetcountError, Place, each
from netcount.core.exit_codes import INCOMPLETE
from netcount.core.files import shown_path
from netcount.graph.load import DEFAULTS, load_net
from netcount.graph.options import LoadOptions


class Target(NamedTuple):
    """A net to check: how it is loaded, and the budgets it has of its own."""

    label: str
    file: str
    options: LoadOptions
    convention: Convention
    allow_incomplete: bool
    budgets: tuple[Budget, ...]
    entry: NetEntry | None

    @property
    def name(self) -> str:
        """What people call it: the name that the configuration gives, or the file as seen from here."""
        if self.entry and self.entry.name:
            return self.entry.name
        return shown_path(self.file) if self.file != "-" else self.label


class Request(NamedTuple):
    """What a command line adds to a configuration.

    files: only these (all of the configuration when empty).  options, convention, allow_incomplete:
    for files the configuration does not list.  budget: limits for every net that is checked.
    """

    files: Sequence[str] = ()
    options: LoadOptions = DEFAULTS
    convention: Convention = CONVENTIONS["madds"]
    allow_incomplete: bool = False
    budget: Budget | None = None


class Counted(NamedTuple):
    """A target, and its count or why there is none."""

    target: Target
    found: Count | None
    error: NetcountError | None


def targets(config: Config | None, request: Request) -> list[Target]:
    """The nets to check.  InputError where there are none."""
    extra = (request.budget,) if request.budget else ()
    listed = {
        label: Target(
            label,
            file,
            entry.options,
            entry.convention,
            entry.allow_incomplete or request.allow_incomplete,
            (*((entry.budget,) if entry.budget else ()), *extra),
            entry,
        )
        for label, (file, entry) in (config.labelled() if config else {}).items()
    }
    if not request.files:
        if not listed:
            where = f"{config.file} lists no [[net]]" if config else f"there is no {FILE}"
            raise InputError(f"nothing to check: {where} (--help shows one), and no FILE is given")
        return list(listed.values())
    found: dict[str, Target] = {}
    for file in dict.fromkeys(request.files):
        known = [target for target in listed.values() if _same(target.file, file)]
        for target in known or [_loose(file, config, request, extra)]:
            found.setdefault(target.label, target)
    return list(found.values())


def counted(chosen: Iterable[Target]) -> list[Counted]:
    """Count every net; an error stops only its own."""
    found = []
    for target in chosen:
        try:
            net = load_net(target.file, target.options)
            if not net.nodes:
                raise InputError(
                    f"the net has no layers in phase {net.phase}; there is nothing to check",
                    Place(net.file),
                )
            found.append(Counted(target, count(net, target.convention), None))
        except NetcountError as problem:
            found.append(Counted(target, None, _located(problem, target)))
    return found


def _located(error: NetcountError, target: Target) -> NetcountError:
    """An error that says which net it is of, and where the configuration lists that, if it has no place."""
    if isinstance(error, Errors):
        return Errors(_located(problem, target) for problem in error.problems)
    if error.place:
        return error
    named = target.file in error.what
    if target.entry:
        return error.changed(None if named else f"{target.file}: {error.what}", target.entry.place)
    return error if named else error.changed(place=Place(target.file))


def checked(
    nets: Sequence[Counted],
    config: Config | None,
    base: Mapping[str, NetFacts] | None,
    *,
    whole: bool,
    lenient: bool = False,
) -> list[Checked]:
    """Hold every net against its budgets.

    base: the baseline's nets, None without one.  whole: all nets of the configuration are there, so
    that a budget none of them meets is a mistake, which the last of the results tells.  lenient: a
    net without any limit is none.
    """
    results = []
    known: list[tuple[Collection[str], Count, Target]] = []
    for target, found, error in nets:
        if found is None:
            results.append(Checked(target.label, target.file, error=error, name=target.name))
            continue
        names = _names(target, found, config)
        known.append((names, found, target))
        own = [*target.budgets, *(b for b in (config.budgets if config else ()) if b.covers(names))]
        if any(budget.limits for budget in own) or lenient:
            results.append(_checked(target, found, own, base))
        else:
            place = target.entry.place if target.entry else None
            missing = InputError(
                f'no budget says anything about "{target.label}"; give it a limit, such as max_params', place
            )
            results.append(Checked(target.label, target.file, error=missing, name=target.name))
    if config and whole and len(known) == len(nets):
        problems = _unmet(config, known)
        results += [refused(Errors(problems), config.file)] if problems else []
    return results


def refused(error: NetcountError, file: str = FILE) -> Checked:
    """What stands for the configuration in a report, where that (or the command line) has mistakes."""
    place = next((problem.place for problem in each(error) if problem.place), None)
    name = place.file if place else file
    return Checked(name, name, error=error, is_net=False)


def _unmet(config: Config, known: Sequence[tuple[Collection[str], Count, Target]]) -> list[NetcountError]:
    """The conditions of the configuration's budgets that no net meets, in the order of the file."""
    everything = [(names, found) for names, found, _ in known]
    problems = [problem for budget in config.budgets for problem in _conditions(budget, everything)]
    for entry in config.nets:
        if entry.budget:
            own = [(names, found) for names, found, target in known if target.entry is entry]
            problems += _conditions(entry.budget, own)
    return sorted(problems, key=lambda problem: problem.place.line if problem.place else 0)


def _conditions(budget: Budget, nets: Sequence[tuple[Collection[str], Count]]) -> list[NetcountError]:
    """The conditions that none of these nets (their names, their count) meets.

    Every pattern has to match something, and a share needs a layer of its kernel; only "no such
    layers" (max_layers with `layers`, a share of 0) may be said of what is not there.
    """
    named = {name for names, _ in nets for name in names}
    found = [
        InputError(f'no net matches nets = "{pattern}"', budget.place)
        for pattern in budget.nets
        if not any(fnmatchcase(name, pattern) for name in named)
    ]
    rows = [row for names, count in nets if budget.covers(names) for row in count.layers]
    if not any(limit.figure == "layers" for limit in budget.limits):
        found += [
            InputError(f'no layer matches layers = "{pattern}"', budget.place)
            for pattern in budget.layers
            if rows and not any(fnmatchcase(row.name, pattern) for row in rows)
        ]
    kernels = {kernel_name(row) for row in rows if row.madds}
    found += [
        InputError(f"{limit.rule}: no layer has a kernel of {limit.kernel}", limit.place)
        for limit in budget.limits
        if rows and limit.kernel and limit.bound and limit.kernel not in kernels
    ]
    return [*found]


def _names(target: Target, found: Count, config: Config | None) -> set[str]:
    """What a budget's `nets` may call a net: its label, its own name, its path from the
    configuration's folder or from where we are.
    """
    names = {target.label, target.file, Path(target.file).as_posix(), found.net.name}
    return names | {relative_path(target.file, config.folder)} if config else names


def new_baseline(nets: Sequence[Counted], path: str, keep: bool) -> tuple[dict[str, NetFacts], str]:
    """The baseline of these nets, and its text.  keep: with the other nets the old file has."""
    for target, found, _ in nets:
        if found and not found.net.complete and not target.allow_incomplete:
            raise IncompleteError(
                f'"{target.label}" is incomplete (a layer is assumed), so it makes no baseline; '
                "allow_incomplete = true accepts it"
            )
    old = read_baseline(path) if keep and os.path.exists(path) else {}
    new = {t.label: _relative(facts(found, t.label), path) for t, found, _ in nets if found}
    merged = {**old, **new}
    return merged, baseline_text(merged)


class IncompleteError(InputError):
    """A baseline was asked for a net whose cost is not wholly known."""

    exit_code = INCOMPLETE


def wants_baseline(config: Config | None, chosen: Iterable[Target]) -> Limit | None:
    """The first limit that compares with a baseline, if any does."""
    budgets = [*(config.budgets if config else ()), *(b for t in chosen for b in t.budgets)]
    return next((limit for budget in budgets for limit in budget.limits if limit.side == "increase"), None)


def _checked(
    target: Target, found: Count, budgets: Sequence[Budget], base: Mapping[str, NetFacts] | None
) -> Checked:
    try:
        known = (base or {}).get(target.label)
        return check(found, budgets, target.label, known, target.allow_incomplete, target.name)
    except NetcountError as problem:
        return Checked(target.label, target.file, error=problem, name=target.name)


def _loose(file: str, config: Config | None, request: Request, extra: tuple[Budget, ...]) -> Target:
    """A file the configuration does not list."""
    label = "<stdin>" if file == "-" else shown_path(file)
    if config and file != "-":
        label = relative_path(os.path.realpath(file), config.folder)
    return Target(label, file, request.options, request.convention, request.allow_incomplete, extra, None)


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _relative(net: NetFacts, baseline: str) -> NetFacts:
    """With the file as seen from the baseline's folder, the same on every machine."""
    folder = os.path.dirname(os.path.realpath(baseline))
    return net._replace(file=relative_path(os.path.realpath(net.file), folder))
