"""The list of public nets, with which anyone can repeat the comparison with Caffe."""

from __future__ import annotations

import hashlib
import re
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.helpers import CORPUS, ROOT, corpus_truth, inputs, needs_corpus

TOOL = SimpleNamespace(**runpy.run_path(str(ROOT / "tools" / "public_nets.py")))
NETS = TOOL.public_nets()
NET = inputs(x=(2, 3, 9, 11)) + (
    'layer { name: "c" type: "Convolution" bottom: "x" top: "c"'
    " convolution_param { num_output: 4 kernel_size: 3 } }"
)
CAFFES = [
    ("x", "Input", {"x": [2, 3, 9, 11]}, []),
    ("c", "Convolution", {"c": [2, 4, 7, 9]}, [[4, 3, 3, 3], [4]]),
]


def test_every_net_has_its_place_and_its_hash() -> None:
    assert len({net.name for net in NETS}) == len(NETS)
    for net in NETS:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", net.repository)
        assert re.fullmatch(r"[0-9a-f]{40}", net.commit)
        assert all(
            re.fullmatch(r"[0-9a-f]{64}", sha256) for sha256 in (net.sha256, *(p.sha256 for p in net.pairs))
        )


@pytest.mark.parametrize("page", ["README.md", "docs/contributing.md"])
def test_the_pages_claim_what_the_list_holds(page: str) -> None:
    pairs = sum(len(net.pairs) for net in NETS)
    assert f"{pairs} public (net, phase) pairs" in " ".join((ROOT / page).read_text(encoding="utf-8").split())


@needs_corpus
def test_the_list_is_the_corpus() -> None:
    assert {net.name for net in NETS} == {path.name for path in (CORPUS / "nets").iterdir()}
    assert all(net.within(CORPUS / "nets") for net in NETS)
    caffes = {
        (line["net"], line["phase"]): TOOL.answer(
            [(layer["name"], layer["type"], layer["tops"], layer["params"]) for layer in line["layers"]],
            line["inputs"],
            line["learnable"],
            line["outputs"],
        )
        for line in corpus_truth()
    }
    listed = {(net.name, pair.phase): pair.sha256 for net in NETS for pair in net.pairs}
    assert listed.items() <= caffes.items()


def listed(text: str, caffes: list[Any], **more: Any) -> list[Any]:
    """A list of one net, whose answer is what Caffe would have said."""
    pair = TOOL.Pair("TEST", {}, TOOL.answer(caffes, {}, 112, ["c"]))
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return [
        TOOL.PublicNet(
            **{"repository": "a/b", "commit": "0" * 40, "path": "d/n", "sha256": sha256, **more}, pairs=(pair,)
        )
    ]


@pytest.mark.parametrize("name", ["a__b__d__n", "a/b/d/n"])
def test_a_net_that_agrees(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(NET, encoding="utf-8", newline="")
    assert TOOL.run(tmp_path, listed(NET, CAFFES)) == 0
    assert capsys.readouterr().out == "1 pairs agree, 0 differ, 0 have no net here\n"


@pytest.mark.parametrize(
    ("text", "caffes"),
    [
        (NET, [CAFFES[0], ("c", "Convolution", {"c": [2, 4, 7, 8]}, [[4, 3, 3, 3], [4]])]),
        (NET, [CAFFES[0], ("c", "Convolution", {"c": [2, 4, 7, 9]}, [[4, 3, 3, 3]])]),
        (NET.replace("kernel_size: 3", "kernel_size: 33"), CAFFES),
    ],
)
def test_a_net_that_differs(tmp_path: Path, text: str, caffes: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a__b__d__n").write_text(text, encoding="utf-8", newline="")
    assert TOOL.run(tmp_path, listed(text, caffes)) == 1
    assert "differs: a/b d/n TEST\n" in capsys.readouterr().out


def test_a_net_that_is_another_file_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a__b__d__n").write_text(NET, encoding="utf-8", newline="")
    assert TOOL.run(tmp_path, listed(NET + "\n", CAFFES)) == 3
    assert "missing: a/b d/n TEST\n" in capsys.readouterr().out


def test_an_answer_leaves_out_what_stands_for_a_database() -> None:
    given = {"x": [2, 3, 9, 11]}
    assert TOOL.answer(CAFFES, given, 112, ["c"]) == TOOL.answer(CAFFES[1:], given, 112, ["c"])
    assert TOOL.answer(CAFFES, given, 112, ["c"]) != TOOL.answer(CAFFES, {}, 112, ["c"])


def test_each_repository_is_fetched_once() -> None:
    commands = list(TOOL.clone_commands(NETS))
    assert len(commands) == len({net.repository for net in NETS})
