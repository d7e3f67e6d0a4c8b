"""No question is half there: who asks it, in Python and on the command line, and every form of its answer."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args, get_type_hints

import click
import jsonschema
import pytest
from click.testing import CliRunner

from netcount.cli.main import netcount
from netcount.report.document_types import DOCUMENTS
from netcount.report.formats.html import html, page
from netcount.report.formats.layout import Table
from netcount.report.questions import QUESTIONS, Lacks, Question
from netcount.results.result import Result
from tests.cli.test_analyze import HOSTILE, hostile_net
from tests.helpers import ROOT, SAMPLES, inputs, schema

ALEXNET, NIN = str(SAMPLES / "alexnet.prototxt"), str(SAMPLES / "nin.prototxt")
ASKED = {
    "analyze": ["analyze", ALEXNET],
    "explain": ["explain", str(SAMPLES / "squeezenet_v1.1.prototxt"), "fire7"],
    "blocks": ["blocks", str(SAMPLES / "squeezenet_v1.1.prototxt")],
    "reconcile": ["analyze", ALEXNET, "--reconcile", "madds,flops"],
    "memory": ["memory", ALEXNET],
    "backward": ["analyze", ALEXNET, "--train"],
    "arena": ["memory", ALEXNET, "--arena"],
    "training": ["memory", ALEXNET, "--train"],
    "fit": ["fit", ALEXNET, "--target", "xilinx-dpuczdx8g-b4096"],
    "lint": ["lint", ALEXNET],
    "targets": ["fit", "--list"],
    "rescale": ["rescale", str(SAMPLES / "squeezenet_v1.1.prototxt"), "--width", "1/2"],
    "sweep": ["sweep", NIN, "--width", "1,.5"],
    "check": ["check", ALEXNET, "--no-config", "--max-params", "61M", "--max-madds", "1G"],
    "compare": ["compare", ALEXNET, NIN],
    "survey": ["survey", ALEXNET, NIN, "--jobs", "1"],
    "from-caffemodel": ["from-caffemodel", str(ROOT / "tests" / "data" / "tiny.caffemodel")],
    "verify": ["verify", "-"],
    "time": ["time", "-", "--engine", "numpy", "--rounds", "1"],
    "times": [
        "compare",
        str(ROOT / "tests" / "data" / "time_a.json"),
        str(ROOT / "tests" / "data" / "time_b.json"),
    ],
    "layers": ["layers"],
    "samples": ["samples"],
}
SMALL = inputs(x=(1, 2, 5, 7)) + (
    'layer { name: "c" type: "Convolution" bottom: "x" top: "c"\n'
    "convolution_param { num_output: 3 kernel_size: 3 } }\n"
)
FORMS = ("report", "csv", "document", "result")


def half_there(name: str, question: Question) -> list[str]:
    """What is missing of a question; a `Lacks` has to say why."""
    problems = []
    for field in ("command", "method", *FORMS):
        value = getattr(question, field)
        if isinstance(value, Lacks):
            problems += [] if len(value) > 10 else [f"{field} lacks a reason"]
            continue
        try:
            if field != "method" and not callable(question.loaded(field)):
                problems.append(f"{field} cannot be called")
            question.loaded(field)
        except (ImportError, AttributeError, ValueError) as failure:
            problems.append(f"{field}: {failure}")
    if not problems and not isinstance(question.result, Lacks):
        result = question.loaded("result")
        if not issubclass(result, Result) or QUESTIONS[result.question].command != question.command:
            problems.append(f"{question.result} is no result of it")
    if not isinstance(question.schema, Lacks) and question.schema not in DOCUMENTS:
        problems.append(f"no document has the schema {question.schema}")
    problems += [] if question.about.endswith(".") else ["about is no sentence"]
    page, _, anchor = question.docs.partition("#")
    if anchor not in anchors(ROOT / "docs" / page):
        problems.append(f"docs: no {question.docs}")
    if not problems and question.option not in ("", *options(question.loaded("command"))):
        problems.append(f"{name} is no option of its command")
    return problems


def anchors(path: Path) -> list[str]:
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE) if path.is_file() else []
    return [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]


def options(command: click.Command) -> list[str]:
    return [parameter.name or "" for parameter in command.params]


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_is_wholly_there(name: str) -> None:
    assert half_there(name, QUESTIONS[name]) == []


@pytest.mark.parametrize(
    "change",
    [
        {"method": ":Net.anal"},
        {"report": "report.blocks:no_report"},
        {"csv": ""},
        {"result": ""},
        {"result": ":Block"},
        {"result": Lacks("")},
        {"document": Lacks("")},
        {"schema": "block"},
        {"docs": "usage.md#block"},
        {"docs": "used.md#blocks"},
        {"command": "cli.block:blocks"},
        {"option": "no_such"},
        {"about": ""},
    ],
)
def test_a_half_question_is_found(change: dict[str, str]) -> None:
    assert half_there("blocks", QUESTIONS["blocks"]._replace(**change))


def test_every_command_and_every_document_is_of_a_question() -> None:
    commands = {name for name, question in QUESTIONS.items() if not question.option}
    assert set(netcount.list_commands(click.Context(netcount))) == commands
    files = {path.stem for path in (ROOT / "netcount" / "cli").glob("*.py")}
    others = {"__init__", "entry", "main", "output", "options", "limits", "flags", "completion"}
    assert {name.replace("_", "-") for name in files - others} == commands
    schemas = {question.schema for question in QUESTIONS.values() if not isinstance(question.schema, Lacks)}
    assert schemas == set(DOCUMENTS) - {"baseline", "error"}, "which answer no question"
    assert set(ASKED) == {name for name, question in QUESTIONS.items() if not isinstance(question.report, Lacks)}


def test_a_document_names_the_schema_of_its_type() -> None:
    for name, kind in DOCUMENTS.items():
        (written,) = get_args(get_type_hints(kind)["schema"])
        assert schema(name)["properties"]["schema"] == {"const": written}


def asked(name: str, form: str, text: str = SMALL) -> str:
    done = CliRunner().invoke(netcount, [*ASKED[name], "--format", form], input=text)
    assert done.exit_code in (0, 1), done.output
    return done.stdout


@pytest.mark.parametrize("name", ASKED)
def test_every_answer_has_every_form(name: str) -> None:
    people = "text" if name in ("explain", "check", "fit", "lint", "targets") else "table"
    assert len(asked(name, people).splitlines()) > 1
    records = list(csv.DictReader(io.StringIO(asked(name, "csv"))))
    assert records
    assert None not in records[0]
    assert "|" in asked(name, "markdown")
    for line in asked(name, "json").splitlines() if QUESTIONS[name].many else [asked(name, "json")]:
        jsonschema.validate(json.loads(line), schema(QUESTIONS[name].schema))


class Checker(HTMLParser):
    """Reads a page: its tags are closed, and there is nothing in it that acts or loads."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells = 0
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "img", "link", "iframe", "object", "a", "form")
        assert not {name for name, _ in attrs if name.startswith("on") or name in ("src", "href")}
        self.cells += tag in ("td", "th")
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def checked(text: str) -> Checker:
    reader = Checker()
    reader.feed(text)
    reader.close()
    assert not reader.open
    return reader


