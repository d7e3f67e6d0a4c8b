"""Shares of madds and params by kernel size, for the net and for families of named blocks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from netcount.analysis._support.names import block_of, family_of, family_title

if TYPE_CHECKING:
    from netcount.analysis.rows import LayerRow

WHOLE_NET = "net"


class KernelShare(NamedTuple):
    """The layers of one kernel size within a scope.

    kernel: "3x3", or the layer type where there is no window.  share_madds, share_params: fractions
    of the madds and params of the whole scope (all its layers, those without a kernel too).
    """

    scope: str
    kernel: str
    depthwise: bool
    layers: int
    params: int
    madds: int
    share_madds: float
    share_params: float


def kernel_shares(rows: Sequence[LayerRow]) -> list[KernelShare]:
    """The shares of the whole net, then of each family of blocks, most madds first."""
    shares = shares_within(WHOLE_NET, rows)
    for family, members in families(rows).items():
        shares += shares_within(family_title(family), members)
    return shares


def families(rows: Iterable[LayerRow]) -> dict[str, list[LayerRow]]:
    """Rows by family, where at least two blocks of a name have two layers with madds or more."""
    blocks: dict[str, list[LayerRow]] = {}
    for row in rows:
        block = block_of(row.name)
        if block is not None:
            blocks.setdefault(block, []).append(row)
    rows_by_family: dict[str, list[LayerRow]] = {}
    proper: dict[str, int] = {}
    for block, members in blocks.items():
        family = family_of(block)
        rows_by_family.setdefault(family, []).extend(members)
        proper[family] = proper.get(family, 0) + (sum(bool(row.madds) for row in members) > 1)
    return {family: members for family, members in rows_by_family.items() if proper[family] > 1}


def kernel_name(row: LayerRow) -> str:
    """How a layer with madds is grouped: its kernel, or its type where that has no axes."""
    return "x".join(map(str, row.window.kernel)) if row.window and row.window.kernel else row.type


def shares_within(scope: str, rows: Iterable[LayerRow]) -> list[KernelShare]:
    """The shares of some rows, most madds first; `scope` is what they are called."""
    groups: dict[tuple[str, bool], list[int]] = {}
    all_madds = all_params = 0
    for row in rows:
        madds, params = row.ops.madds, row.params
        all_madds += madds
        all_params += params
        if madds:
            key = (kernel_name(row), row.window is not None and row.window.depthwise)
            group = groups.setdefault(key, [0, 0, 0])
            group[0] += 1
            group[1] += params
            group[2] += madds
    return [
        KernelShare(
            scope,
            kernel,
            depthwise,
            layers,
            params,
            madds,
            madds / all_madds,
            params / all_params if all_params else 0.0,
        )
        for (kernel, depthwise), (layers, params, madds) in sorted(groups.items(), key=lambda item: -item[1][2])
    ]
