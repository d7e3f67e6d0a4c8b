"""What the page is told of a text: figures, or mistakes that can be mended by a click."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from netcount.budget import config
from netcount.budget.targets import Request
from netcount.cli.flags import OPTIONS
from netcount.core import gc_pause
from netcount.core.errors import InputError
from netcount.graph.options import LoadOptions
from netcount.serve.answers import Asker, Misasked
from netcount.serve.gate import Gate
from tests.helpers import inputs

CONV = (
    'layer { name: "c" type: "Convolution" bottom: "x" top: "c"\n'
    "convolution_param { num_output: 4 kernel_size: 3 } }\n"
)
TEXT = inputs(x=(1, 3, 9, 11)) + CONV


def options(chosen: Sequence[tuple[str, str]]) -> LoadOptions:
    if any(value == "wrong" for _, value in chosen):
        raise InputError("no such option")
    return LoadOptions.of(assume={value.split("=")[0]: value.split("=")[1] for _, value in chosen})


ASKER = Asker(options, OPTIONS)


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """A limit for the net, which is read as `options` says."""
    file = tmp_path / "net.prototxt"
    file.write_text(TEXT, encoding="utf-8")
    (tmp_path / "netcount.toml").write_text('[[net]]\npath = "net.prototxt"\nmax_params = 200\n', encoding="utf-8")
    return Gate(str(file), config.load(tmp_path / "netcount.toml"), None, Request())


class Named(NamedTuple):
    name: str
    gate: Gate | None


def mended(text: str, problem: dict[str, Any]) -> str:
    """The text after a click on the fix that edits it."""
    (edit,) = [fix["edit"] for fix in problem["fixes"] if fix["edit"]]
    lines = text.split("\n")
    line, start = lines[edit["line"] - 1], edit["column"] - 1
    lines[edit["line"] - 1] = line[:start] + edit["by"] + line[start + edit["length"] :]
    return "\n".join(lines)


def test_a_right_text_has_figures_and_no_mistake() -> None:
    answer = ASKER.answer(TEXT, "net.prototxt")
    assert answer["errors"] == []
    assert answer["data"]["view"]["analysis"]["totals"]["madds"] == 4 * 7 * 9 * 27


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("num_output", "num_outptu"),
        ("Convolution", "Convolutoin"),
        ("kernel_size", "kernel_sise"),
        ("convolution_param", "convolution_parm"),
    ],
)
def test_a_misspelt_word_is_mended_by_a_click(right: str, wrong: str) -> None:
    text = TEXT.replace(f"{right}", f"{wrong}", 1)
    answer = ASKER.answer(text, "net.prototxt")
    assert answer["data"] is None
    assert mended(text, answer["errors"][0]) == TEXT


def test_a_way_out_is_an_option_to_choose() -> None:
    text = TEXT + 'layer { name: "f" type: "Fancy" bottom: "c" top: "f" }\n'
    (problem,) = ASKER.answer(text, "net.prototxt")["errors"]
    assert ["--assume", "Fancy=identity"] in [option for fix in problem["fixes"] for option in fix["options"]]
    assert "--assume" in problem["message"], "spelt as the command line does"
    answer = ASKER.answer(text, "net.prototxt", [("--assume", "Fancy=identity")])
    assert answer["errors"] == []
    assert len(answer["data"]["view"]["layers"]) == 3
    (refused,) = ASKER.answer(text, "net.prototxt", [("--assume", "wrong")])["errors"]
    assert refused["message"] == "no such option"


def test_what_there_is_of_a_net_is_drawn_where_it_is_wanted() -> None:
    text = TEXT + 'layer { name: "f" type: "Fancy" bottom: "c" top: "f" }\n'
    answer = ASKER.answer(text, "net.prototxt", partial=True)
    assert [box["state"] for box in answer["data"]["view"]["boxes"]] == ["known", "known", "broken"]
    assert ASKER.answer("layer {", "net.prototxt", partial=True)["data"] is None


def test_a_net_at_another_width_and_resolution() -> None:
    text = TEXT + CONV.replace('"c"', '"d"').replace('bottom: "x"', 'bottom: "c"')
    made = ASKER.rescaled(text, "net.prototxt", (), "0.5", "5x7")
    assert made["text"].count("num_output: 2") == 1, "the last one is the net's answer"
    assert made["before"]["madds"] == 4 * 7 * 9 * 27 + 4 * 5 * 7 * 36
    assert made["now"]["madds"] == 2 * 3 * 5 * 27 + 4 * 1 * 3 * 18
    same = ASKER.rescaled(text, "net.prototxt", (), "1", None)
    assert (same["text"], same["now"]) == (text, same["before"])
    for width, resolution in (("0", None), ("x", None), (None, None), ("1", "x"), ("1", "1x1")):
        with pytest.raises(InputError):
            ASKER.rescaled(text, "net.prototxt", (), width, resolution)


def test_how_figures_come_about_is_asked_apart() -> None:
    content = {"file": 0, "text": TEXT, "options": []}
    files = [Named("net.prototxt", None)]
    assert "formulas" not in ASKER.reply("answer", content, files)["data"]
    for asker in (ASKER, Asker(options, OPTIONS)):  # of a text that was asked about, and of one that was not
        reasons = asker.reply("reasons", content, files)
        assert reasons["formulas"][1][2] == "7·9 × 3·3·3·4 = 6,804"
        assert len(reasons["fields"]) == 2
    assert "error" in ASKER.reply("reasons", {**content, "text": "layer {"}, files)


def test_how_the_figures_of_a_part_come_about_though_another_page_asks(gate: Gate) -> None:
    text = TEXT + 'layer { name: "f" type: "Fancy" bottom: "c" top: "f" }\n'
    files = [Named("net.prototxt", gate)]
    asker = Asker(options, OPTIONS)
    content = {"file": 0, "text": text, "options": []}
    answer = asker.reply("answer", {**content, "partial": True}, files)
    assert answer["budget"] == [], "a limit is for a whole net"
    reasons = asker.reply("reasons", content, files)
    assert len(reasons["formulas"]) == len(answer["data"]["view"]["analysis"]["layers"]) == 2
    assert len(asker.reply("answer", {**content, "text": TEXT}, files)["budget"]) == 1
    assert asker.reply("reasons", content, files) == reasons
    assert asker.reply("answer", content, files)["data"] is None
    assert "error" in asker.reply("reasons", {**content, "text": "layer {"}, files)


def test_what_wrong_texts_leave_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc_pause, "_FEWEST", 0)
    monkeypatch.setattr(gc_pause, "_made", gc_pause._Made())
    wrong = TEXT.replace("num_output", "num_output_of_a_wrong_text")
    for _ in range(2):
        ASKER.reply("answer", {"file": 0, "text": wrong}, [Named("net.prototxt", None)])
    left = [one for one in gc.get_objects() if isinstance(one, InputError) and "_of_a_wrong_text" in str(one)]
    assert len(left) <= 1, "those of the first text are gone"


@pytest.mark.parametrize(
    ("way", "content"),
    [
        ("answer", {"file": 1, "text": ""}),
        ("reasons", {"file": 0}),
        ("compare", {"nets": []}),
        ("save", {"file": 0, "text": ""}),
    ],
)
def test_what_there_is_not_is_refused(way: str, content: dict[str, Any]) -> None:
    with pytest.raises(Misasked):
        ASKER.reply(way, content, [Named("net.prototxt", None)])
