"""How the columns of a table share a narrow terminal.  It knows widths alone, no cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

GAP = "  "
"""What stands between two columns."""
LEFT_OUT = 0
"""As the least width of a column: it is not shown where there is no room, and the report says so."""
BELOW = -1
"""As the least width of a column: its cells stand on a line below their row where there is no room."""

Yields: TypeAlias = "tuple[tuple[int, int], ...]"
"""Which columns give way, first ones first, and to how many cells: LEFT_OUT, BELOW, or a number."""

_LEAST_TITLE = 10


class Fitted(NamedTuple):
    """Where each column stands.

    Attributes:
        widths: Cells of the columns that stand beside each other, by column.
        below: The columns whose cells stand on lines below their row.
        left_out: The columns that are not shown.
    """

    widths: dict[int, int]
    below: list[int]
    left_out: list[int]


def fitted(
    titles: Sequence[int], cells: Sequence[int], solid: Sequence[bool], yields: Yields, available: int | None
) -> Fitted:
    """Columns made narrower, moved below or left out until the others fit into `available`.

    Args:
        titles: The width of each column's title.
        cells: The width of each column's widest cell.
        solid: Whether a column's cells are never cut, only its title.
        yields: What gives way before titles are cut and figures move below their row.
        available: Cells of a line; None for as many as it needs.
    """
    natural = [max(pair) for pair in zip(titles, cells, strict=True)]
    columns = Fitted(dict(enumerate(natural)), [], [])
    if available is None:
        return columns
    for column, least in _steps(titles, cells, yields):
        excess = _total(columns.widths) - available
        if excess <= 0:
            break
        if column not in columns.widths:
            continue
        if least > 0:
            least = max(least, cells[column]) if solid[column] else least
            columns.widths[column] -= min(excess, max(0, columns.widths[column] - least))
        elif len(columns.widths) > 1:
            del columns.widths[column]
            (columns.left_out if least == LEFT_OUT else columns.below).append(column)
    _give_back(columns.widths, natural, yields, available)
    columns.below.sort()
    columns.left_out.sort()
    return columns


def _steps(titles: Sequence[int], cells: Sequence[int], yields: Yields) -> Iterator[tuple[int, int]]:
    """Every way to make room, the one that costs a reader least first."""
    yield from yields
    for column in sorted(range(len(titles)), key=lambda column: cells[column] - titles[column]):
        yield column, max(cells[column], _LEAST_TITLE)
    for column in range(len(titles) - 1, 0, -1):
        yield column, BELOW


def _total(widths: dict[int, int]) -> int:
    return sum(widths.values()) + len(GAP) * (len(widths) - 1)


def _give_back(widths: dict[int, int], natural: Sequence[int], yields: Yields, available: int) -> None:
    """Room that a column left behind goes to those that gave way before it, names first."""
    for column in dict.fromkeys([*(column for column, _ in reversed(yields)), *widths]):
        if column in widths:
            widths[column] += max(0, min(natural[column] - widths[column], available - _total(widths)))
