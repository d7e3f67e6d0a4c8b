"""Samples by name, words that mean a command, a type's fields, and sorting by several columns."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from netcount.cli.main import netcount
from netcount.core import samples
from netcount.core.errors import InputError
from netcount.layers.reads import fields_read
from netcount.layers.registry import CATALOGUE, shipped_types
from tests.helpers import ROOT, SAMPLES, valid

NAMES = sorted(path.name for path in SAMPLES.glob("*.prototxt"))


def ran(*arguments: str) -> Result:
    return CliRunner().invoke(netcount, list(arguments))


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(*arguments: str) -> str:
    done = ran(*arguments)
    assert isinstance(done.exception, InputError)
    return str(done.exception)


def test_the_list_of_samples() -> None:
    document = valid(json.loads(ran("samples", "-f", "json").stdout), "samples")
    assert [sample["file"] for sample in document["samples"]] == NAMES
    assert {sample["about"] for sample in document["samples"]} >= {"SqueezeNet v1.1", "ResNet-50"}
    assert all(Path(sample["path"]).is_file() for sample in document["samples"])


def test_samples_are_copied_and_replace_nothing_else(elsewhere: Path) -> None:
    assert ran("samples", "nin", "vgg16.prototxt", "--copy", "here").exit_code == 0
    assert sorted(path.name for path in (elsewhere / "here").iterdir()) == ["nin.prototxt", "vgg16.prototxt"]
    assert (elsewhere / "here/nin.prototxt").read_bytes() == (SAMPLES / "nin.prototxt").read_bytes()
    assert ran("samples", "--copy", "here").exit_code == 0
    assert sorted(path.name for path in (elsewhere / "here").iterdir()) == NAMES
    (elsewhere / "there").mkdir()
    (elsewhere / "there/vgg16.prototxt").write_text("mine")
    assert "is another file; nothing is copied" in refusal("samples", "nin", "vgg16", "--copy", "there")
    assert [path.name for path in (elsewhere / "there").iterdir()] == ["vgg16.prototxt"]
    assert (elsewhere / "there/vgg16.prototxt").read_text() == "mine"
    assert "did you mean" in refusal("samples", "vgg61.prototxt")


@pytest.mark.parametrize("ask", [["analyze", "nin.prototxt"], ["explain", "nin.prototxt", "conv1"]])
def test_a_bare_name_finds_a_sample_and_says_so(ask: list[str], elsewhere: Path) -> None:
    done = ran(*ask, "-f", "json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["net"] == "NIN_ImageNet"
    assert done.stderr == "there is no nin.prototxt here; netcount's sample of that name is taken\n"
    (elsewhere / "nin.prototxt").write_text((SAMPLES / "alexnet.prototxt").read_text())
    mine = ran(*ask, "-f", "json")
    assert json.loads(mine.stdout)["net"] == "AlexNet"
    assert "sample" not in mine.stderr


@pytest.mark.parametrize(
    "ask",
    [
        ["analyze", "./nin.prototxt"],
        ["analyze", "nin"],
        ["check", "nin.prototxt", "--no-config", "--max-params", "1G"],
        ["compare", "nin.prototxt", "nin.prototxt"],
        ["survey", "nin.prototxt", "--jobs", "1"],
        ["rescale", "nin.prototxt"],
        ["memory", "nin.prototxt"],
        ["verify", "nin.prototxt"],
        ["blocks", "nin.prototxt"],
        ["sweep", "nin.prototxt"],
    ],
    ids=" ".join,
)
def test_nothing_else_finds_a_sample(ask: list[str], elsewhere: Path) -> None:
    done = ran(*ask)
    assert done.exit_code != 0
    assert "sample" not in done.output
    assert "387" not in done.stdout


def test_a_picture_of_a_sample(elsewhere: Path) -> None:
    done = ran("graph", "nin.prototxt", "-f", "mermaid")
    assert done.exit_code == 0
    assert "cccp8" in done.stdout
    assert "netcount's sample" in done.stderr


def test_a_link_to_nowhere_is_no_missing_file(elsewhere: Path) -> None:
    (elsewhere / "nin.prototxt").symlink_to("gone")
    assert "sample" not in ran("analyze", "nin.prototxt").output


def test_the_samples_travel_in_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    installed, clone = map(Path, samples._FOLDERS)
    assert wheel["force-include"] == {clone.name: installed.relative_to(ROOT).as_posix()}
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples/a.prototxt").write_text("# A net.\n")
    monkeypatch.setattr(samples, "_FOLDERS", (str(tmp_path / "samples"), str(clone)))
    assert samples.sample_names() == ["a.prototxt"]
    assert samples.sample_path("a.prototxt") == str(tmp_path / "samples/a.prototxt")
    assert samples.sample_path("../a.prototxt") is None
    monkeypatch.setattr(samples, "_FOLDERS", ())
    assert samples.sample_names() == []


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["analyse"], '"analyze"?'),
        (["MACs", "x"], '"analyze"?'),
        (["flops"], '"analyze"?'),
        (["diff"], '"compare"?'),
        (["verfy"], '"verify"?'),
        (["deploy.prototxt"], "netcount analyze deploy.prototxt"),
        (["a folder/b c.prototxt"], "netcount analyze 'a folder/b c.prototxt'"),
        (["x.caffemodel"], "netcount from-caffemodel x.caffemodel"),
        (["there"], "netcount survey there"),
        (["-"], "netcount analyze -"),
        (["plain"], "netcount analyze plain"),
    ],
)
def test_what_is_no_command_names_one(words: list[str], meant: str, elsewhere: Path) -> None:
    (elsewhere / "there").mkdir()
    (elsewhere / "plain").write_text("")
    done = ran(*words)
    assert done.exit_code == 2
    assert done.stderr.endswith((f"did you mean {meant}\n", f"did you mean: {meant}\n"))


def test_a_strange_word_is_shown_harmless() -> None:
    assert "\x1b" not in ran("\x1b[31m.prototxt").stderr


def test_every_word_means_a_command() -> None:
    from netcount.cli.main import _COMMANDS, _MEANT

    assert set(_MEANT) <= set(_COMMANDS)
    words = [word for words in _MEANT.values() for word in words.split()]
    assert len(words) == len({*words, *_COMMANDS}) - len(_COMMANDS)


def read(key: str) -> set[str]:
    layer = CATALOGUE.get(key)
    assert layer is not None
    return {path.partition(".")[2] for path in fields_read(layer)}


def test_the_fields_a_type_reads() -> None:
    window = {f"{name}{end}" for name in ("pad", "stride") for end in ("", "_h", "_w")}
    kernel = {"kernel_size", "kernel_h", "kernel_w"}
    assert read("Convolution") >= {"num_output", "bias_term", "group", "dilation", "axis", *window, *kernel}
    assert read("Pooling") == {"pool", "global_pooling", "round_mode", "ceil_mode", *window, *kernel}
    assert read("ReLU") == {"negative_slope"}
    assert read("Concat") == {"axis", "concat_dim"}
    assert read("Split") == set()
    assert read("PriorBox") >= {"min_size", "max_size", "aspect_ratio", "step", "variance"}


@pytest.mark.parametrize("key", sorted(shipped_types()))
def test_every_type_tells_what_it_is(key: str) -> None:
    done = ran("layers", key, "-f", "json")
    assert done.exit_code == 0, done.output
    (told,) = valid(json.loads(done.stdout), "layers")["types"]
    assert told["type"] == key
    assert told["text"].replace("\n", " ").startswith(told["about"])
    assert all(field["path"] and field["kind"] for field in told["fields"])


def test_a_type_for_people_and_for_programs() -> None:
    text = ran("layers", "InnerProduct").stdout
    assert "inner_product_param.num_output" in text
    assert "counts   " in text
    rows = list(csv.DictReader(io.StringIO(ran("layers", "LRN", "-f", "csv").stdout)))
    assert {row["path"]: row["default"] for row in rows}["lrn_param.local_size"] == "5"
    assert 'did you mean "Convolution"?' in refusal("layers", "Convolutoin")


def test_sorting_by_several_columns() -> None:
    def rows(*options: str) -> list[tuple[str, int]]:
        found = csv.DictReader(
            io.StringIO(ran("analyze", str(SAMPLES / "nin.prototxt"), "-f", "csv", *options).stdout)
        )
        return [(row["type"], int(row["madds"])) for row in found]

    assert rows("--sort", "type, madds") == sorted(rows(), key=lambda row: (row[0], -row[1]))
    assert rows("--sort", "type,line") != rows("--sort", "type,madds")
    assert "colour" in refusal("analyze", str(SAMPLES / "nin.prototxt"), "--sort", "type,colour")


def test_a_survey_is_sorted_by_several_columns() -> None:
    done = ran("survey", str(SAMPLES), "--jobs", "1", "-f", "csv", "--sort", "phase,layers")
    layers = [int(row["layers"]) for row in csv.DictReader(io.StringIO(done.stdout))]
    assert layers == sorted(layers, reverse=True)
    assert "colour" in refusal("survey", str(SAMPLES), "--sort", "layers,colour")


@pytest.mark.parametrize(
    "arguments", [["analyze", "-", "-"], ["compare", "-", "-"], ["graph", "-", "--diff", "-"], ["time", "-", "-"]]
)
def test_standard_input_is_not_read_twice(arguments: list[str]) -> None:
    done = CliRunner().invoke(netcount, arguments, input=(SAMPLES / "nin.prototxt").read_text())
    assert done.exit_code == 2
    assert "standard input can be read once" in done.stderr
    assert not done.stdout
