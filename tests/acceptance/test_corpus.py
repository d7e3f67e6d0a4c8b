"""Public nets: shapes as Caffe inferred them, and a clear answer for those Caffe could not judge."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import netcount
from tests.helpers import CORPUS, corpus_truth, needs_corpus

SOLVER = "BVLC__caffe__examples__mnist__lenet_consolidated_solver.prototxt"
"""A solver that holds its net: read as a net, as it was for the truth, it has no layers at all.
netcount follows it to the net inside, whose database does not tell its shape."""

TRUTH = [line for line in corpus_truth() if line["net"] != SOLVER]
JUDGED = {line["net"] for line in TRUTH}
OTHERS = sorted({p.name for p in (CORPUS / "nets").glob("*")} - JUDGED) if TRUTH else []


def _id(line: dict[str, Any]) -> str:
    return f"{line['net'].removesuffix('.prototxt')}-{line['phase']}"


@needs_corpus
@pytest.mark.parametrize("line", TRUTH, ids=_id)
def test_shapes_are_caffes(line: dict[str, Any]) -> None:
    net = netcount.load(
        CORPUS / "nets" / line["net"],
        phase=line["phase"],
        batch="net",
        input_shapes=line["inputs"],
    )
    theirs = {layer["name"]: layer for layer in line["layers"]}
    ours = {node.name for node in net.nodes}
    assert ours >= set(theirs), "every layer Caffe had is here"
    for node in net.nodes:
        if node.name not in theirs:
            assert {blob.name for blob in node.tops} <= set(line["inputs"]), node.name
            continue
        layer = theirs[node.name]
        for top in node.tops:
            if top.name != "(automatic)":
                assert list(top.shape) == layer["tops"][top.name], f"{node.name}: {top.name}"
        assert [list(blob.shape) for blob in node.params] == layer["params"], node.name
    assert net.learnable() == line["learnable"]
    assert [blob.name for blob in net.outputs] == sorted(line["outputs"])


def _answer(path: Path) -> str:
    """ "table", or "error" when the answer is one clear error that names the line."""
    try:
        netcount.load(path).analyze()
    except netcount.InputError as refusal:
        assert path.name in str(refusal)
        return "error"
    return "table"


@needs_corpus
def test_every_other_net_gives_a_table_or_a_clear_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answers = {name: _answer(CORPUS / "nets" / name) for name in OTHERS}
    counted = Counter(answers.values())
    with capsys.disabled():
        print(f"\n{counted['table']} nets give a table, {counted['error']} a clear error:")
        for name, answer in answers.items():
            if answer == "error":
                print(f"  {name}")
    assert counted.total() == len(OTHERS)
    assert counted["table"] >= 50


@needs_corpus
def test_a_solver_is_followed_to_the_net_inside() -> None:
    with pytest.raises(netcount.InputError, match="input_shapes="):
        netcount.load(CORPUS / "nets" / SOLVER)
    net = netcount.load(CORPUS / "nets" / SOLVER, input_shapes={"data": (64, 1, 28, 28)})
    assert net.learnable() == 431_080
