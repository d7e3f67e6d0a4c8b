"""For those who keep budgets in tests: `assert_within(net, max_madds="400M")`."""

from __future__ import annotations

import os
from typing import Any

from netcount.analysis.conventions import Convention, convention_named
from netcount.analysis.count import count
from netcount.api import Analysis, Net, graph_of, load
from netcount.budget.budget import Budget, Checked, check
from netcount.budget.limits import is_rule, limits_of, rule_names
from netcount.core.suggest import unknown

__all__ = ["assert_within"]


def assert_within(
    net: Net | Analysis | str | os.PathLike[str],
    *,
    convention: str | Convention = "madds",
    weight_bits: int = 32,
    activation_bits: int = 32,
    allow_incomplete: bool = False,
    **limits: Any,
) -> None:
    """AssertionError with the layers that cost most, unless the net keeps to every limit.

    net: of `netcount.load`, its analysis, or a path.  limits: as in netcount.toml: max_params,
    max_madds, min_params, max_share={"3x3": "75%"}, forbidden_types=["LRN"] …; at least one.
    TypeError for a limit there is none of, ValueError for a value that is not one.

    >>> import netcount
    >>> net = netcount.loads('''
    ... layer { name: "data" type: "Input" top: "data"
    ...         input_param { shape { dim: 1 dim: 3 dim: 9 dim: 11 } } }
    ... layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
    ...         convolution_param { num_output: 4 kernel_size: 3 } }
    ... ''')
    >>> assert_within(net, max_madds=6804)
    >>> assert_within(net, max_madds="6k")
    Traceback (most recent call last):
    AssertionError: <text>: madds 6.80k is over max_madds 6.00k by 804, 13.40%
      <text>:4  conv1 (Convolution)  6.80k  100.00%
    """
    from netcount.report.check import INCOMPLETE_TEXT, details, summary

    __tracebackhide__ = True
    rules = []
    for rule, value in limits.items():
        if not is_rule(rule):
            raise TypeError(f"assert_within: {unknown('limit', rule, rule_names())}")
        try:
            rules += limits_of(rule, value)
        except ValueError as mistake:
            raise ValueError(f"{rule}: {mistake}") from None
    if not rules:
        raise TypeError("assert_within needs a limit, such as max_madds=400_000_000")
    if any(limit.side == "increase" for limit in rules):
        raise TypeError("an increase needs a baseline; netcount check compares with one")
    budget = Budget(tuple(rules), weight_bits=weight_bits, activation_bits=activation_bits)
    result = _checked(net, convention, budget, allow_incomplete)
    said = []
    for item in result.failed:
        said.append(summary(result, item))
        said += [f"  {line}" for line in details(result, item)]
    if result.incomplete:
        said.append(f"{result.label}: {INCOMPLETE_TEXT}")
    if said:
        raise AssertionError("\n".join(said))


def _checked(
    net: Net | Analysis | str | os.PathLike[str], convention: str | Convention, budget: Budget, lenient: bool
) -> Checked:
    if isinstance(net, Analysis):
        counted = net._count
    else:
        graph = graph_of("net", net if isinstance(net, Net) else load(net))
        counted = count(graph, convention_named(convention))
    return check(counted, [budget], allow_incomplete=lenient)
