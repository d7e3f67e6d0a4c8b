"""`netcount analyze` as people and programs meet it: formats, exit codes, files, hostile names."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import netcount
from tests.command import UNMEASURED, run
from tests.helpers import SAMPLES, inputs, valid

SQUEEZENET = str(SAMPLES / "squeezenet_v1.1.prototxt")


def test_table_to_a_pipe() -> None:
    done = run("analyze", SQUEEZENET)
    assert done.returncode == 0
    assert not done.stderr
    assert "387.75M" in done.stdout
    assert "58.80%" in done.stdout
    assert "77.61%" in done.stdout
    assert "\x1b" not in done.stdout
    assert all(line == line.rstrip() for line in done.stdout.splitlines())


def test_the_package_runs_as_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "netcount", "analyze", "--nothing"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: netcount analyze [OPTIONS]")


def test_json_is_the_contract() -> None:
    document = json.loads(run("analyze", SQUEEZENET, "--format", "json").stdout)
    assert document["schema"] == "netcount/analysis/1"
    assert document["totals"]["madds"] == 387_747_520
    assert document["totals"]["params"] == 1_235_496
    assert document["complete"] is True
    conv10 = next(layer for layer in document["layers"] if layer["name"] == "conv10")
    assert conv10["tops"] == [{"blob": "conv10", "shape": [1, 1000, 14, 14]}]
    assert conv10["kernel"] == [1, 1]
    assert conv10["group"] == 1
    assert conv10["blobs"][0] == {"role": "weight", "shape": [1000, 512, 1, 1], "shared_with": None}
    lines = Path(SQUEEZENET).read_text().splitlines()
    assert lines[conv10["line"] - 1].startswith("layer {")
    assert 'name: "conv10"' in lines[conv10["line"]]
    inside = {(k["scope"], k["kernel"]): k["share_madds"] for k in document["kernels"]}
    assert round(inside["Fire modules", "3x3"], 4) == 0.7761


def test_csv_has_one_header_and_exact_integers() -> None:
    rows = list(csv.DictReader(io.StringIO(run("analyze", SQUEEZENET, "--format", "csv").stdout)))
    assert len(rows) == 67
    assert sum(int(row["madds"]) for row in rows) == 387_747_520
    assert sum(int(row["params"]) for row in rows) == 1_235_496


def test_markdown_is_a_table_with_totals() -> None:
    lines = run("analyze", SQUEEZENET, "--format", "markdown").stdout.splitlines()
    assert any(line.startswith("| layer | type |") for line in lines)
    assert any(line.startswith("| **total of 67 layers**") and "**387.75M**" in line for line in lines)


def test_several_files_give_a_document_a_line() -> None:
    done = run("analyze", SQUEEZENET, str(SAMPLES / "vgg16.prototxt"), "--format", "json")
    assert [json.loads(line)["totals"]["madds"] for line in done.stdout.splitlines()] == [
        387_747_520,
        15_470_264_320,
    ]


def test_several_files_in_the_other_formats(tmp_path: Path) -> None:
    files = [SQUEEZENET, str(SAMPLES / "vgg16.prototxt")]
    rows = list(csv.DictReader(io.StringIO(run("analyze", *files, "--format", "csv").stdout)))
    assert list(dict.fromkeys(row["file"] for row in rows)) == files
    assert sum(int(row["madds"]) for row in rows) == 387_747_520 + 15_470_264_320
    few = run("analyze", *files, "--format", "csv", "--columns", "name,line", "--top", "1").stdout.splitlines()
    assert few[0] == "file,name,line"
    assert [line.split(",")[1] for line in few[1:]] == ["conv10", "conv1_2"]
    for form in ("table", "markdown"):
        output = tmp_path / form
        assert run("analyze", *files, "--format", form, "-o", str(output)).returncode == 0
        text = output.read_text(encoding="utf-8")
        assert text.count("387.75M") >= text.count("15.47G") > 0
        assert text == run("analyze", *files, "--format", form).stdout


def test_standard_input() -> None:
    done = run("analyze", "-", "--format", "json", stdin=inputs(x=(1, 3, 8, 9)))
    assert json.loads(done.stdout)["layers"][0]["tops"][0]["shape"] == [1, 3, 8, 9]
    assert json.loads(done.stdout)["file"] == "<stdin>"


def test_columns_sort_and_top() -> None:
    done = run("analyze", SQUEEZENET, "--columns", "name,params", "--sort", "params", "--top", "2")
    table = done.stdout.split("\n\n")[1].splitlines()
    assert [line.split()[0] for line in table[2:4]] == ["conv10", "fire8/expand3x3"]
    assert run("analyze", SQUEEZENET, "--columns", "colour").returncode == 2


def test_batch_convention_and_phase() -> None:
    def cost(*options: str) -> Any:
        return json.loads(run("analyze", SQUEEZENET, "--format", "json", *options).stdout)

    assert cost("--batch", "4")["totals"]["madds"] == 4 * 387_747_520
    assert cost("--convention", "flops")["totals"]["cost"] > 2 * 387_747_520
    assert cost("--convention", "macs") == cost()
    assert cost("--phase", "train")["phase"] == "TRAIN"
    assert cost("--input-shape", "data=1,3,224,224")["totals"]["madds"] < 387_747_520


@pytest.mark.parametrize(
    "arguments",
    [
        ["analyze"],
        ["analyze", "nowhere.prototxt"],
        ["analyze", SQUEEZENET, "--input-shape", "data=1,3,x"],
        ["analyze", SQUEEZENET, "--input-shape", "dta=1,3,224,224"],
        ["analyze", SQUEEZENET, "--input-shape", "fire2/concat=1,3,224,224"],
        ["analyze", SQUEEZENET, "--batch", "0"],
        ["analyze", SQUEEZENET, "--batch", "many"],
        ["analyze", SQUEEZENET, "--assume", "Foo=identity"],
        ["analyze", SQUEEZENET, "--format", "xml"],
        ["analyze", str(SAMPLES)],
        ["frobnicate"],
    ],
)
def test_bad_usage_is_exit_code_2_and_no_traceback(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_errors_name_file_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "fire.prototxt"
    path.write_text(
        inputs(a=(1, 64, 55, 55), b=(1, 64, 56, 56))
        + ('layer {\n  name: "cat"\n  type: "Concat"\n  bottom: "a"\n  bottom: "b"\n  top: "c"\n}\n')
    )
    done = run("analyze", str(path))
    assert done.returncode == 2
    assert done.stderr.startswith(f'{path}:7:3: Concat "cat": ')
    assert "55×55×64" in done.stderr
    assert "56×56×64" in done.stderr


def test_an_error_leaves_an_existing_output_as_it_was(tmp_path: Path) -> None:
    output = tmp_path / "cost.md"
    output.write_text("before")
    broken = tmp_path / "broken.prototxt"
    broken.write_text("layer {")
    assert run("analyze", str(broken), "-o", str(output), "--format", "markdown").returncode == 2
    assert run("analyze", SQUEEZENET, str(broken), "-o", str(output)).returncode == 2
    assert output.read_text() == "before"
    assert run("analyze", SQUEEZENET, "-o", str(output), "--format", "markdown").returncode == 0
    assert "387.75M" in output.read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["broken.prototxt", "cost.md"]


def test_unknown_types_are_named_together_and_can_be_assumed(tmp_path: Path) -> None:
    text = inputs(x=(1, 3, 8, 9)) + (
        'layer { name: "f" type: "Foo" bottom: "x" top: "y" foo_param { size: 3 } }\n'
        'layer { name: "g" type: "Bar" bottom: "y" top: "z" }\n'
        'layer { name: "h" type: "Relu" bottom: "z" top: "u" }\n'
    )
    done = run("analyze", "-", stdin=text)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    for piece in (
        '"Foo" (line 2)',
        '"Bar" (line 3)',
        '"Relu" (line 4; did you mean "ReLU"?)',
        "netcount.layers",
        "--assume",
    ):
        assert piece in done.stderr
    assumed = ["--assume", "Foo=identity", "--assume", "g=1,5,7,6", "--assume", "h=identity"]
    done = run("analyze", "-", "--format", "json", *assumed, stdin=text)
    assert done.returncode == 3
    document = json.loads(done.stdout)
    assert document["complete"] is False
    assert [layer["tops"][0]["shape"] for layer in document["layers"]] == [
        [1, 3, 8, 9],
        [1, 3, 8, 9],
        [1, 5, 7, 6],
        [1, 5, 7, 6],
    ]
    assert len(document["warnings"]) == 3


def test_a_caffemodel_in_place_of_a_prototxt_is_told(tmp_path: Path) -> None:
    path = tmp_path / "net.caffemodel"
    path.write_bytes(b"\n\x07AlexNet\xa2\x06\x00\x00")
    done = run("analyze", str(path))
    assert done.returncode == 2
    assert "analyze the .prototxt" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_net_without_layers_is_told() -> None:
    done = run("analyze", "-", stdin="")
    assert done.returncode == 0
    assert "the net has no layers in phase TEST" in done.stdout


def test_a_report_of_assumed_layers_is_marked_in_every_format() -> None:
    text = inputs(x=(1, 3, 8, 9)) + 'layer { name: "f" type: "Foo" bottom: "x" top: "y" }\n'
    for form in ("table", "markdown", "csv"):
        done = run("analyze", "-", "--assume", "Foo=identity", "--format", form, stdin=text)
        assert done.returncode == 3
        told = done.stderr if form == "csv" else done.stdout
        assert "incomplete: the cost of layers with assumed shapes is not counted" in told
        assert 'Foo "f"' in told.replace("\\", "")
        assert "warning" not in (done.stdout if form == "csv" else done.stderr)


def test_a_convolution_without_spatial_axes() -> None:
    text = inputs(x=(1, 5)) + (
        'layer { name: "c" type: "Convolution" bottom: "x" top: "y" convolution_param { num_output: 3 } }'
    )
    shown = run("analyze", "-", stdin=text)
    assert shown.returncode == 0, shown.stderr
    document = json.loads(run("analyze", "-", "--format", "json", stdin=text).stdout)
    assert document["layers"][1]["kernel"] == []
    assert document["layers"][1]["madds"] == 15
    assert [share["kernel"] for share in document["kernels"]] == ["Convolution"]


HOSTILE = "=cmd|'/c'!A1 \x1b[31m[red]x[/red]\u202e|<img src=x onerror=1>`*_\r\n\t@a"


def hostile_net() -> str:
    name = "".join(f"\\{byte:03o}" for byte in HOSTILE.encode())
    return inputs(x=(1, 3, 8, 9)) + (
        f'name: "{name}" layer {{ name: "{name}" type: "Convolution" bottom: "x" top: "{name}" '
        "convolution_param { num_output: 4 kernel_size: 3 } }"
    )


@pytest.mark.parametrize("form", ["table", "csv", "markdown", "json"])
def test_hostile_names_stay_data(form: str, tmp_path: Path) -> None:
    done = run("analyze", "-", "--format", form, stdin=hostile_net())
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
    assert "\r" not in done.stdout
    if form == "json":
        assert json.loads(done.stdout)["layers"][1]["name"] == HOSTILE
    if form == "csv":
        names = [row["name"] for row in csv.DictReader(io.StringIO(done.stdout))]
        assert names[1].startswith("'=cmd")
    if form == "markdown":
        assert "<img" not in done.stdout
        row = next(line for line in done.stdout.splitlines() if "cmd" in line and line.startswith("|"))
        assert row.replace("\\|", "").count("|") == 8


def test_hostile_names_in_html() -> None:
    page = netcount.loads(hostile_net()).analyze()._repr_html_()
    assert "<img" not in page
    assert "\x1b" not in page


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -c 'from netcount.cli.entry import run; run()' analyze {SQUEEZENET} | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False
    )
    assert done.stdout.count("\n") == 1
    assert "Error" not in done.stderr
    assert "Traceback" not in done.stderr


def test_no_numpy_pandas_rich_or_protobuf_for_a_piped_table() -> None:
    code = (
        "import sys; sys.argv = ['netcount', 'analyze', sys.argv[1]]\n"
        "from netcount.cli.main import run\n"
        "slow = ('numpy', 'pandas', 'rich', 'google.protobuf', 'fractions', 'decimal', 'pathlib')\n"
        "try: run()\n"
        "finally: print([m for m in slow if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, SQUEEZENET], env=UNMEASURED, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_whole_command_needs_little_memory() -> None:
    resource = pytest.importorskip("resource")
    code = (
        "import resource, subprocess, sys\n"
        "command = [sys.executable, '-c', 'from netcount.cli.entry import run; run()', 'analyze', sys.argv[1]]\n"
        "subprocess.run(command, stdout=subprocess.PIPE, check=True)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, SQUEEZENET], env=UNMEASURED, capture_output=True, text=True, check=True
    )
    peak = int(done.stdout) * (1 if sys.platform == "darwin" else 1024)
    assert 2**20 < peak < 60 * 2**20
    assert resource.RUSAGE_CHILDREN


def test_help_fits_80_columns() -> None:
    for command in ([], ["analyze"], ["layers"]):
        shown = run(*command, "--help", COLUMNS="80").stdout
        assert "netcount" in shown
        assert max(map(len, shown.splitlines())) <= 80


def test_version_help_and_layers() -> None:
    assert run("--version").stdout == f"netcount {netcount.__version__}\n"
    assert "netcount analyze deploy.prototxt" in run("analyze", "--help").stdout
    listed = valid(json.loads(run("layers", "--format", "json").stdout), "layers")["types"]
    assert {"type": "Convolution", "source": "stock"}.items() <= next(
        row for row in listed if row["type"] == "Convolution"
    ).items()
    assert len(listed) > 100


def on_a_terminal(*arguments: str, **env: str) -> str:
    """What the command writes to a terminal."""
    pytest.importorskip("pty")
    command = "from netcount.cli.entry import run; run()"
    spawn = f"import pty, sys; pty.spawn([sys.executable, '-c', '{command}', *sys.argv[1:]])"
    done = subprocess.run(
        [sys.executable, "-c", spawn, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, "TERM": "xterm-256color", **env},
        check=False,
    )
    return done.stdout


def lines_of(shown: str) -> list[str]:
    return [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in shown.splitlines()]


def test_a_terminal_gets_colours_and_80_columns() -> None:
    googlenet = str(SAMPLES / "googlenet.prototxt")
    coloured = on_a_terminal("analyze", googlenet, COLUMNS="80")
    plain = on_a_terminal("analyze", googlenet, COLUMNS="80", NO_COLOR="1")
    assert "\x1b[1;31m" in coloured
    assert "\x1b[1;31m" not in plain
    assert lines_of(coloured) == lines_of(plain)
    assert max(map(len, lines_of(plain))) <= 80
    assert any("inception_3a/3x3_reduce" in line for line in lines_of(plain))
    crowded = on_a_terminal("analyze", str(SAMPLES / "resnet50.prototxt"), "--convention", "flops", COLUMNS="80")
    assert max(map(len, lines_of(crowded))) <= 80


def test_a_wide_terminal_and_a_pipe_show_the_same() -> None:
    wide = lines_of(on_a_terminal("analyze", SQUEEZENET, COLUMNS="200"))
    assert wide == run("analyze", SQUEEZENET, COLUMNS="80").stdout.splitlines()
    narrow = lines_of(on_a_terminal("analyze", SQUEEZENET, COLUMNS="80"))
    assert max(map(len, narrow)) == 80 < max(map(len, wide))


@pytest.mark.parametrize("columns", ["40", "80"])
def test_a_number_is_never_cut(columns: str) -> None:
    keys = "name,line,bottoms,tops,params,statistics,madds,share,adds,compares,activations,weight_bytes"
    shown = lines_of(on_a_terminal("analyze", SQUEEZENET, "--columns", keys, "--top", "1", COLUMNS=columns))
    first = next(number for number, line in enumerate(shown) if line.startswith("conv10"))
    row = " ".join([shown[first], *(line for line in shown[first + 1 : first + 6] if line.startswith("    "))])
    values = ("conv10", "532", "14×14×512", "14×14×1000", "513.00k", "100.35M", "25.88%", "196.00k", "1.96 MiB")
    assert [value for value in values if f" {value}" not in f" {row}"] == []
    assert row.count("196.00k") == 2
    assert max(map(len, shown)) <= int(columns)


def test_the_list_of_types_fits_80_columns() -> None:
    listed = lines_of(on_a_terminal("layers", COLUMNS="80"))
    assert max(map(len, listed)) <= 80
    assert any(line.split() == ["MultinomialLogisticLoss", "stock", "2", "1"] for line in listed)
