"""The gate: which nets meet which budgets, from a configuration and a command line."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from netcount.analysis.compare import facts
from netcount.analysis.count import Count
from netcount.budget.baseline import Baseline, baseline_text, is_baseline, read_baseline
from netcount.budget.budget import Budget, Checked, check
from netcount.budget.conditions import unmet
from netcount.budget.config import FILE, Config
from netcount.budget.limits import Limit
from netcount.budget.targets import Counted, Target, names_of
from netcount.core.errors import Errors, InputError, NetcountError, each
from netcount.core.exit_codes import INCOMPLETE
from netcount.core.files import shown_path


def checked(
    nets: Sequence[Counted],
    config: Config | None,
    base: Baseline | None,
    *,
    others: Sequence[Target] = (),
    extra: Budget | None = None,
    lenient: bool = False,
) -> list[Checked]:
    """Hold every net against its budgets.

    base: None where there is no baseline.  others: the nets of the configuration that are not looked
    at.  extra: the budget of the command line, which `nets` have too.  lenient: a net without any limit is
    none.  A budget that covers a net looked at and speaks of nothing is a mistake, which the last of the
    results tells.
    """
    results = []
    for target, counted, error in nets:
        if counted is None:
            results.append(Checked(target.label, target.file, error=error, name=target.name))
            continue
        names = names_of(target, config)
        own = [*target.budgets, *(b for b in (config.budgets if config else ()) if b.covers(names))]
        if any(budget.limits for budget in own) or lenient:
            results.append(_checked(target, counted, own, base))
        else:
            place = target.entry.place if target.entry else None
            missing = InputError(
                f'no budget says anything about "{target.label}"; give it a limit, such as max_params', place
            )
            results.append(Checked(target.label, target.file, error=missing, name=target.name))
    problems = unmet(nets, config, base.nets if base else {}, others, extra)
    if problems:
        results.append(refused(Errors(problems), config.file if config else nets[0].target.file))
    return results


def refused(error: NetcountError, file: str = FILE) -> Checked:
    """What stands for the configuration in a report, where that (or the command line) has mistakes."""
    place = next((problem.place for problem in each(error) if problem.place), None)
    name = place.file if place else file
    return Checked(name, name, error=error, is_net=False)


def new_baseline(nets: Sequence[Counted], path: str, keep: bool) -> tuple[Baseline, str]:
    """The baseline of these nets, and its text.  keep: with the other nets the old file has.

    InputError where the file of that name is something else.
    """
    if os.path.isfile(path) and os.path.getsize(path) and not is_baseline(path):
        raise InputError(f"{shown_path(path)} is there and is no baseline; it is not overwritten")
    for target, counted, _ in nets:
        if counted and not counted.net.complete and not target.allow_incomplete:
            raise IncompleteError(
                f'"{target.label}" is incomplete (a layer is assumed), so it makes no baseline; '
                "allow_incomplete = true accepts it"
            )
    old = read_baseline(path) if keep and os.path.exists(path) else {}
    base = Baseline(path, old)
    made = [facts(counted, target.label) for target, counted, _ in nets if counted]
    merged = {**old, **{net.label: net._replace(file=base.named(net.file)) for net in made}}
    return base._replace(nets=merged), baseline_text(merged)


class IncompleteError(InputError):
    """A baseline was asked for a net whose cost is not wholly known."""

    exit_code = INCOMPLETE


def wants_baseline(config: Config | None, chosen: Iterable[Target]) -> Limit | None:
    """The first limit that compares with a baseline, if any does."""
    budgets = [*(config.budgets if config else ()), *(b for t in chosen for b in t.budgets)]
    return next((limit for budget in budgets for limit in budget.limits if limit.side == "increase"), None)


def _checked(target: Target, counted: Count, budgets: Sequence[Budget], base: Baseline | None) -> Checked:
    try:
        known = base.of(target.label, counted.net.file) if base else None
        return check(counted, budgets, target.label, known, target.allow_incomplete, target.name)
    except NetcountError as problem:
        return Checked(target.label, target.file, error=problem, name=target.name)
