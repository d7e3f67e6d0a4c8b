"""`netcount check` as CI runs it: exit codes, outputs for machines, and hostile names."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest

import netcount
from netcount.cli.main import run
from tests.helpers import inputs

DATA = Path(__file__).parent / "data"
SCHEMA = json.loads((Path(netcount.__file__).parent / "schemas" / "check.json").read_text(encoding="utf-8"))
NET = inputs(x=(1, 2, 9, 11)) + (
    'layer { name: "NAME" type: "Convolution" bottom: "x" top: "c"\n'
    "convolution_param { num_output: OUTPUTS kernel_size: 3 bias_term: false } }\n"
)
HOSTILE = "e\\033[31m%0A::error::,|<b>&]]>\\n\\001@x"
CONFIG = """\
baseline = "base.json"
[[net]]
path = "a.prototxt"
[[budget]]
max_params = "1.3k"
max_increase_params = "2% and 10"
"""


class Ran(NamedTuple):
    code: int
    out: str
    err: str


class Tool:
    """The command, run in this process in a folder of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
        self.folder, self.monkeypatch, self.capsys = folder, monkeypatch, capsys
        monkeypatch.chdir(folder)
        monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    def __call__(self, *arguments: str) -> Ran:
        self.monkeypatch.setattr(sys, "argv", ["netcount", *arguments])
        with pytest.raises(SystemExit) as left:
            run()
        out, err = self.capsys.readouterr()
        assert "Traceback" not in err
        return Ran(int(left.value.code or 0), out, err)

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text, encoding="utf-8")
        return name

    def net(self, name: str = "a.prototxt", outputs: int = 4, layer: str = "conv") -> str:
        return self.write(name, NET.replace("NAME", layer).replace("OUTPUTS", str(outputs)))


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
        ("input_shape = { X = [1, 2, 9, 11] }", "netcount.toml:1: a.prototxt: --input-shape X"),
        ('assume = { Foo = "identity" }', "netcount.toml:1: a.prototxt: --assume Foo"),
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


