"""Conventions beside each other: where 568.74M and 573.78M differ."""

from __future__ import annotations

import pytest

import netcount
from netcount.core.errors import InputError
from netcount.report.formats.layout import plain
from netcount.report.reconciliation import reconciliation_csv, reconciliation_document, reconciliation_report
from tests.helpers import SAMPLES

ALL_SAMPLES = sorted(path.stem for path in SAMPLES.glob("*.prototxt"))


@pytest.mark.parametrize("name", ALL_SAMPLES)
def test_the_types_sum_to_what_each_convention_says(name: str) -> None:
    net = netcount.load(SAMPLES / f"{name}.prototxt")
    names = ("madds", "netscope", "flops")
    found = net.reconcile(*names)
    assert found.totals == tuple(net.analyze(each).totals.cost for each in names)
    for row in found.rows:
        own = [node.name for node in net.nodes if node.type == row.type]
        assert set(row.differing) <= set(own)
        assert row.agrees == (len(set(row.costs)) == 1)


def test_mobilenets_difference_is_its_scale_layers() -> None:
    net = netcount.load(SAMPLES / "mobilenet_v1.prototxt")
    found = net.reconcile("madds", "netscope")
    assert [(row.type, row.costs[1] - row.costs[0]) for row in found.rows if not row.agrees] == [
        ("Scale", 5_042_688)
    ]
    text = plain(reconciliation_report(found))
    assert "573,783,040 netscope − 568,740,352 madds = 5,042,688; they differ in Scale" in text
    assert reconciliation_csv(found).splitlines()[1].startswith("Scale,27,0,5042688,5042688,conv1/scale ")
    document = reconciliation_document(found)
    assert document["totals"] == {"madds": 568_740_352, "netscope": 573_783_040}


def test_conventions_that_agree_say_so() -> None:
    found = netcount.load(SAMPLES / "squeezenet_v1.1.prototxt").reconcile("madds", "netscope")
    assert "they agree in every type" in plain(reconciliation_report(found))


def test_one_convention_is_not_reconciled() -> None:
    with pytest.raises(InputError, match="two conventions or more"):
        netcount.load(SAMPLES / "alexnet.prototxt").reconcile("madds")
    with pytest.raises(InputError, match='no convention "mads"'):
        netcount.load(SAMPLES / "alexnet.prototxt").reconcile("madds", "mads")
