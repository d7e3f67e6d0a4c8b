"""`explain`, `blocks`, `memory`, `rescale`, `sweep` and `--reconcile` as people and programs meet them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.test_analyze import HOSTILE, hostile_net
from tests.command import run
from tests.helpers import GOLDEN, SAMPLES, needs_golden, valid

SQUEEZENET = str(SAMPLES / "squeezenet_v1.1.prototxt")
MOBILENET = str(SAMPLES / "mobilenet_v1.prototxt")
COMMANDS = {
    "explain": ["explain", SQUEEZENET, "conv10"],
    "blocks": ["blocks", SQUEEZENET],
    "reconcile": ["analyze", MOBILENET, "--reconcile", "madds,netscope"],
    "memory": ["memory", SQUEEZENET, "--density", "0.5"],
    "sweep": ["sweep", SQUEEZENET, "--width", "1,.5", "--max-madds", "300M"],
}


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_document_is_what_its_schema_says(command: str) -> None:
    done = run(*COMMANDS[command], "--format", "json")
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    valid(json.loads(done.stdout), command)


def test_a_block_is_what_the_schema_says_too() -> None:
    document = valid(json.loads(run("explain", SQUEEZENET, "fire7", "-f", "json").stdout), "explain")
    assert document["block"]["plain"]["params"] == 1_327_104
    for sample in ("alexnet", "resnet50", "googlenet"):
        name = {"alexnet": "conv2", "resnet50": "res3a", "googlenet": "inception_3a"}[sample]
        valid(
            json.loads(run("explain", str(SAMPLES / f"{sample}.prototxt"), name, "-f", "json").stdout), "explain"
        )


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"explain"}))
def test_csv_has_one_header_and_exact_numbers(command: str) -> None:
    rows = list(csv.DictReader(io.StringIO(run(*COMMANDS[command], "--format", "csv").stdout)))
    assert rows
    for key, value in rows[-1].items():
        assert key
        assert "," not in value


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_markdown_and_text_go_to_files(command: str, tmp_path: Path) -> None:
    for form in ("markdown", "text" if command == "explain" else "table"):
        path = tmp_path / form
        done = run(*COMMANDS[command], "--format", form, "-o", str(path))
        assert done.returncode == 0
        assert not done.stdout
        assert path.read_text(encoding="utf-8") == run(*COMMANDS[command], "--format", form).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["explain", SQUEEZENET, "fire77"], 'no layer or block "fire77"; did you mean "fire7"?'),
        (["blocks", SQUEEZENET, "--block", "("], "not a regular expression"),
        (["memory", SQUEEZENET, "--density", "2"], "density is a share"),
        (["memory", SQUEEZENET, "--plot", "x.gif"], "has to end in .png, .svg or .pdf"),
        (["sweep", SQUEEZENET, "--width", "1,x"], "a factor is a number such as 0.75, not 'x'"),
        (["sweep", SQUEEZENET, "--width", "1,1/0"], "a factor is a number"),
        (["sweep", SQUEEZENET, "--width", "1e9"], "a factor is a number"),
        (["sweep", SQUEEZENET, "--width", "101"], "at most 100"),
        (["sweep", SQUEEZENET, "--resolution", "0"], "positive numbers below 2^31"),
        (["sweep", SQUEEZENET, "--resolution", "224x"], "a resolution is N or HxW"),
        (["sweep", SQUEEZENET, "--max-madds", "3 parsecs"], "--max-madds: unknown unit 'parsecs'"),
        (["sweep", SQUEEZENET, "--fit-width", "300M"], "is not max_FIGURE=LIMIT"),
        (["sweep", SQUEEZENET, "--fit-width", "max_mads=300M"], 'no limit on "mads"; did you mean "madds"?'),
        (["sweep", SQUEEZENET, "--fit-width", "max_madds=3 parsecs"], "--fit-width: unknown unit 'parsecs'"),
        (["sweep", SQUEEZENET, "--fit-width", "madds=1M", "--width", "1"], "--width: the width is searched"),
        (
            ["sweep", SQUEEZENET, "--fit-resolution", "madds=1M", "--resolution", "9"],
            "--resolution: the resolution is searched",
        ),
        (
            ["sweep", SQUEEZENET, "--fit-resolution", "madds=1M", "--fit-width", "madds=1M"],
            "search one of width and resolution",
        ),
        (["sweep", SQUEEZENET, "--step", "1"], "--step: it is a step of --fit-width or --fit-resolution"),
        (["sweep", SQUEEZENET, "--step", "0", "--fit-width", "madds=1M"], "--step: a step of widths is a number"),
        (["rescale", SQUEEZENET, "--width", "1,2"], "netcount sweep takes several"),
        (["rescale", SQUEEZENET, "--keep", "conv11"], 'no convolution is called "conv11"; did you mean "conv1'),
        (["rescale", SQUEEZENET, "--resolution", "1"], "rescaled, the net would be refused"),
        (["rescale", SQUEEZENET, "--resolution", "2000000000"], "rescaled, the net would be refused"),
        (["analyze", SQUEEZENET, "--reconcile", "madds"], "two conventions or more"),
        (["analyze", SQUEEZENET, "--reconcile", "madds,mads"], 'there is no convention "mads"'),
        (["memory", "no/such.prototxt"], "cannot read no/such.prototxt"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments: list[str], said: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("as it was")
    done = run(*arguments, "-o", str(kept))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert kept.read_text() == "as it was"


def test_a_sweep_in_which_nothing_fits_fails() -> None:
    done = run("sweep", MOBILENET, "--width", "1,.5", "--max-params", "1k")
    assert done.returncode == 1
    assert "nothing fits" in done.stdout
    assert run("sweep", MOBILENET, "--resolution", "1,2").returncode == 0
    impossible = run("sweep", SQUEEZENET, "--resolution", "1,2")
    assert impossible.returncode == 2
    assert "impossible" in impossible.stdout


def test_rescale_writes_the_net_and_tells_what_it_did(tmp_path: Path) -> None:
    path = tmp_path / "half.prototxt"
    done = run("rescale", MOBILENET, "--width", "0.5", "--resolution", "160", "-o", str(path))
    assert done.returncode == 0
    assert not done.stdout
    assert "568.74M -> 76.52M" in done.stderr
    assert "76.52M" in run("analyze", str(path), "--top", "1").stdout
    assert "kept: fc7\n" in done.stderr
    assert "kept: fc7, conv1\n" in run("rescale", MOBILENET, "--width", "0.5", "--keep", "conv1").stderr
    piped = run("rescale", MOBILENET, "--width", "0.5", "--resolution", "160")
    assert piped.stdout == path.read_text(encoding="utf-8")


def test_rescale_reads_standard_input() -> None:
    text = Path(SQUEEZENET).read_text(encoding="utf-8")
    done = run("rescale", "-", "--width", "0.5", stdin=text)
    assert done.returncode == 0
    assert done.stdout.count("num_output") == text.count("num_output")
    assert run("explain", "-", "conv10", stdin=text).stdout.startswith("conv10")


UNKNOWN = (
    'layer { name: "x" type: "Data" top: "x" data_param { batch_size: 1 } transform_param { crop_size: 9 } }\n'
    'layer { name: "a" type: "Convolution" bottom: "x" top: "a" '
    "convolution_param { num_output: 4 kernel_size: 3 } }\n"
    'layer { name: "u" type: "Unheard" bottom: "a" top: "u" }\n'
)


@pytest.mark.parametrize(
    "command",
    [["explain", "-", "a"], ["blocks", "-"], ["analyze", "-", "--reconcile", "madds,flops"], ["memory", "-"],
     ["sweep", "-"], ["rescale", "-"]],
)  # fmt: skip
def test_what_is_incomplete_says_so(command: list[str]) -> None:
    done = run(*command, "--assume", "Unheard=identity", stdin=UNKNOWN)
    assert done.returncode == 3
    assert "incomplete: the cost of layers with assumed shapes is not counted" in done.stderr
    assert "warning: <stdin>:1" in done.stderr, "3 channels are assumed"
    if command[0] != "rescale":
        document = json.loads(run(*command, "--assume", "Unheard=identity", "-f", "json", stdin=UNKNOWN).stdout)
        assert document["complete"] is False


@pytest.mark.parametrize("form", ["png", "svg"])
def test_pictures(form: str, tmp_path: Path) -> None:
    begins = {"png": b"\x89PNG", "svg": b"<?xml"}[form]
    path = tmp_path / f"a.{form}"
    assert run("memory", SQUEEZENET, "--plot", str(path)).returncode == 0
    assert path.read_bytes().startswith(begins)
    again = tmp_path / f"b.{form}"
    done = run("sweep", MOBILENET, "--width", "1,.5", "--resolution", "224,128", "--plot", str(again))
    assert done.returncode == 0
    assert again.read_bytes().startswith(begins)
    if form == "svg":
        assert "fire9/concat" in path.read_text(encoding="utf-8")


@needs_golden
def test_trained_weights_give_true_densities() -> None:
    golden = str(GOLDEN / "squeezenet_v1.1")
    done = run("memory", f"{golden}.prototxt", "--weights", f"{golden}.caffemodel", "-f", "json")
    document = valid(json.loads(done.stdout), "memory")
    assert len(document["weights"]) == 52
    assert document["model"]["density"] > 0.999
    both = run("memory", f"{golden}.prototxt", "--weights", f"{golden}.caffemodel", "--density", "0.5")
    assert both.returncode == 2


@pytest.mark.parametrize(
    "command", [["explain", "-", HOSTILE], ["blocks", "-", "--block", "x"], ["memory", "-"], ["rescale", "-"]]
)
def test_hostile_names_stay_data(command: list[str]) -> None:
    for form in ([] if command[0] == "rescale" else ["-f", "markdown"]), []:
        done = run(*command, *form, stdin=hostile_net())
        assert "Traceback" not in done.stderr
        for text in (done.stdout if command[0] != "rescale" else "", done.stderr):
            assert "\x1b" not in text
            assert "\u202e" not in text
            if form:
                assert "<img" not in text
    if command[0] == "memory":
        record = run("memory", "-", "-f", "csv", stdin=hostile_net()).stdout.splitlines()[2]
        assert not record.lstrip('"').startswith("=")


def test_pictures_of_what_is_huge_or_impossible(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    text = 'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 dim: 8 } } }\n'
    done = run("sweep", "-", "--resolution", "3,4", "--plot", str(path), stdin=text)
    assert done.returncode == 2
    assert "there is no resolution to change" in done.stdout
    assert path.read_bytes().startswith(b"\x89PNG")
    for i in range(3000):
        text += f'layer {{ name: "r{i}" type: "ReLU" bottom: "x" top: "x" }}\n'
    done = run("memory", "-", "--top", "1", "--plot", str(path), stdin=text)
    assert done.returncode == 0, done.stderr
    assert int.from_bytes(path.read_bytes()[16:20], "big") < 2**14, "pixels wide"


def test_long_lists_are_cut_short() -> None:
    text = 'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }\n'
    for i in range(30):
        text += f'layer {{ name: "c{i}" type: "Convolution" bottom: "x" top: "y{i}" '
        text += "convolution_param { num_output: 4 kernel_size: 3 } }\n"
    assert "and 19 more\n" in run("memory", "-", stdin=text).stdout
    assert "kept: c0, c1, " in (done := run("rescale", "-", stdin=text)).stderr
    assert " and 10 more\n" in done.stderr


def test_names_are_no_formulas_in_pictures(tmp_path: Path) -> None:
    text = (
        'name: "$\\\\frac$" layer { name: "$x^$" type: "Input" top: "x" '
        "input_param { shape { dim: 1 dim: 2 } } }\n"
        'layer { name: "$\\\\bad{$" type: "ReLU" bottom: "x" top: "y" }'
    )
    done = run("memory", "-", "--plot", str(tmp_path / "p.svg"), stdin=text)
    assert done.returncode == 0, done.stderr
