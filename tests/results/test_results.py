"""Every answer prints itself, and is a document, a frame and a table, as the descriptor of its question says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype

import netcount
from netcount.cli.main import netcount as command
from netcount.report.questions import QUESTIONS, Lacks
from netcount.results.result import Result, frame_of
from tests.helpers import SAMPLES, valid

V10, V11 = (str(SAMPLES / f"squeezenet_v1.{minor}.prototxt") for minor in (0, 1))

Net = netcount.Net
ANSWERS: dict[str, tuple[Callable[[Net], Result], list[str]]] = {
    "analyze": (Net.analyze, ["analyze", V11]),
    "memory": (lambda net: net.memory(8), ["memory", V11, "--bits", "8"]),
    "backward": (Net.backward, ["analyze", V11, "--train"]),
    "arena": (
        lambda net: net.arena(8, scratch=False),
        ["memory", V11, "--arena", "--bits", "8", "--no-scratch"],
    ),
    "training": (
        lambda net: net.training("adam", batch=3, fits="8 GiB"),
        ["memory", V11, "--train", "--solver", "adam", "--batch", "3", "--fits", "8 GiB"],
    ),
    "fit": (lambda net: net.fit("kendryte-k210"), ["fit", V11, "--target", "kendryte-k210"]),
    "lint": (Net.lint, ["lint", V11]),
    "blocks": (Net.blocks, ["blocks", V11]),
    "explain": (lambda net: net.explain("fire7"), ["explain", V11, "fire7"]),
    "graph": (Net.graph, ["graph", V11]),
    "reconcile": (
        lambda net: net.reconcile("macs", "flops"),
        ["analyze", V11, "--reconcile", "macs,flops"],
    ),
    "rescale": (lambda net: net.rescale(width="1/3"), ["rescale", V11, "--width", "1/3"]),
    "sweep": (
        lambda net: net.sweep([1, "1/3"], [(227, 200)], limits={"madds": "100M"}),
        ["sweep", V11, "--width", "1,1/3", "--resolution", "227x200", "--max-madds", "100M"],
    ),
    "compare": (lambda net: netcount.load(V10).compare(net), ["compare", V10, V11]),
    "survey": (lambda net: netcount.survey([V10, V11], jobs=1), ["survey", V10, V11, "--jobs", "1"]),
    "verify": (Net.verify, ["verify", V11]),
    "time": (
        lambda net: net.time(V10, engines=["numpy"], rounds=1),
        ["time", V11, V10, "--engine", "numpy", "--rounds", "1"],
    ),
}
"""A question in Python, and on the command line."""
MEASURED = ("verify", "time")
"""Answers with seconds, which differ from run to run."""


@pytest.fixture(scope="module")
def net() -> Net:
    return netcount.load(V11)


@pytest.fixture(scope="module")
def answers(net: Net) -> dict[str, Result]:
    return {name: ask(net) for name, (ask, _) in ANSWERS.items()}


def printed(name: str, *more: str) -> str:
    done = CliRunner().invoke(command, [*ANSWERS[name][1], *more])
    assert done.exit_code in (0, 1), done.output
    return done.stdout


def results() -> dict[str, type[Result]]:
    """The classes that are results, by the question they say they answer."""
    classes = [getattr(netcount, name) for name in netcount.__all__]
    return {c.question: c for c in classes if isinstance(c, type) and issubclass(c, Result) and c is not Result}


def test_every_question_has_its_result() -> None:
    told = {name: question for name, question in QUESTIONS.items() if not isinstance(question.result, Lacks)}
    assert {name: question.loaded("result") for name, question in told.items()} == results()
    assert set(told) == set(ANSWERS)


@pytest.mark.parametrize("kind", results().values())
def test_every_result_is_whole(kind: type[Result]) -> None:
    assert not kind.__abstractmethods__
    assert kind.__doc__
    assert kind.__str__ is Result.__str__ or kind in (netcount.Rescaled, netcount.Picture), (
        "derived from the descriptor"
    )
    assert kind.to_dict is Result.to_dict
    assert kind.__repr__ is Result.__repr__


def test_a_result_that_lacks_something_cannot_be_made() -> None:
    class Half(Result):
        question = "analyze"

        def _line(self) -> str:
            return ""

    with pytest.raises(TypeError, match="to_frame"):
        Half()  # type: ignore[abstract]


@pytest.mark.parametrize("name", [name for name in ANSWERS if name not in MEASURED])
def test_it_prints_what_the_command_prints(name: str, answers: dict[str, Result]) -> None:
    assert str(answers[name]) == printed(name)


@pytest.mark.parametrize("name", ANSWERS)
def test_it_is_the_commands_document(name: str, answers: dict[str, Result]) -> None:
    document = json.loads(json.dumps(answers[name].to_dict()))
    valid(document, QUESTIONS[name].schema)
    if name not in MEASURED:
        assert document == json.loads(printed(name, "--format", "json"))


@pytest.mark.parametrize("name", ANSWERS)
def test_it_says_what_it_is_in_a_line(name: str, answers: dict[str, Result]) -> None:
    line = repr(answers[name])
    assert line.startswith(f"<{type(answers[name]).__name__} of ")
    assert line.endswith(">")
    assert "\n" not in line


@pytest.mark.parametrize("name", ANSWERS)
def test_a_notebook_shows_it(name: str, answers: dict[str, Result]) -> None:
    page = answers[name]._repr_html_()
    if name == "graph":
        assert page.startswith('<img alt="SqueezeNet_v1.1 · ')
        return
    assert page.count("<tr>") > 2 or name in ("explain", "lint")
    assert page.count("<table>") == page.count("</table>")


WORDS = frozenset(
    "name type blob bottom_blobs top_blobs file net phase error layer was change fields rule params_formula "
    "madds_formula note shared_with block effect value bound source state "
    "engine version kind code level message write".split()
)
THINGS = frozenset(
    "kernel stride pad dilation bottoms tops tops_was inputs outputs plain_kernel differing input resolution over "
    "inferred executed names blobs".split()
)


@pytest.mark.parametrize("name", ANSWERS)
def test_numbers_in_a_frame_are_numbers(name: str, answers: dict[str, Result]) -> None:
    frame = answers[name].to_frame()
    assert len(frame)
    for column in frame.columns:
        if column in THINGS:
            assert all(value is None or isinstance(value, tuple) for value in frame[column]), column
        elif column not in WORDS:
            assert is_numeric_dtype(frame[column]) or is_bool_dtype(frame[column]), column
        if column in ("params", "madds", "live_bytes", "line"):
            assert is_integer_dtype(frame[column]), column


def test_what_is_missing_in_a_column_of_numbers_leaves_them_whole() -> None:
    frame = frame_of(("n", "t", "big"), [{"n": 3, "t": (1,), "big": 2**70}, {}])
    assert str(frame["n"].dtype) == "Int64"
    assert frame["n"].isna().tolist() == [False, True]
    assert frame["big"][0] == 2**70
    assert frame_of(("n",), []).empty


def test_a_width_is_a_factor(answers: dict[str, Result]) -> None:
    frame = answers["sweep"].to_frame()
    assert frame["width"].tolist() == [1.0, 1 / 3]
    assert frame["resolution"].tolist() == [(227, 200)] * 2
    assert frame["fits"].tolist() == [False, True]


def test_frames_hold_the_exact_figures(net: Net, answers: dict[str, Any]) -> None:
    assert answers["memory"].to_frame()["live_bytes"].max() == answers["memory"].peak_bytes
    assert answers["blocks"].to_frame()["madds"].tolist() == [block.totals.madds for block in answers["blocks"]]
    assert answers["reconcile"].to_frame()["madds"].sum() == net.analyze().totals.madds
    compared = answers["compare"].to_frame()
    assert compared["madds_delta"].sum() == 387_747_520 - 832_667_936
    assert compared.attrs["after"]["params"] == 1_235_496
    assert answers["survey"].to_frame()["madds"].tolist() == [832_667_936, 387_747_520]
    assert answers["verify"].to_frame()["madds_performed"].sum() == 387_747_520
    assert answers["rescale"].to_frame()["num_output"].tolist()[:2] == [21, 5]


def test_blocks_are_a_sequence(net: Net) -> None:
    blocks = net.blocks()
    assert len(blocks) == 8
    assert [block.name for block in blocks] == [f"fire{number}" for number in range(2, 10)]
    assert blocks[0].name == "fire2"
    assert [block.name for block in blocks[6:]] == ["fire8", "fire9"]


def test_several_nets_are_compared_with_the_first(net: Net) -> None:
    frame = netcount.load(V10).compare(net, SAMPLES / "alexnet.prototxt").to_frame()
    assert set(frame["net"]) == {"squeezenet_v1.1.prototxt", "alexnet.prototxt"}
