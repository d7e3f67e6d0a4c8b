"""`netcount fit` as people and programs meet it; the known cases."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import jsonschema
import pytest

from tests.cli.test_analyze import hostile_net
from tests.command import run
from tests.helpers import ROOT, SAMPLES, valid
from tests.targets.cases import conv

MOBILENET_V2 = str(SAMPLES / "mobilenet_v2.prototxt")
ALEXNET = str(SAMPLES / "alexnet.prototxt")
DPU = "xilinx-dpuczdx8g-b4096"


def document(*arguments: str, stdin: str | None = None) -> dict[str, object]:
    return valid(json.loads(run("fit", *arguments, "-f", "json", stdin=stdin).stdout), "fit")


def test_one_layer_of_mobilenet_v2_is_over_the_k210s_memory() -> None:
    found = document(MOBILENET_V2, "--target", "kendryte-k210")
    over = [one for one in found["findings"] if one["rule"] == "memory"]  # type: ignore[index, attr-defined]
    assert [one["layer"] for one in over] == ["conv2_2/dwise"]
    assert over[0]["value"] == "KPU memory 2,752,512 bytes"
    memory = found["memories"][0]  # type: ignore[index]
    assert (memory["layer"], memory["over"], memory["bytes"]) == ("conv2_2/dwise", 1, 2**21)


@pytest.mark.parametrize("target", [DPU, "xilinx-dpuczdx8g-b512", "nvdla-small", "nvdla-large"])
def test_alexnets_grouped_convolutions_are_refused(target: str) -> None:
    found = document(ALEXNET, "--target", target)
    refused = [one for one in found["findings"] if one["effect"] == "refused"]  # type: ignore[index, attr-defined]
    grouped = [one for one in refused if one["type"] == "Convolution"]
    assert [one["layer"] for one in grouped] == ["conv2", "conv4", "conv5"]
    assert all(one["value"] == "group 2" and one["source"] and one["place"]["line"] for one in grouped)
    if target == DPU:
        assert found["verdict"] == "does not fit: 3 layers"


def test_fp16_has_what_int8_lacks() -> None:
    assert run("fit", ALEXNET, "--target", "nvdla-large").returncode == 1
    done = run("fit", ALEXNET, "--target", "nvdla-large", "--precision", "fp16")
    assert done.returncode == 0
    assert "fits with 1 layer on the CPU" in done.stdout


def test_exit_codes() -> None:
    assert run("fit", "-", "--target", "kendryte-k210", stdin=conv()).returncode == 0
    assert run("fit", "-", "--target", "mnn", stdin=conv()).returncode == 0
    assert run("fit", "-", "--target", "mnn", "--assume", "Foo=identity", stdin=foo()).returncode == 1
    done = run("fit", "-", "--target", DPU, "--assume", "Foo=identity", stdin=foo())
    assert done.returncode == 3
    assert "incomplete" in done.stdout


def foo() -> str:
    return conv() + 'layer { name: "f" type: "Foo" bottom: "y0" top: "f" }\n'


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([ALEXNET], "Missing option '--target'"),
        (["--target", "mnn"], "Missing argument 'FILE'"),
        (
            [ALEXNET, "--target", "kendryte-k21"],
            'there is no target "kendryte-k21"; did you mean "kendryte-k210"?',
        ),
        ([ALEXNET, "--target", "mnn", "--precision", "int8"], '--precision: mnn has no precision "int8"'),
        ([ALEXNET, "--target", "mnn", "--board", "x"], '--board: mnn has no board "x"'),
        (["--list", "-f", "sarif"], "--list has no format sarif"),
        ([ALEXNET, "--target", "no/such.toml"], "cannot read no/such.toml"),
    ],
)
def test_a_mistake_is_told_and_the_output_kept(arguments: list[str], said: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("as it was")
    done = run("fit", *arguments, "-o", str(kept))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert kept.read_text() == "as it was"


def test_every_report_says_how_far_it_can_be_trusted() -> None:
    for form in ("text", "markdown", "json"):
        shown = run("fit", ALEXNET, "--target", "kendryte-k210", "-f", form).stdout.replace("\\", "")
        assert "very high for the rules" in shown
        assert "1.9.0" in shown
        assert "whether quantization keeps the accuracy" in shown


def test_csv_has_a_record_a_finding() -> None:
    rows = list(csv.DictReader(io.StringIO(run("fit", ALEXNET, "--target", DPU, "-f", "csv").stdout)))
    assert [(row["layer"], row["effect"]) for row in rows] == [
        ("norm1", "cpu"), ("conv2", "refused"), ("norm2", "cpu"), ("conv4", "refused"), ("conv5", "refused"),
        ("prob", "cpu"),
    ]  # fmt: skip


def test_github_and_sarif_point_at_the_lines() -> None:
    lines = run("fit", ALEXNET, "--target", DPU, "-f", "github").stdout.splitlines()
    assert lines[1].startswith("::error file=")
    assert 'line=78,col=1,title=netcount fit_refused::Convolution "conv2": group 2, ' in lines[1]
    assert lines[-1].endswith("does not fit: 3 layers")
    log = json.loads(run("fit", ALEXNET, "--target", DPU, "-f", "sarif").stdout)
    jsonschema.validate(log, json.loads((ROOT / "tests" / "data" / "sarif.json").read_text(encoding="utf-8")))
    (job,) = log["runs"]
    assert [one["ruleId"] for one in job["results"]].count("netcount/fit_refused") == 3
    assert job["results"][1]["locations"][0]["physicalLocation"]["region"] == {"startLine": 78, "startColumn": 1}
    assert {rule["id"] for rule in job["tool"]["driver"]["rules"]} == {"netcount/fit_refused", "netcount/fit_cpu"}
    fingerprints = [one["partialFingerprints"]["netcount/1"] for one in job["results"]]
    assert len(set(fingerprints)) == len(fingerprints)


@pytest.mark.parametrize("form", ["text", "markdown", "html", "csv", "github", "sarif"])
def test_hostile_names_stay_data(form: str) -> None:
    done = run("fit", "-", "--target", "armnn", "-f", form, stdin=hostile_net())
    assert done.returncode in (0, 1)
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
    if form in ("markdown", "html"):
        assert "<img" not in done.stdout


def test_a_profile_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "chip.toml"
    path.write_text(
        'schema = "netcount-target/1"\nname = "Chip"\ntoolchain = "cc"\nversion = "7"\nreliability = "ours"\n'
        'unlisted = "accepted"\n[[rule]]\ntype = "Convolution"\nkernel = "1..7"\n',
        encoding="utf-8",
    )
    done = run("fit", ALEXNET, "--target", str(path))
    assert done.returncode == 1
    assert "kernel 11×11" in done.stdout
    path.write_text(path.read_text(encoding="utf-8").replace("1..7", "1..b"), encoding="utf-8")
    done = run("fit", ALEXNET, "--target", str(path))
    assert done.returncode == 2
    assert 'chip.toml:9:14: in "b": there is no figure "b"' in done.stderr