MISTAKES = {
    "unmet": '[[net]]\npath = "a.prototxt"\nmax_params = 71\n[[budget]]\nnets = "c*"\nmax_madds = 1\n',
    "typo": '[[net]]\npath = "a.prototxt"\n\nmax_parms = 72\n',
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_machines_are_told_of_a_mistake_in_the_configuration(tool: Tool, mistake: str) -> None:
    tool.net()
    tool.write("netcount.toml", MISTAKES[mistake])
    ran = tool("check", "-f", "github")
    assert ran.code == 2
    assert ran.err.startswith("netcount.toml:4: ")
    assert "::error file=netcount.toml,line=4,title=netcount::" in ran.out
    found = json.loads(tool("check", "-f", "json").out)
    jsonschema.validate(found, SCHEMA)
    assert [error["place"]["line"] for error in found["errors"]] == [4]
    assert [net["status"] for net in found["nets"]] == (["over"] if mistake == "unmet" else [])
    assert '<testsuite name="netcount.toml"' in tool("check", "-f", "junit").out
    (ran_by,) = json.loads(tool("check", "-f", "sarif").out)["runs"]
    assert ran_by["results"][-1]["ruleId"] == "netcount/input"
    text = tool("check")
    assert ("FAIL  a.prototxt" in text.out) == (mistake == "unmet")  # all nets are checked before it exits


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
    assert "::warning file=a.prototxt,line=2" in tool("check", "-f", "github").out


FORMS = ("text", "json", "markdown", "github", "junit", "sarif")


@pytest.fixture
def broken(tool: Tool) -> Tool:
    """Every kind of result at once, with names that try to be more than names."""
    tool.net("a,b%.prototxt", layer=HOSTILE)
    tool.write("bad.prototxt", 'layer {\n name: "x\n')
    tool.write("u.prototxt", inputs(x=(1, 2)) + 'layer { name: "f" type: "Foo" bottom: "x" top: "f" }')
    tool.write(
        "netcount.toml",
        '[[net]]\npath = "a,b%.prototxt"\nmax_params = 71\nmin_madds = 9999\nmax_adds = 0\n'
        'max_share = { "3x3" = "50%" }\nforbidden_types = ["Convolution"]\n'
        '[[net]]\npath = "bad.prototxt"\nmax_params = 1\n'
        '[[net]]\npath = "u.prototxt"\nmax_params = 1\nassume = { Foo = "identity" }\n'
        '[[budget]]\nlevel = "warn"\nmax_madds = 1\n'
        '[[budget]]\nnets = "a*"\nlayers = "*"\nlevel = "warn"\nmax_params = 1\n',
    )
    return tool


@pytest.mark.parametrize("form", FORMS)
def test_names_stay_data(broken: Tool, form: str) -> None:
    ran = broken("check", "-f", form)
    assert ran.code == 2
    assert "\x1b" not in ran.out + ran.err
    assert "\x01" not in ran.out + ran.err
    if form == "github":
        assert sum(line.startswith("::") for line in ran.out.splitlines()) == 8
        assert not re.search(r"file=[^,]*a,b", ran.out)
    if form == "markdown":
        assert "<b>" not in ran.out
        assert "@x" not in ran.out


def test_json_is_as_its_schema_says(broken: Tool) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    found = json.loads(broken("check", "-f", "json").out)
    jsonschema.validate(found, SCHEMA)
    assert [net["status"] for net in found["nets"]] == ["over", "error", "incomplete"]
    first = {check["rule"]: check for check in found["nets"][0]["checks"] if not check["layer"]}
    assert (first["max_params"]["value"], first["max_params"]["over"]) == (72, 1)
    assert first["max_share"]["value"] == 1
    assert found["nets"][1]["errors"][0]["place"]["line"] == 2


def test_junit_is_as_test_tools_read_it(broken: Tool) -> None:
    xmlschema = pytest.importorskip("xmlschema", reason="xmlschema is not installed")
    text = broken("check", "-f", "junit").out
    xmlschema.XMLSchema(str(DATA / "junit.xsd")).validate(text.partition("\n")[2])
    assert re.search(r'<testsuites name="netcount" tests="12" failures="5" errors="1">', text)


def test_sarif_validates(broken: Tool) -> None:
    schema = json.loads((DATA / "sarif.json").read_text(encoding="utf-8"))
    found = json.loads(broken("check", "-f", "sarif").out)
    jsonschema.validate(found, schema)
    (ran,) = found["runs"]
    rules = [rule["id"] for rule in ran["tool"]["driver"]["rules"]]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in ran["results"])
    assert {"netcount/max_params", "netcount/input", "netcount/incomplete"} <= set(rules)
    places = [result["locations"][0]["physicalLocation"] for result in ran["results"]]
    assert places[0]["artifactLocation"]["uri"] == "a%2Cb%25.prototxt"
    assert places[0]["region"]["startLine"] == 2
    fingerprints = [tuple(result["partialFingerprints"].values()) for result in ran["results"]]
    assert len(set(fingerprints)) == len(fingerprints)


def test_sarif_in_another_library(broken: Tool) -> None:
    library = pytest.importorskip("sarif_pydantic", reason="sarif-pydantic is not installed")
    found = library.Sarif.model_validate_json(broken("check", "-f", "sarif").out)
    assert len(found.runs[0].results) == 8


def test_a_passing_check_is_valid_too(tool: Tool) -> None:
    tool.net()
    found = json.loads(tool("check", "a.prototxt", "--max-params", "72", "-f", "json").out)
    jsonschema.validate(found, SCHEMA)
    assert found["ok"] is True
    ran = json.loads(tool("check", "a.prototxt", "--max-params", "72", "-f", "sarif").out)
    assert ran["runs"][0]["results"] == []


def test_the_step_summary_is_appended(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    tool.net()
    summary = tool.folder / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert tool("check", "a.prototxt", "--max-params", "71", "-f", "github").code == 1
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert "| over | a.prototxt |" in text


def test_output_goes_to_a_file(tool: Tool) -> None:
    tool.net()
    ran = tool("check", "a.prototxt", "--max-params", "71", "-f", "junit", "-o", "r.xml")
    assert (ran.code, ran.out) == (1, "")
    assert "FAIL" in ran.err  # the log of the job still says why
    assert (tool.folder / "r.xml").read_text(encoding="utf-8").startswith("<?xml")
