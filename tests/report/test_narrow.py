"""Every command on 80, 60 and 40 columns: no line is wider, no figure and no shape is cut, names stay distinct."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from netcount.cli import output
from netcount.cli.main import netcount
from netcount.report.formats import terminal
from netcount.report.formats.fit import BELOW, LEFT_OUT, fitted
from netcount.report.formats.layout import Part, Table, lines, wrapped
from netcount.report.formats.shorten import shortened
from netcount.report.formats.text import width
from tests.helpers import SAMPLES, inputs
from tests.report.test_questions import ASKED, SMALL

WIDTHS = (80, 60, 40)


def sample(name: str) -> str:
    return str(SAMPLES / f"{name}.prototxt")


def long_named(outputs: int = 6) -> str:
    """A net whose layers' names are longer than any column, and alike at both ends."""
    text, bottom = inputs(画像の入力データ=(1, 3, 37, 41)), "画像の入力データ"
    for stage in ("3a", "3b", "4a"):
        for kernel in (1, 3, 5):
            top = (
                f"inception_module_{stage}_of_the_network/double_{kernel}x{kernel}_branch_convolution_with_reduce"
            )
            text += (
                f'layer {{ name: "{top}" type: "Convolution" bottom: "{bottom}" top: "{top}" convolution_param '
                f"{{ num_output: {outputs} kernel_size: {kernel} pad: {kernel // 2} group: 3 }} }}\n"
                f'layer {{ name: "{top}_relu" type: "ReLU" bottom: "{top}" top: "{top}" }}\n'
            )
            bottom = top
    return text


@pytest.fixture
def nets(tmp_path: Path) -> dict[str, str]:
    """Two nets with long names, in files with long names."""
    files = {}
    for name, outputs in (("before", 6), ("after", 9)):
        path = tmp_path / f"the_network_of_the_paper_with_a_long_name_{name}_the_change.prototxt"
        path.write_text(long_named(outputs), encoding="utf-8")
        files[name] = str(path)
    return files


LONG = "inception_module_3a_of_the_network/double_3x3_branch_convolution_with_reduce"
COMMANDS: dict[str, list[list[str]]] = {name: [arguments] for name, arguments in ASKED.items()} | {
    "analyze": [
        ["analyze", "before"],
        ["analyze", "before", "--convention", "flops"],
        [
            "analyze",
            "before",
            "--columns",
            "name,line,bottoms,tops,params,madds,share,adds,activations,weight_bytes",
        ],
        ["analyze", sample("googlenet")],
        ["analyze", sample("resnet50"), "--no-fold"],
    ],
    "explain": [["explain", "before", LONG], ["explain", sample("squeezenet_v1.1"), "fire7"]],
    "blocks": [["blocks", "before"], ["blocks", sample("googlenet")]],
    "reconcile": [
        ["analyze", "before", "--reconcile", "madds,flops"],
        ["analyze", sample("resnet50"), "--reconcile", "madds,netscope,flops"],
    ],
    "memory": [["memory", "before"], ["memory", sample("googlenet"), "--density", "0.3"]],
    "rescale": [["rescale", sample("squeezenet_v1.1"), "--width", "1/2", "--format", "table"]],
    "sweep": [
        ["sweep", "before", "--width", "1,1/3"],
        ["sweep", sample("mobilenet_v1"), "--width", "1,.5", "--resolution", "224,96x160", "--max-madds", "300M"],
        ["sweep", sample("mobilenet_v1"), "--fit-width", "max_madds=300M", "--resolution", "224,96x160"],
    ],
    "check": [["check", "before", "--no-config", "--max-params", "1k", "--max-madds", "1G"]],
    "compare": [
        ["compare", "before", "after"],
        ["compare", "before", "after", "before", "after"],
        ["compare", sample("squeezenet_v1.0"), sample("squeezenet_v1.1")],
    ],
    "survey": [["survey", "before", "after", "--jobs", "1"], ["survey", str(SAMPLES), "--jobs", "1"]],
    "verify": [["verify", "before"]],
    "layers": [["layers"]],
}
"""What every command is asked; a new one, what tests/report/test_questions.py asks it."""
ALL = [(command, at) for command, asked in COMMANDS.items() for at in range(len(asked))]


