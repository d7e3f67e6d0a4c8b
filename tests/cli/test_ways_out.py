"""Errors as documents, and assumptions from the command line and from netcount.toml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.command import Tool
from tests.helpers import inputs, valid

INPUT = inputs(x=(1, 3, 9, 11))
UNKNOWN = INPUT + 'layer { name: "pool" type: "FooPool" bottom: "x" top: "y" }\n'
TYPO = (
    INPUT + 'layer { name: "c" type: "Convolution" bottom: "x" top: "y" convolution_param { num_outputs: 4 } }\n'
)


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Tool:
    return Tool(tmp_path, monkeypatch, capsys)


def test_an_error_is_a_document_on_standard_output_and_a_line_on_standard_error(tool: Tool) -> None:
    tool.write("a.prototxt", UNKNOWN)
    tool.write("b.prototxt", INPUT)
    tool.write("c.prototxt", TYPO)
    ran = tool("analyze", "a.prototxt", "b.prototxt", "c.prototxt", "-f", "json")
    first, second, last = (json.loads(line) for line in ran.out.splitlines())
    assert (ran.code, last["schema"]) == (2, "netcount/analysis/1")
    assert len(ran.err.splitlines()) == 2
    for document, name in ((first, "a.prototxt"), (second, "c.prototxt")):
        valid(document, "error")
        assert document["file"] == document["place"]["file"] == name
    assert first["advice"] == [{"option": "--assume", "value": "pool=N,C,H,W", "way": 1}]
    assert second["advice"][0] == {
        "option": "--assume",
        "value": "ConvolutionParameter.num_outputs=ignored",
        "way": 1,
    }


def test_ways_that_help_only_together_bear_one_number(tool: Tool) -> None:
    tool.write("a.prototxt", UNKNOWN + 'layer { name: "s" type: "Soft" bottom: "y" top: "z" }')
    advice = json.loads(tool("explain", "a.prototxt", "s", "-f", "json").out)["advice"]
    assert [(one["value"], one["way"]) for one in advice] == [("pool=N,C,H,W", 1), ("Soft=identity", 1)]


def test_an_error_leaves_the_output_file_as_it_was(tool: Tool) -> None:
    tool.write("a.prototxt", UNKNOWN)
    tool.write("out.json", "before")
    ran = tool("analyze", "a.prototxt", "-f", "json", "-o", "out.json")
    assert ran.code == 2
    assert json.loads(ran.out)["schema"] == "netcount/error/1"
    assert (tool.folder / "out.json").read_text() == "before"


def test_tables_have_no_error_document(tool: Tool) -> None:
    tool.write("a.prototxt", UNKNOWN)
    ran = tool("analyze", "a.prototxt")
    assert (ran.code, ran.out) == (2, "")


def test_assumptions_on_the_command_line(tool: Tool) -> None:
    tool.write("a.prototxt", UNKNOWN)
    assert tool("analyze", "a.prototxt", "--assume", "pool=1,3,4,5").code == 3
    ran = tool("analyze", "a.prototxt", "--assume", "FooPool=ReLU", "-f", "json")
    document = json.loads(ran.out)
    assert (ran.code, document["complete"]) == (0, True)
    assert "read and counted as ReLU" in document["warnings"][0]["message"]
    ran = tool("analyze", "a.prototxt", "--assume", "FooPool=RELU6X")
    assert ran.code == 2
    assert "--assume: there is no layer type" in ran.err


def test_a_cost_by_hand_stands_in_the_configuration(tool: Tool) -> None:
    tool.write("a.prototxt", UNKNOWN)
    tool.write("b.prototxt", INPUT)
    tool.write("netcount.toml", "[assume.FooPool]\nshape = [1, 3, 4, 5]\nparams = 70\nmadds = 900\n")
    document = json.loads(tool("analyze", "a.prototxt", "-f", "json").out)
    assert (document["complete"], document["totals"]["params"], document["totals"]["madds"]) == (True, 70, 900)
    assert tool("analyze", "b.prototxt").code == 0, "what no layer needs is no mistake there"
    tool.write("netcount.toml", "[assume.FooPool]\nshape = [1, 3, 4, 5]\nparams = -1\nmadds = 900\n")
    ran = tool("analyze", "a.prototxt")
    assert (ran.code, ran.err.split(":")[:2]) == (2, ["netcount.toml", "1"])


def test_the_gate_names_every_assumption(tool: Tool) -> None:
    tool.write("a.prototxt", UNKNOWN)
    tool.write("netcount.toml", '[assume]\nFooPool = "ReLU"\n\n[[net]]\npath = "a.prototxt"\nmax_params = 5\n')
    ran = tool("check")
    assert ran.code == 0
    assert "FooPool" in ran.out + ran.err


def test_a_template_is_filled(tool: Tool) -> None:
    tool.write("a.prototxt", INPUT.replace("dim: 9", "dim: $H$"))
    assert "--define H=VALUE" in tool("analyze", "a.prototxt").err
    assert "7×11×3" in tool("analyze", "a.prototxt", "--define", "H=7").out
    assert tool("analyze", "a.prototxt", "--define", "H").code == 2
