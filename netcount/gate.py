"""The gate: which nets meet which budgets, from a configuration and a command line."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from netcount.analysis.baseline import baseline_text, read_baseline
from netcount.analysis.budget import Budget, Checked, check, matches_layers
from netcount.analysis.compare import NetFacts, facts
from netcount.analysis.conventions import convention_named
from netcount.analysis.count import Count, count
from netcount.config import Config, NetEntry
from netcount.errors import InputError, NetcountError, Place, raise_all
from netcount.loading import FileName, load_net, shown_path


class Target(NamedTuple):
    """A net to check: how it is loaded, and the budgets it has of its own."""

    label: str
    file: str
    options: Mapping[str, Any]
    convention: str
    allow_incomplete: bool
    budgets: tuple[Budget, ...]
    entry: NetEntry | None


class Request(NamedTuple):
    """What a command line adds to a configuration.

    files: only these (all of the configuration when empty).  options, convention, allow_incomplete:
    for files the configuration does not list.  budget: limits for every net that is checked.
    """

    files: Sequence[str] = ()
    options: Mapping[str, Any] = {}
    convention: str = "madds"
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
            where = f"{config.file} lists no [[net]]" if config else "there is no netcount.toml"
            raise InputError(f"nothing to check: {where}, and no FILE is given")
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
            net = load_net(FileName(target.file), **target.options)
            if not net.nodes:
                raise InputError(
                    f"the net has no layers in phase {net.phase}; there is nothing to check",
                    Place(net.file),
                )
            found.append(Counted(target, count(net, convention_named(target.convention)), None))
        except NetcountError as problem:
            found.append(Counted(target, None, problem))
    return found


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
    that a budget none of them meets is a mistake.  lenient: a net without any limit is none.
    """
    budgets = config.budgets if config else ()
    met: set[int] = set()
    layered: set[int] = set()
    problems: list[NetcountError] = []
    results = []
    for target, found, error in nets:
        if found is None:
            results.append(Checked(target.label, target.file, error=error))
            continue
        names = {target.label, target.file, Path(target.file).as_posix(), found.net.name}
        own = list(target.budgets)
        for index, budget in enumerate(budgets):
            if budget.covers(names):
                met.add(index)
                own.append(budget)
                if matches_layers(budget, found) or _counts_layers(budget):
                    layered.add(index)
        if not any(budget.limits for budget in own) and not lenient:
            place = target.entry.place if target.entry else None
            problems.append(InputError(f'no budget says anything about "{target.label}"', place))
        results.append(_checked(target, found, own, base))
    if whole and not any(result.error for result in results):
        for index, budget in enumerate(budgets):
            if index not in met:
                wanted = ", ".join(f'"{pattern}"' for pattern in budget.nets)
                problems.append(InputError(f"no net matches nets = {wanted}", budget.place))
            elif index not in layered:
                wanted = ", ".join(f'"{pattern}"' for pattern in budget.layers)
                problems.append(InputError(f"no layer matches layers = {wanted}", budget.place))
    raise_all(problems)
    return results


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

    exit_code = 3


def wants_baseline(config: Config | None, chosen: Iterable[Target]) -> bool:
    """Whether any limit compares with a baseline."""
    budgets = [*(config.budgets if config else ()), *(b for t in chosen for b in t.budgets)]
    return any(limit.side == "increase" for budget in budgets for limit in budget.limits)


def _checked(
    target: Target, found: Count, budgets: Sequence[Budget], base: Mapping[str, NetFacts] | None
) -> Checked:
    try:
        known = (base or {}).get(target.label)
        return check(found, budgets, target.label, known, target.allow_incomplete)
    except NetcountError as problem:
        return Checked(target.label, target.file, error=problem)


def _counts_layers(budget: Budget) -> bool:
    return any(limit.figure == "layers" for limit in budget.limits)


def _loose(file: str, config: Config | None, request: Request, extra: tuple[Budget, ...]) -> Target:
    """A file the configuration does not list."""
    label = "<stdin>" if file == "-" else shown_path(file)
    if config and file != "-":
        try:
            label = Path(os.path.relpath(os.path.realpath(file), config.folder)).as_posix()
        except ValueError:  # another drive
            label = shown_path(file)
    return Target(label, file, request.options, request.convention, request.allow_incomplete, extra, None)


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _relative(net: NetFacts, baseline: str) -> NetFacts:
    """With the file as seen from the baseline's folder, the same on every machine."""
    try:
        folder = os.path.dirname(os.path.realpath(baseline))
        return net._replace(file=os.path.relpath(os.path.realpath(net.file), folder))
    except ValueError:
        return net
