"""The limits of a budget as options of a command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from netcount.analysis.figures import FIGURES, SHARES
from netcount.budget.limits import LIST_RULES, Limit, limits_of, rule_names
from netcount.core.errors import InputError, NetcountError, raise_all

F = TypeVar("F", bound=Callable[..., Any])

_COMMON = (
    "max_params",
    "max_madds",
    "max_activations",
    "max_weight_bytes",
    "max_peak_bytes",
    "max_share",
    "max_increase_params",
    "max_increase_madds",
    "forbidden_types",
)
"""The limits that --help shows; every other key of netcount.toml is an option too."""


def limit_options(function: F) -> F:
    """An option for every limit: max_params -> --max-params."""
    for rule in reversed(rule_names()):
        share = rule.partition("_")[2] in SHARES
        types = rule in LIST_RULES
        option = click.option(
            f"--{rule.replace('_', '-')}",
            rule,
            multiple=share,
            metavar="KERNEL=SHARE" if share else "NAME,NAME,..." if types else "LIMIT",
            hidden=rule not in _COMMON,
            help=_HELP.get(rule, ""),
        )
        function = option(function)
    return function


_HELP = {
    "max_params": "Such as 1.3M; inclusive, as all limits are.",
    "max_madds": "Such as 400M.",
    "max_weight_bytes": "Such as '5 MiB', at --weight-bits per value.",
    "max_peak_bytes": "Such as '512 KiB' of live activations, at --activation-bits per value.",
    "max_share": "Such as 3x3=75%, of madds; repeatable.",
    "max_increase_params": "Against the baseline: 2%, 10k, or '2% and 10k'.",
    "max_increase_madds": "Likewise.",
}


def about_limits() -> str:
    """Which options there are besides the ones that --help lists."""
    figures, shares = (", ".join(name.replace("_", "-") for name in names) for names in (FIGURES, SHARES))
    return (
        f"Every limit of netcount.toml is an option: --max-, --min- and --max-increase- of {figures}; "
        f"--max- and --min- of {shares}; --allowed-types and --forbidden-types; --fit of targets. "
        "What each means: docs/ci.md."
    )


def limits_given(values: dict[str, Any]) -> list[Limit]:
    """The limits given as options; all mistakes at once."""
    limits: list[Limit] = []
    problems: list[NetcountError] = []
    for rule, value in values.items():
        if value is None or value == ():
            continue
        try:
            if rule in LIST_RULES:
                value = [name.strip() for name in value.split(",")]
            elif isinstance(value, tuple):
                value = dict(_pair(part) for part in value)
            limits += limits_of(rule, value)
        except ValueError as mistake:
            problems.append(InputError(str(mistake), argument=rule))
    raise_all(problems)
    return limits


def _pair(text: str) -> tuple[str, str]:
    kernel, equals, share = text.partition("=")
    if not equals:
        raise ValueError(f"{text!r} is not KERNEL=SHARE, such as 3x3=75%")
    return kernel.strip(), share.strip()
