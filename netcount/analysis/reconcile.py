"""Two conventions beside each other: by layer type, where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from netcount.analysis.conventions import Convention
from netcount.analysis.count import Count
from netcount.core.errors import InputError
from netcount.graph.graph import Graph


class TypeCosts(NamedTuple):
    """The layers of one type, and the number each convention has for them together.

    layers: how many there are; differing: the names of those that the conventions disagree on.
    """

    type: str
    layers: int
    costs: tuple[int, ...]
    differing: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether all conventions have the same number for every layer of the type."""
        return not self.differing


class Reconciliation(NamedTuple):
    """A row per layer type that any convention has a number for, largest difference first."""

    net: Graph
    conventions: tuple[Convention, ...]
    rows: tuple[TypeCosts, ...]
    totals: tuple[int, ...]


def totals(count: Count, conventions: Sequence[Convention]) -> list[int]:
    """What each convention makes of a net that is counted."""
    ops = [row.ops for row in count.layers]
    return [sum(map(convention.rule, count.net.nodes, ops)) for convention in conventions]


def reconcile(net: Graph, conventions: Sequence[Convention]) -> Reconciliation:
    """What each convention makes of the net.  InputError for fewer than two conventions."""
    if len(conventions) < 2:
        raise InputError("two conventions or more can be reconciled, such as madds,netscope")
    by_type: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
    for node in net.nodes:
        ops = node.layer.ops(node.bottom_shapes, node.top_shapes)
        costs = tuple(convention.rule(node, ops) for convention in conventions)
        if any(costs):
            by_type.setdefault(node.type, []).append((node.name, costs))
    rows = [
        TypeCosts(
            kind,
            len(rows_of_kind),
            _sums([costs for _, costs in rows_of_kind], len(conventions)),
            tuple(name for name, costs in rows_of_kind if len(set(costs)) > 1),
        )
        for kind, rows_of_kind in by_type.items()
    ]
    rows.sort(key=lambda row: (-max(abs(cost - row.costs[0]) for cost in row.costs), -row.costs[0], row.type))
    return Reconciliation(
        net, tuple(conventions), tuple(rows), _sums([row.costs for row in rows], len(conventions))
    )


def _sums(costs: Sequence[tuple[int, ...]], number: int) -> tuple[int, ...]:
    return tuple(sum(each[i] for each in costs) for i in range(number))
