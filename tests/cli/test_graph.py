"""`netcount graph` as people meet it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.command import COMMAND, UNMEASURED, Tool, run
from tests.helpers import SAMPLES, inputs, valid

SQUEEZENET = str(SAMPLES / "squeezenet_v1.1.prototxt")
BROKEN = inputs(x=(1, 3, 9, 11)) + (
    'layer { name: "odd" type: "Fancy" bottom: "x" top: "odd" }\n'
    'layer { name: "c" type: "Convolution" bottom: "x" top: "c"\n'
    "convolution_param { num_output: 2 kernel_size: 3 } }\n"
)


def drawable() -> bool:
    if find_spec("cairosvg") is None:
        return False
    try:
        import cairosvg  # noqa: F401
    except OSError:
        return False
    return True


needs_cairo = pytest.mark.skipif(not drawable(), reason="cairosvg or the system's cairo is not here")


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: object) -> Tool:
    return Tool(tmp_path, monkeypatch, capsys)


def test_svg_goes_to_standard_output() -> None:
    done = run("graph", SQUEEZENET)
    assert done.returncode == 0
    assert not done.stderr
    assert ElementTree.fromstring(done.stdout).tag.endswith("svg")


@pytest.mark.parametrize(
    ("name", "begins"),
    [("a.svg", "<svg "), ("a.dot", "digraph"), ("a.GV", "digraph"), ("a.mmd", "flowchart"), ("a.json", "{")],
)
def test_the_ending_says_what_is_written(name: str, begins: str, tool: Tool) -> None:
    assert tool("graph", SQUEEZENET, "-o", name).code == 0
    assert (tool.folder / name).read_text(encoding="utf-8").startswith(begins)
    again = tool("graph", SQUEEZENET, "-f", "mermaid", "-o", name)
    assert again.code == 0
    assert (tool.folder / name).read_text(encoding="utf-8").startswith("flowchart"), "--format goes first"


def test_an_unknown_ending_asks_for_a_format(tool: Tool) -> None:
    done = tool("graph", SQUEEZENET, "-o", "picture.txt")
    assert done.code == 2
    assert "ends in none of .svg" in done.err
    assert not (tool.folder / "picture.txt").exists()


@needs_cairo
@pytest.mark.parametrize(("form", "begins"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_png_and_pdf(form: str, begins: bytes, tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tool("graph", SQUEEZENET, "-o", f"a.{form}").code == 0
    made = (tool.folder / f"a.{form}").read_bytes()
    assert made.startswith(begins)
    if form == "png":
        assert int.from_bytes(made[16:20], "big") == 2 * int(svg_of(tool).get("width", "0"))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    refused = tool("graph", SQUEEZENET, "-f", form)
    assert refused.code == 2
    assert f"--output: {form} is no text for a terminal" in refused.err


def svg_of(tool: Tool) -> ElementTree.Element:
    return ElementTree.fromstring(tool("graph", SQUEEZENET).out)


@needs_cairo
@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX pipe")
def test_a_pipe_gets_the_bytes(tmp_path: Path) -> None:
    done = subprocess.run([*COMMAND, "graph", SQUEEZENET, "-f", "png"], capture_output=True, check=True)
    assert done.stdout.startswith(b"\x89PNG")


@needs_cairo
def test_a_picture_larger_than_cairo_draws_is_made_smaller(tool: Tool) -> None:
    text = inputs(y0=(1, 3, 9, 11))
    for number in range(500):
        text += f'layer {{ name: "l{number}" type: "LRN" bottom: "y{number}" top: "y{number + 1}" }}\n'
    assert tool("graph", tool.write("long.prototxt", text), "-o", "a.png").code == 0
    made = (tool.folder / "a.png").read_bytes()
    assert 30_000 < int.from_bytes(made[20:24], "big") <= 32_000


def test_without_the_extra_one_line_says_what_to_install(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    done = tool("graph", SQUEEZENET, "-o", "a.png")
    assert done.code == 2
    assert "netcount[picture]" in done.err
    assert not (tool.folder / "a.png").exists()


def test_the_document_is_what_its_schema_says() -> None:
    document = valid(json.loads(run("graph", SQUEEZENET, "-f", "json", "--collapse", "all").stdout), "view")
    assert document["color"] == "madds"
    assert [box["name"] for box in document["boxes"] if box["block"]] == [f"fire{n}" for n in range(2, 10)]


@pytest.mark.parametrize("form", ["svg", "json"])
def test_what_is_refused_is_drawn_as_far_as_it_goes(form: str, tool: Tool) -> None:
    file = tool.write("a.prototxt", BROKEN)
    kept = tool.folder / f"picture.{form}"
    kept.write_text("as it was")
    done = tool("graph", file, "-o", kept.name)
    assert done.code == 2
    assert 'a.prototxt:2:21: unknown layer type "Fancy"' in done.err
    assert not done.out, "the document tells of the mistakes"
    made = kept.read_text(encoding="utf-8")
    assert "Fancy" in made
    if form == "json":
        document = valid(json.loads(made), "view")
        assert document["analysis"]["totals"]["madds"] == 2 * 3 * 9 * 7 * 9
        assert "--assume" in document["errors"][0]["advice"][0]["option"]
    assert tool("graph", file, "--assume", "Fancy=identity", "-o", kept.name).code == 3


def test_what_is_no_prototxt_leaves_the_file_as_it_was(tool: Tool) -> None:
    kept = tool.folder / "a.svg"
    kept.write_text("as it was")
    for arguments in (["a.prototxt"], ["missing.prototxt"], [SQUEEZENET, "--collapse", "fire77"]):
        tool.write("a.prototxt", "layer {")
        done = tool("graph", *arguments, "-o", "a.svg")
        assert done.code == 2
        assert len(done.err.strip().splitlines()) == 1
        assert kept.read_text() == "as it was"
    document = json.loads(tool("graph", "a.prototxt", "-f", "json").out)
    assert valid(document, "error")["place"]["line"] == 1


def test_an_unknown_block_names_the_nearest() -> None:
    assert 'did you mean "fire7"?' in run("graph", SQUEEZENET, "--collapse", "fire77").stderr


def test_options_of_a_net_are_taken() -> None:
    assert "113×113×64" in run("graph", SQUEEZENET).stdout
    assert "55×55×64" in run("graph", SQUEEZENET, "--input-shape", "1,3,111,111").stdout
    assert run("graph", SQUEEZENET, "--no-fuse").stdout.count("<g><title>") == 67


def test_neither_numpy_nor_pandas_is_loaded() -> None:
    code = (
        "import sys\n"
        "from netcount.cli.entry import run\n"
        "try:\n    run()\nfinally:\n    print({'numpy', 'pandas', 'cairosvg'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "graph", SQUEEZENET],
        env=UNMEASURED,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.strip() == "set()"
