"""What a budget takes for granted: nets, layers and kernels that are there.

A pattern that matches nothing, or a kernel that no layer has, is a typo that would pass every gate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from glob import has_magic

from netcount.analysis._support.kernels import kernel_name
from netcount.analysis.compare import LayerChange, NetFacts, changes, facts
from netcount.analysis.count import Count
from netcount.budget.budget import Budget
from netcount.budget.config import Config
from netcount.budget.targets import Counted, Target, counted, names_of
from netcount.core.errors import InputError, NetcountError
from netcount.core.suggest import nearest


def unmet(
    nets: Sequence[Counted],
    config: Config | None,
    base: Mapping[str, NetFacts],
    others: Sequence[Target] = (),
    extra: Budget | None = None,
) -> list[NetcountError]:
    """The conditions of budgets that the nets do not meet, in the order of the file.

    Held are those of budgets that cover a net looked at.  A glob of layers, and a kernel, may be another
    net's of the same budget, which is then counted; a literal name has to be in every net looked at.

    Args:
        nets: What is looked at.
        config: Where the budgets stand.
        base: The baseline's nets.
        others: The nets of the configuration that are not looked at.
        extra: The budget of the command line, which holds for every net.
    """
    known = [_Known(net, config, base.get(net.target.label)) for net in nets]
    more = _More(others, config)
    problems: list[NetcountError] = []
    for budget in config.budgets if config else ():
        problems += _nets(budget, known, more)
        covered = [net for net in known if budget.covers(net.names)]
        further = [target for target in others if budget.covers(more.names[target.label])]
        problems += _inside(budget, covered, further, more)
    for entry in config.nets if config else ():
        if entry.budget:
            own = [net for net in known if net.target.entry is entry]
            problems += _inside(entry.budget, own, [one for one in others if one.entry is entry], more)
    if extra:
        problems += _inside(extra, known, [], more)
    return sorted(problems, key=lambda problem: problem.place.line if problem.place else 0)


class _Known:
    """A net that is looked at."""

    def __init__(self, net: Counted, config: Config | None, base: NetFacts | None) -> None:
        self.target, self.count, self.base = net.target, net.found, base
        self.names = names_of(net.target, config)

    @cached_property
    def layers(self) -> dict[str, None]:
        """The names of its layers."""
        return dict.fromkeys(row.name for row in self.count.layers) if self.count else {}

    @cached_property
    def renamed(self) -> list[LayerChange]:
        """The layers that have another name in the baseline."""
        if self.base is None or self.count is None:
            return []
        return [change for change in changes(self.base, facts(self.count)) if change.kind == "renamed"]


class _More:
    """Nets that are not looked at, counted when somebody has to know."""

    def __init__(self, targets: Sequence[Target], config: Config | None) -> None:
        self.targets = targets
        self.names = {target.label: names_of(target, config) for target in targets}
        self._counts: dict[str, Counted] = {}

    def count(self, target: Target) -> Count | None:
        """Its count; None where it cannot be counted."""
        if target.label not in self._counts:
            (self._counts[target.label],) = counted([target])
        return self._counts[target.label].found


def _nets(budget: Budget, known: Sequence[_Known], more: _More) -> Iterator[NetcountError]:
    """Patterns of `nets` that match no label and no path."""
    names = {name for net in known for name in net.names}.union(*more.names.values())
    for pattern in budget.nets:
        if any(fnmatchcase(name, pattern) for name in names):
            continue
        counts = [(net.target, net.count) for net in known] + [(one, more.count(one)) for one in more.targets]
        own = [(target, count) for target, count in counts if count and fnmatchcase(count.net.name, pattern)]
        if not own:
            yield InputError(f'no net matches nets = "{pattern}"', budget.place)
        for target, count in own[:1]:
            yield InputError(
                f'nets = "{pattern}" matches the name "{count.net.name}" that {target.file} gives itself, and no '
                f'path or label; write nets = "{target.label}"',
                budget.place,
            )


def _inside(
    budget: Budget, covered: Sequence[_Known], further: Sequence[Target], more: _More
) -> Iterator[NetcountError]:
    """Layers and kernels that the nets of a budget lack.  further: those that are not looked at."""
    counts = [net.count for net in covered if net.count]
    if not counts:
        return
    uncounted = len(counts) < len(covered)
    if not _is_ban(budget):
        for pattern in budget.layers:
            yield from _layers(budget, pattern, covered, further, more, uncounted)
        yield from _left(budget, covered)
    for limit in budget.limits:
        if not limit.kernel or not limit.bound or uncounted:
            continue
        there = any(limit.kernel in _kernels(count) for count in counts)
        if not there and not any(limit.kernel in _kernels(count) for count in _counts(further, more)):
            what = f"no layer has a kernel of {limit.kernel}"
            if limit.place:
                yield InputError(f"{limit.rule}: {what}", limit.place)
            else:
                yield InputError(what, argument=limit.rule)


def _is_ban(budget: Budget) -> bool:
    """Whether all that a budget says is that there is no such layer."""
    return [(limit.rule, limit.bound) for limit in budget.limits] == [("max_layers", 0)]


def _layers(
    budget: Budget,
    pattern: str,
    covered: Sequence[_Known],
    further: Sequence[Target],
    more: _More,
    uncounted: bool,
) -> Iterator[NetcountError]:
    """A literal that is not in every net, a glob that is in none, or no longer in one that had it."""
    told = f'layers = "{pattern}"'
    if not has_magic(pattern):
        lacking = [net for net in covered if net.count and pattern not in net.layers]
        if lacking:
            rest = f" (nor have {len(lacking) - 1} others)" if len(lacking) > 1 else ""
            near = nearest(pattern, lacking[0].layers)
            yield InputError(
                f"no layer matches {told}: {lacking[0].target.name} has none of that name{rest}{near}",
                budget.place,
            )
        return
    matched = [net for net in covered if any(fnmatchcase(name, pattern) for name in net.layers)]
    for net in covered:
        before = [layer.name for layer in net.base.layers] if net.base else []
        was = next((name for name in before if fnmatchcase(name, pattern)), None)
        if was is not None and net.count and net not in matched:
            yield InputError(
                f'{told} matched "{was}" in the baseline of "{net.target.label}" and matches no layer of it now; '
                "netcount check --update-baseline accepts that",
                budget.place,
            )
    if not matched and not uncounted:
        elsewhere = (row.name for count in _counts(further, more) for row in count.layers)
        if not any(fnmatchcase(name, pattern) for name in elsewhere):
            yield InputError(f"no layer matches {told}", budget.place)


def _left(budget: Budget, covered: Sequence[_Known]) -> Iterator[NetcountError]:
    """Layers that had a name in the baseline that the budget is for, and have another now that it is not for."""
    if not budget.layers:
        return
    for net in covered:
        for change in net.renamed:
            assert change.before is not None
            was, now = change.before.name, change.layer.name
            if budget.concerns(was) and not budget.concerns(now):
                patterns = ", ".join(f'"{pattern}"' for pattern in budget.layers)
                yield InputError(
                    f'layer "{now}" of "{net.target.label}" is "{was}" in the baseline and would leave the budget '
                    f"of layers = {patterns}; netcount check --update-baseline accepts that",
                    budget.place,
                )


def _counts(targets: Sequence[Target], more: _More) -> Iterator[Count]:
    for target in targets:
        count = more.count(target)
        if count is not None:
            yield count


def _kernels(count: Count) -> set[str]:
    return {kernel_name(row) for row in count.layers if row.madds}
