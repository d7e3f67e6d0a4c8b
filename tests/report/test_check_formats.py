"""What `netcount check` writes for machines is valid, whatever stands in the files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.command import Tool
from tests.helpers import ROOT, inputs, valid

DATA = ROOT / "tests" / "data"
HOSTILE = "e\\033[31m%0A::error::,|<b>&]]>\\n\\001@x"


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Tool:
    return Tool(tmp_path, monkeypatch, capsys)


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
    valid(found, "check")
    assert [error["place"]["line"] for error in found["errors"]] == [4]
    assert [net["status"] for net in found["nets"]] == (["over"] if mistake == "unmet" else [])
    assert '<testsuite name="netcount.toml"' in tool("check", "-f", "junit").out
    (ran_by,) = json.loads(tool("check", "-f", "sarif").out)["runs"]
    assert ran_by["results"][-1]["ruleId"] == "netcount/input"
    text = tool("check")
    assert ("FAIL  a.prototxt" in text.out) == (mistake == "unmet")  # all nets are checked before it exits


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
    found = json.loads(broken("check", "-f", "json").out)
    valid(found, "check")
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


def test_annotations_name_files_from_the_checkout(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    (tool.folder / "models").mkdir()
    tool.net("models/a.prototxt")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tool.folder))
    monkeypatch.chdir(tool.folder / "models")
    found = tool("check", "a.prototxt", "--max-params", "71", "-f", "github").out
    assert "::error file=models/a.prototxt,line=2," in found
    found = json.loads(tool("check", "a.prototxt", "--max-params", "71", "-f", "sarif").out)
    (place,) = found["runs"][0]["results"][0]["locations"]
    assert place["physicalLocation"]["artifactLocation"] == {
        "uri": "models/a.prototxt",
        "uriBaseId": "%SRCROOT%",
    }
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tool.folder / "elsewhere"))
    found = json.loads(tool("check", "a.prototxt", "--max-params", "71", "-f", "sarif").out)
    (place,) = found["runs"][0]["results"][0]["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"].startswith("file:///")


def test_sarif_in_another_library(broken: Tool) -> None:
    library = pytest.importorskip("sarif_pydantic", reason="sarif-pydantic is not installed")
    found = library.Sarif.model_validate_json(broken("check", "-f", "sarif").out)
    assert len(found.runs[0].results) == 8


def test_a_passing_check_is_valid_too(tool: Tool) -> None:
    tool.net()
    found = json.loads(tool("check", "a.prototxt", "--max-params", "72", "-f", "json").out)
    valid(found, "check")
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


CONV = (
    'layer {{ name: "{name}" type: "Convolution" bottom: "x" top: "y" '
    "convolution_param {{ num_output: {outputs} kernel_size: 3 }} }}\n"
)


def conv(outputs: int, name: str = "c") -> str:
    return inputs(x=(1, 2, 9, 11)) + CONV.format(name=name, outputs=outputs)


def test_a_summary_has_before_now_and_what_is_left(tool: Tool) -> None:
    for name in ("a", "b", "c"):
        tool.write(f"{name}.prototxt", conv(5))
    entry = '[[net]]\npath = "{}.prototxt"\nmax_params = 120\nmax_madds = 6_000\n'
    tool.write("netcount.toml", "".join(entry.format(name) for name in ("a", "b", "c")))
    assert tool("check", "--baseline", "base.json", "--update-baseline").code == 0
    tool.write("b.prototxt", conv(6))
    tool.write("c.prototxt", conv(7))
    ran = tool("check", "--baseline", "base.json", "-f", "markdown")
    assert ran.code == 1
    heading, titles, _, *rows = [line for line in ran.out.splitlines() if line]
    assert heading == "netcount check: 3 nets: 1 within budget, 2 over"
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in (titles, *rows) if row[0] == "|"]
    assert cells == [
        ["", "net", "limit", "before", "now", "change", "allowed", "left"],
        ["ok", "b.prototxt", "max\\_params", "95", "114", "\\+20.00%", "120", "6"],
        ["over", "b.prototxt", "max\\_madds", "5.67k", "6.80k", "\\+20.00%", "6.00k", "-804"],
        ["over", "c.prototxt", "max\\_params", "95", "133", "\\+40.00%", "120", "-13"],
        ["over", "c.prototxt", "max\\_madds", "5.67k", "7.94k", "\\+40.00%", "6.00k", "-1.94k"],
    ]
    assert ran.out.count("<details><summary>") == ran.out.count("</details>") == 3
    assert ran.out.splitlines()[-1] == "as in the baseline, and within budget: a.prototxt"
    assert "before" not in tool("check", "-f", "markdown").out


def test_a_summary_of_many_nets_is_short_and_has_every_failure(tool: Tool) -> None:
    text = ""
    for index in range(90):
        tool.write(f"n{index:02}.prototxt", conv(5 + (index == 89)))
        text += f'[[net]]\npath = "n{index:02}.prototxt"\nmax_params = 100\n'
    tool.write("netcount.toml", text)
    ran = tool("check", "-f", "markdown")
    assert ran.out.count("| ok | ") == 60
    assert "| over | n89.prototxt | max\\_params | 114 | 100 |" in ran.out
    assert "and 29 more limits that are kept" in ran.out
    assert "<details>" in tool("check", "-f", "html").out


def test_one_blame_of_two_limits_is_folded_once(tool: Tool) -> None:
    tool.write("netcount.toml", '[[net]]\npath = "a.prototxt"\nmax_madds = 6_000\nmax_increase_madds = "2%"\n')
    tool.write("a.prototxt", conv(5))
    assert tool("check", "--baseline", "base.json", "--update-baseline").code == 0
    tool.write("a.prototxt", conv(6))
    ran = tool("check", "--baseline", "base.json", "-f", "markdown")
    assert (ran.out.count("| over | "), ran.out.count("<details>")) == (2, 1)
    assert ran.out.count("num\\_output 5 -&gt; 6") == 1
    assert "max\\_madds 6.00k by 804" in ran.out
    assert "max_increase_madds is 2%" in ran.out


def test_a_summary_fits_a_comment(tool: Tool) -> None:
    text = ""
    for index in range(150):
        tool.write(f"n{index:03}.prototxt", conv(5))
        text += f'[[net]]\npath = "n{index:03}.prototxt"\nmax_params = 90\n'
    tool.write("netcount.toml", text)
    ran = tool("check", "-f", "markdown")
    assert ran.out.count("| over | ") == 150
    assert ran.out.count("<details>") == 20
    assert "and 130 more, which the table names" in ran.out
    assert len(ran.out) < 65_536


def test_a_comparison_fits_a_comment(tool: Tool) -> None:
    for name, outputs in (("old", 4), ("new", 5)):
        layers = (CONV.format(name=f"a_long_name/of_a_block_{i}", outputs=outputs) for i in range(1_000))
        text = "".join(layer.replace('"y"', f'"y{i}"') for i, layer in enumerate(layers))
        tool.write(f"{name}.prototxt", inputs(x=(1, 2, 9, 11)) + text)
    ran = tool("compare", "old.prototxt", "new.prototxt", "-f", "markdown")
    above, _, below = ran.out.partition("<details><summary>992 more, the first ")
    assert above.count("| \\~ | ") == 8
    assert 100 < below.count("| \\~ | ") < 992
    assert "**all layers**" in above
    assert len(ran.out) < 65_536
    every = tool("compare", "old.prototxt", "new.prototxt", "-f", "markdown", "--top", "1000").out
    assert every.count("| \\~ | ") == 1_000
    assert "<details>" not in every


def test_names_in_a_fold_are_inert(tool: Tool) -> None:
    tool.write("a.prototxt", conv(5, "<b>@you</b> [x](y)"))
    ran = tool("check", "a.prototxt", "--max-params", "1", "-f", "markdown")
    assert "<b>" not in ran.out
    assert "@you" not in ran.out
    assert "[x](y)" not in ran.out
