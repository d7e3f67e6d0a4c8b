"""The gate of netcount.toml, for a text that is being edited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from netcount.analysis.count import Count, count
from netcount.budget import gate, targets
from netcount.budget.baseline import Baseline
from netcount.budget.budget import Checked, Finding
from netcount.budget.config import Config
from netcount.core.errors import NetcountError
from netcount.graph.options import LoadOptions
from netcount.report.check import amounts, summary


class Gate:
    """Holds texts of one file against the budgets that a configuration has for it.

    Args:
        path: The file.
        config: The configuration; it says how the net is read, where it lists it.
        base: The baseline, where a limit wants one.
        request: What the command line adds.
    """

    def __init__(self, path: str, config: Config, base: Baseline | None, request: targets.Request) -> None:
        self._config = config
        self._base = base
        self._targets = targets.targets(config, request._replace(files=(path,)))
        self._others = targets.others(config, self._targets)

    def checks(self, counted: Callable[[LoadOptions], Count]) -> list[dict[str, Any]]:
        """The limits, each with `text`, `share` (of what is allowed), `passed`, `level` and `about`; of a limit
        for many layers that which is nearest to it.  None where the text cannot be counted.

        Args:
            counted: Counts the text, read as it is given; NetcountError where it cannot be.
        """
        limits: list[dict[str, Any]] = []
        for target in self._targets:
            try:
                figures = counted(target.options)
            except NetcountError:
                continue
            if figures.convention != target.convention:
                figures = count(figures.net, target.convention)
            results = gate.checked(
                [targets.Counted(target, figures, None)],
                self._config,
                self._base,
                others=self._others,
                lenient=True,
            )
            for net in results:
                groups: dict[int, list[Finding]] = {}
                for finding in net.findings:
                    groups.setdefault(id(finding.limit), []).append(finding)
                limits += [_limit(net, max(group, key=_share)) for group in groups.values()]
        return limits


def _share(finding: Finding) -> tuple[bool, float]:
    return not finding.passed, float(finding.value / finding.bound) if finding.bound else float(finding.value)


def _limit(net: Checked, finding: Finding) -> dict[str, Any]:
    limit = finding.limit
    value, bound = amounts(limit.figure, finding.value, finding.bound)
    where = f' at "{finding.layer}"' if finding.layer is not None else ""
    return {
        "text": f"{limit.rule} {limit.kernel}".rstrip() + f": {value} of {bound}{where}",
        "share": _share(finding)[1],
        "passed": finding.passed,
        "level": finding.level,
        "about": summary(net, finding),
    }