@pytest.mark.parametrize("name", ASKED)
def test_a_page_stands_by_itself(name: str) -> None:
    text = asked(name, "html")
    assert text.startswith("<!doctype html>")
    assert checked(text).cells > 3 or name == "explain"


@pytest.mark.parametrize(
    "ask",
    [
        ["analyze", "-"],
        ["explain", "-", HOSTILE],
        ["memory", "-"],
        ["verify", "-"],
        ["check", "-", "--no-config", "--max-params", "1"],
    ],
)
def test_hostile_names_are_text_on_a_page(ask: list[str]) -> None:
    done = CliRunner().invoke(netcount, [*ask, "--format", "html"], input=hostile_net())
    assert done.exit_code in (0, 1), done.output
    seen = checked(done.stdout)
    assert "<img" in seen.text
    assert not {"\x1b", "\u202e"} & set(done.stdout)


def test_a_row_is_as_hot_as_its_share() -> None:
    table = Table(("a", "b"), (False, True), (("x", "1"), ("<b>", "3")), heat=(0.0, 0.75))
    text = page(["<title>", "", table])
    assert text.count("data-heat") == 2, "in the style, and one row"
    assert 'style="background-size: 75.00% 100%"' in text
    assert "&lt;title&gt;" in text
    assert "data-heat" not in html([table])


def test_output_goes_to_files_in_every_form(tmp_path: Path) -> None:
    for form in ("html", "csv", "markdown", "json"):
        path = tmp_path / form
        arguments = [*ASKED["check"], "--format", form, "-o", str(path)]
        assert CliRunner().invoke(netcount, arguments).exit_code == 0
        assert path.read_text(encoding="utf-8") == asked("check", form)


def test_what_is_loaded_is_the_function() -> None:
    report: Callable[..., Any] = QUESTIONS["blocks"].loaded("report")
    assert report.__module__ == "netcount.report.blocks"
