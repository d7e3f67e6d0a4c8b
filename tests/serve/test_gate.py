"""The limits of netcount.toml, held against a text that is being edited."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from netcount.analysis.count import Count, count
from netcount.budget import config
from netcount.budget.targets import Request
from netcount.graph.load import load_text
from netcount.graph.options import LoadOptions
from netcount.serve.gate import Gate
from tests.helpers import inputs

TEXT = inputs(x=(1, 3, 9, 11)) + (
    'layer { name: "c" type: "Convolution" bottom: "x" top: "c"\n'
    "convolution_param { num_output: 4 kernel_size: 3 } }\n"
)


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    file = tmp_path / "net.prototxt"
    file.write_text(TEXT, encoding="utf-8")
    (tmp_path / "netcount.toml").write_text(
        '[[net]]\npath = "net.prototxt"\nmax_params = 200\n'
        '[[budget]]\nlayers = ["*"]\nmax_madds = 10000\nlevel = "warn"\n',
        encoding="utf-8",
    )
    return Gate(str(file), config.load(tmp_path / "netcount.toml"), None, Request())


def counting(text: str) -> Callable[[LoadOptions], Count]:
    return lambda options: count(load_text(text, options, "net.prototxt"))


def test_limits_follow_the_text(gate: Gate) -> None:
    params, madds = gate.checks(counting(TEXT))
    assert (params["passed"], params["share"], params["text"]) == (True, 112 / 200, "max_params: 112 of 200")
    assert (madds["passed"], madds["level"]) == (True, "warn")
    assert madds["text"] == 'max_madds: 6.80k of 10.00k at "c"'
    params, madds = gate.checks(counting(TEXT.replace("num_output: 4", "num_output: 8")))
    assert (params["passed"], madds["passed"]) == (False, False)


def test_a_text_that_is_wrong_has_none(gate: Gate) -> None:
    assert gate.checks(counting("layer {")) == []
