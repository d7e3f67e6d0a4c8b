"""Caffe's own verdict on small nets: accepted or refused, every top, every parameter blob."""

from __future__ import annotations

from typing import Any

import pytest

import netcount
from tests.helpers import conformance_cases

CASES = conformance_cases()
READS_PAST_THE_END = "net_input_count_bad"
"""Here Caffe read beyond `input_dim` and printed what happened to lie in memory."""

STOOD_IN = "memorydata"
"""Here a DummyData layer stood in for the MemoryData layer that needs its data handed over."""


def _ids(case: dict[str, Any]) -> str:
    return str(case["name"])


@pytest.mark.parametrize("case", CASES, ids=_ids)
def test_verdict(case: dict[str, Any]) -> None:
    if case["verdict"] == "rejected":
        with pytest.raises(netcount.InputError) as refusal:
            netcount.loads(case["prototxt"], batch="net")
        assert ":" in str(refusal.value), "a refusal names file, line and column"
        assert refusal.value.place is None or refusal.value.place.line > 0
    else:
        netcount.loads(case["prototxt"], batch="net")


@pytest.mark.parametrize("case", [c for c in CASES if c["verdict"] == "accepted"], ids=_ids)
def test_tops_and_blobs(case: dict[str, Any]) -> None:
    net = netcount.loads(case["prototxt"], batch="net")
    assert [node.name for node in net.nodes] == [layer["name"] for layer in case["layers"]]
    for node, layer in zip(net.nodes, case["layers"], strict=True):
        if case["name"] != STOOD_IN:
            assert node.type == layer["type"]
        for top in node.tops:
            if top.name == "(automatic)":
                continue
            if case["name"] == READS_PAST_THE_END and top.name == "b":
                continue
            assert list(top.shape) == layer["tops"][top.name], f"{node.name}: {top.name}"
        assert [list(blob.shape) for blob in node.params] == layer["params"], node.name
    assert net.learnable() == case["learnable"]
    assert [blob.name for blob in net.outputs] == case["outputs"]


@pytest.mark.parametrize("case", [c for c in CASES if c["verdict"] == "accepted"], ids=_ids)
def test_rows_sum_to_totals(case: dict[str, Any]) -> None:
    analysis = netcount.loads(case["prototxt"], batch="net").analyze()
    totals = analysis.totals
    assert totals.params == sum(row.params for row in analysis.layers)
    assert totals.statistics == sum(row.statistics for row in analysis.layers)
    assert totals.params + totals.statistics == case["learnable"]
    for index, total in enumerate(totals.ops):
        assert total == sum(row.ops[index] for row in analysis.layers)
    assert totals.activations == sum(row.activations for row in analysis.layers)
