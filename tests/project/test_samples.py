"""The samples' comments: each figure they tell is what the analysis says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import netcount
from tests.helpers import SAMPLES

ROW = re.compile(r"#   (\w[\w ,.]*?) {2,}([\d,]+) +([\d,]+)(?: +([\d,]+))?")
FIGURE = re.compile(r"#   (params|statistics|madds|netscope) {2,}([\d,]+)(?: |$)")

samples = pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.prototxt")), ids=lambda path: path.stem)


def whole(number: str | None) -> int:
    return int((number or "0").replace(",", ""))


def table_of(path: Path) -> Iterator[tuple[str, tuple[int, int, int]]]:
    """The rows of the table at the top: block, and its params, madds and statistics."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if found := ROW.fullmatch(line):
            name, params, madds, statistics = found.groups()
            yield name, (whole(params), whole(madds), whole(statistics))
            if name == "total":
                return


@samples
def test_the_table_adds_up_to_what_the_analysis_says(path: Path) -> None:
    *blocks, (last, total) = table_of(path)
    assert last == "total"
    assert len(blocks) > 3
    assert tuple(map(sum, zip(*(cost for _, cost in blocks), strict=True))) == total
    totals = netcount.load(path).analyze().totals
    assert (totals.params, totals.madds, totals.statistics) == total


@samples
def test_each_block_of_the_table(path: Path) -> None:
    """Blocks by one name; those of several ("conv1, cccp1", "res2a .. res2c") are part of the sum above."""
    rows = netcount.load(path).analyze().layers
    names = {row.name for row in rows}
    blocks = {name: cost for name, cost in table_of(path) if name.isidentifier() and name != "total"}
    assert blocks or path.stem == "nin"
    for block, cost in blocks.items():
        inside = [row for row in rows if block_name(row.name, names) == block]
        found = tuple(sum(getattr(row, key) for row in inside) for key in ("params", "madds", "statistics"))
        assert found == cost, block


def block_name(layer: str, names: set[str]) -> str:
    """`fire2` for `fire2/squeeze1x1`, `conv1` for `scale_conv1`, `classifier` for `loss3/classifier`."""
    head, _, tail = layer.partition("/")
    prefix, _, rest = layer.partition("_")
    if prefix in ("bn", "scale") and rest in names:
        return rest
    return tail if head.startswith("loss") else head


@samples
def test_the_figures_below_the_table(path: Path) -> None:
    told = {
        found[1]: whole(found[2])
        for line in path.read_text(encoding="utf-8").splitlines()
        if (found := FIGURE.match(line))
    }
    assert {"params", "madds"} <= set(told)
    net = netcount.load(path)
    totals = net.analyze().totals
    known = {
        "params": totals.params,
        "statistics": totals.statistics,
        "madds": totals.madds,
        "netscope": net.analyze("netscope").totals.cost,
    }
    assert told == {name: known[name] for name in told}
