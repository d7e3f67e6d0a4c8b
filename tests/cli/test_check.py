"""`netcount check` as maintainers and CI run it: exit codes, configurations, baselines."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.command import Tool
from tests.helpers import inputs

CONFIG = """\
baseline = "base.json"
[[net]]
path = "a.prototxt"
[[budget]]
max_params = "1.3k"
max_increase_params = "2% and 10"
"""


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Tool:
    return Tool(tmp_path, monkeypatch, capsys)


def test_exit_codes(tool: Tool) -> None:
    net = tool.net()
    unknown = tool.write("u.prototxt", inputs(x=(1, 2)) + 'layer { name: "f" type: "Foo" bottom: "x" top: "f" }')
    assert tool("check", net, "--max-params", "72").code == 0
    assert tool("check", net, "--max-params", "71").code == 1
    assert tool("check", net, "--max-params", "71 apples").code == 2
    assert tool("check", net).code == 2
    assert tool("check").code == 2
    assert tool("check", net, "--max-parms", "3").code == 2
    assert tool("check", "missing.prototxt", "--max-params", "1").code == 2
    assumed = (unknown, "--assume", "Foo=identity", "--max-params", "1")
    assert tool("check", *assumed).code == 3
    assert tool("check", *assumed, "--allow-incomplete").code == 0
    both = tool("check", "missing.prototxt", net, "--max-params", "71")
    assert both.code == 2
    assert "FAIL  a.prototxt" in both.out  # the others are checked all the same
    assert "missing.prototxt" in both.err


def test_the_baseline_and_the_hard_cap(tool: Tool) -> None:
    tool.write("netcount.toml", CONFIG)
    tool.net(outputs=60)  # 1080 params
    missing = tool("check")
    assert missing.code == 2
    assert "--update-baseline writes it" in missing.err
    assert tool("check", "--update-baseline").code == 0
    before = (tool.folder / "base.json").read_text(encoding="utf-8")
    assert tool("check").code == 0
    tool.net(outputs=61)  # 18 more: 1.67 %
    assert tool("check").code == 0
    tool.net(outputs=62)
    grown = tool("check")
    assert grown.code == 1
    assert "params grew from 1.08k to 1.12k, 3.33% of the baseline" in grown.out
    assert "convolution_param.num_output 60 -> 62" in grown.out
    assert "[netcount.toml:6]" in grown.out
    assert (tool.folder / "base.json").read_text(encoding="utf-8") == before
    tool.net(outputs=80)  # accepted as a step, but over the cap of 1300
    assert tool("check", "--update-baseline").code == 1
    tool.write("a.prototxt", "layer {")
    after = (tool.folder / "base.json").read_text(encoding="utf-8")
    assert tool("check", "--update-baseline").code == 2
    assert (tool.folder / "base.json").read_text(encoding="utf-8") == after


def test_a_new_net_is_not_let_through(tool: Tool) -> None:
    tool.write("netcount.toml", CONFIG)
    tool.net()
    assert tool("check", "--update-baseline").code == 0
    tool.net("b.prototxt")
    tool.write("netcount.toml", CONFIG.replace('"a.prototxt"', '"*.prototxt"'))
    new = tool("check")
    assert new.code == 2
    assert '"b.prototxt" is not in the baseline' in new.err


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ('[[budget]]\nnets = "c*"\nmax_params = 1', "netcount.toml:4: no net matches"),
        ('[[budget]]\nlayers = "fc*"\nmax_params = 1', "netcount.toml:4: no layer matches"),
        ('[[budget]]\nnets = ["a*", "c*"]\nmax_params = 99', 'netcount.toml:4: no net matches nets = "c*"'),
        (
            '[[budget]]\nlayers = ["c*", "fc*"]\nmax_params = 99',
            'netcount.toml:4: no layer matches layers = "fc*"',
        ),
        ('max_share = { "33x3" = "75%" }', "netcount.toml:4: max_share: no layer has a kernel of 33x3"),
        (
            "input_shape = { X = [1, 2, 9, 11] }",
            '1: --input-shape: a.prototxt: the net has no blob "X"',
        ),
        ('assume = { Foo = "identity" }', '--assume: a.prototxt: no layer has the type or name "Foo"'),
        ("", 'netcount.toml:1: no budget says anything about "a.prototxt"'),
    ],
)
def test_a_budget_nothing_meets_is_an_error(tool: Tool, extra: str, said: str) -> None:
    tool.net()
    own = "max_params = 100" if extra else ""
    tool.write("netcount.toml", f'[[net]]\npath = "a.prototxt"\n{own}\n{extra}\n')
    ran = tool("check")
    assert (ran.code, said in ran.err) == (2, True), ran.err


@pytest.mark.parametrize("limit", ['layers = "fc*"\nmax_layers = 0', 'max_share = { "5x5" = 0 }'])
def test_that_there_is_none_of_something_can_be_a_budget(tool: Tool, limit: str) -> None:
    tool.net()
    tool.write("netcount.toml", f'[[net]]\npath = "a.prototxt"\n[[budget]]\n{limit}\n')
    assert tool("check").code == 0


def test_a_budget_finds_its_nets_from_any_folder(tool: Tool) -> None:
    (tool.folder / "models").mkdir()
    tool.net("models/a.prototxt")
    budget = '[[budget]]\nnets = "models/*"\nmax_params = 71\n'
    tool.write("netcount.toml", f'[[net]]\npath = "models/a.prototxt"\nname = "small"\n{budget}')
    tool.monkeypatch.chdir(tool.folder / "models")
    ran = tool("check")
    assert (ran.code, ran.out.startswith("FAIL  small: params 72 is over")) == (1, True)


def test_what_needs_a_baseline_says_where(tool: Tool) -> None:
    tool.net()
    tool.write("netcount.toml", '[[net]]\npath = "a.prototxt"\nmax_increase_params = "2%"\n')
    assert tool("check").err.startswith("netcount.toml:3: max_increase_params needs a baseline")
    tool.write("netcount.toml", CONFIG)
    assert tool("check").err.startswith("netcount.toml:1: there is no baseline base.json")
    written = tool("check", "--update-baseline")
    assert (written.code, written.err) == (0, "wrote base.json: 1 net\n")


def test_a_file_of_the_configuration_keeps_its_own_budgets(tool: Tool) -> None:
    tool.net()
    tool.net("b.prototxt", outputs=9)
    tool.write("netcount.toml", '[[net]]\npath = "?.prototxt"\nmax_params = 100\n')
    assert tool("check").code == 1
    assert tool("check", "a.prototxt").code == 0
    assert tool("check", "b.prototxt").code == 1
    assert tool("check", "a.prototxt", "--max-madds", "1").code == 1
    assert tool("check", "a.prototxt", "--batch", "2").code == 2


def test_warnings_do_not_fail(tool: Tool) -> None:
    tool.net()
    tool.write("netcount.toml", '[[net]]\npath = "a.prototxt"\n[[budget]]\nlevel = "warn"\nmax_params = 1\n')
    ran = tool("check")
    assert (ran.code, ran.out.splitlines()[0][:4]) == (0, "warn")
    assert ran.out.splitlines()[-2:] == [
        "pass  a.prototxt: 0 of 1 limit kept; 1 broken at level warn",
        "1 net: 1 with warnings only",
    ]
    assert "::warning file=a.prototxt,line=2" in tool("check", "-f", "github").out


def test_a_file_has_one_path_in_a_report(tool: Tool) -> None:
    (tool.folder / "models").mkdir()
    tool.net("models/a.prototxt")
    tool.write("netcount.toml", '[[net]]\npath = "models/a.prototxt"\nmax_params = 71\n')
    for folder, file in ((tool.folder, "models/a.prototxt"), (tool.folder / "models", "a.prototxt")):
        tool.monkeypatch.chdir(folder)
        for form in ("text", "markdown", "github"):
            ran = tool("check", "-f", form)
            paths = set(re.findall(r"[\w/]*a(?:\\?)\.prototxt", ran.out.replace("%0A", " ")))
            assert {path.replace("\\", "") for path in paths} == {file}, form
    assert json.loads(tool("check", "-f", "json").out)["nets"][0]["net"] == "models/a.prototxt"


def test_help_names_every_limit(tool: Tool) -> None:
    from netcount.analysis.figures import FIGURES, SHARES

    text = tool("check", "--help").out.replace("-\n  ", "-")
    for figure in (*FIGURES, *SHARES):
        assert re.search(rf"\b{figure.replace('_', '-')}\b", text), figure
    assert "[[net]]" in text