def parts_of(arguments: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> list[Part]:
    """What the command would show on a terminal."""
    shown: list[Part] = []
    monkeypatch.setattr(output, "show", shown.extend)
    done = CliRunner().invoke(netcount, list(arguments), input=SMALL)
    assert done.exit_code in (0, 1), done.output
    assert shown
    return shown


def on_screen(parts: Sequence[Part], columns: int) -> str:
    """The parts as rich prints them on a terminal so wide."""
    stream = io.StringIO()
    terminal.show(parts, Console(file=stream, width=columns, force_terminal=True, color_system=None))
    return stream.getvalue()


def solid(text: str) -> str:
    return "".join(text.split())


def missing(table: Table, text: str) -> list[str]:
    """Cells that hold figures or shapes and do not stand in the text, but for columns said to be left out."""
    _, _, left_out = text.rpartition("no room for:")
    titles = {title.strip() for title in " ".join(left_out.split()).replace(" and ", ",").split(",")}
    wanted: Counter[str] = Counter()
    for column, title in enumerate(table.titles):
        if column not in table.names and title not in ("type", "source", *titles):
            wanted.update(solid(row[column]) for row in (*table.rows, *filter(None, [table.footer])))
    packed = solid(text)
    return [cell for cell, number in wanted.items() if any(map(str.isdigit, cell)) and packed.count(cell) < number]


@pytest.mark.parametrize(("command", "at"), ALL, ids=[f"{command}-{at}" for command, at in ALL])
def test_a_narrow_terminal(command: str, at: int, nets: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    parts = parts_of([nets.get(argument, argument) for argument in COMMANDS[command][at]], monkeypatch)
    for columns in WIDTHS:
        shown = on_screen(parts, columns).splitlines()
        assert [line for line in shown if width(line) > columns] == []
        for table in (part for part in parts if isinstance(part, Table)):
            text = "\n".join(line.text for line in lines([table], columns))
            assert missing(table, text) == []
            names = {row[0] for row in table.rows if row[0]}
            if not table.right[0] and 0 in table.names and not any(" " in name for name in names):
                rows = [line for line in lines([table], columns) if line.role == "row" and line.text[0] != " "]
                assert len({line.text.split()[0] for line in rows}) == len(names)


def test_what_the_check_of_this_file_finds() -> None:
    table = Table(("layer", "madds"), (False, True), (("a", "1.20M"), ("b", "1.20M")))
    assert missing(table, "a 1.20M\nb 1.20M") == []
    assert missing(table, "a 1.20M\nb 1.2…") == ["1.20M"]
    assert missing(table, "a\nb\nno room for: madds") == []


@pytest.mark.parametrize("cells", [4, 8, 14, 30])
def test_shortened_names_stay_distinct(cells: int) -> None:
    names = [f"module_{i}{j}/{k}x{k}_reduce_and_more" for i in range(9) for j in "ab" for k in (1, 3)]
    names += ["x" * 40 + end for end in ("", "y", "z" * 30)] + ["層" * 20, "層" * 21, "short", "short", ""]
    short = shortened(names, cells)
    assert all(width(name) <= cells for name in short)
    assert len(set(short)) == len(set(names))
    assert short[-1] == ""


def test_what_tells_names_apart_is_kept() -> None:
    assert shortened(["a" * 20 + x + "b" * 20 for x in "xy"], 12) == ["aaaa…xbbbbb…", "aaaa…ybbbbb…"]
    assert shortened(["Convolution"], 6, middle=False) == ["Convo…"]
    assert shortened(["inception_3a/double3x3_reduce"], 15) == ["incepti…_reduce"]


def test_no_word_of_a_shortened_name_stands_twice() -> None:
    ends = ("dw", "dw/bn", "dw/scale", "sep", "sep/bn", "sep/scale")
    names = ["conv1", "conv1/scale", *(f"conv{i}_{j}/{end}" for i in (2, 3, 4) for j in (1, 2) for end in ends)]
    for cells in range(6, 14):
        for name, short in zip(names, shortened(names, cells), strict=True):
            kept = re.sub(r"…\d*$", "…", short)  # numbered where nothing else helps
            assert re.fullmatch(".*".join(map(re.escape, kept.split("…"))), name), (name, short)
    assert shortened(names, 9)[1:4] == ["conv1…ale", "co…2_1/dw", "conv2_1…1"]


def test_columns_give_way_in_the_order_that_is_named() -> None:
    titles, cells, solid_cells = (5, 4, 5), (20, 11, 6), (False, False, True)
    fit = fitted(titles, cells, solid_cells, ((1, 6), (0, 10), (1, LEFT_OUT)), 27)
    assert (fit.widths, fit.left_out) == ({0: 11, 1: 6, 2: 6}, [])
    fit = fitted(titles, cells, solid_cells, ((1, 6), (0, 10), (1, LEFT_OUT)), 20)
    assert (fit.widths, fit.left_out) == ({0: 12, 2: 6}, [1])
    fit = fitted(titles, cells, solid_cells, ((1, BELOW), (2, 3)), 20)
    assert (fit.widths, fit.below) == ({0: 20}, [1, 2])
    assert fitted(titles, cells, solid_cells, (), None).widths == {0: 20, 1: 11, 2: 6}


def test_a_word_that_no_line_holds_is_cut_into_lines() -> None:
    assert wrapped("see /a/long/path/of/files then more", 12) == [
        "see", "  /a/long/pa", "  th/of/file", "  s then", "  more",
    ]  # fmt: skip
