"""`upgrade` and the other ways into an engine, as people and programs meet them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import netcount
from netcount.execute.stand_ins import distance, lively_weights
from netcount.execute.weights import write_caffemodel
from tests.cli.test_analyze import hostile_net
from tests.command import UNMEASURED, run
from tests.helpers import ROOT, SAMPLES

SQUEEZENET = str(SAMPLES / "squeezenet_v1.1.prototxt")
TINY = str(ROOT / "tests" / "data" / "tiny.caffemodel")
OLD = """input: "x" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 9
layers { name: "r" type: RELU bottom: "x" top: "y" }  # stays
"""


def test_upgrade_writes_the_net_and_tells_what_was_old(tmp_path: Path) -> None:
    path = tmp_path / "new.prototxt"
    done = run("upgrade", "-", "-o", str(path), stdin=OLD)
    assert done.returncode == 0
    assert not done.stdout
    assert done.stderr == f"{path}: upgraded V1 layers, inputs in the header\n"
    assert run("upgrade", "-", stdin=OLD).stdout == path.read_text(encoding="utf-8")
    assert run("upgrade", "-", "-o", str(path), stdin=OLD).returncode == 0, "a prototxt is what it makes"
    again = run("upgrade", str(path))
    assert "in the current form already" in again.stderr
    assert again.stdout == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "text", "said"),
    [
        (["upgrade", "-"], "layers { layer { type: 'nothing' } top: 'x' }", "V0 has no layer type"),
        (["upgrade", "-"], "layer {", "the file ends inside"),
        (["upgrade", "no/such.prototxt"], "", "cannot read no/such.prototxt"),
        (["from-caffemodel", SQUEEZENET], "", "not a .caffemodel"),
        (["from-caffemodel", TINY, "-f", "prototxt"], "", "holds weights alone"),
        (["export", "-", "--to", "onnx"], "layer {", "the file ends inside"),
        (["export", SQUEEZENET, "--to", "onnx", "--until", "conv11"], "", 'no blob is called "conv11"'),
        (["export", SQUEEZENET, "--to", "onnx", "--weights", TINY], "", "has no layer of that name"),
        (["export", SQUEEZENET, "--to", "onnx", "--max-memory", "1MB"], "", "more than the"),
        (["export", SQUEEZENET, "--to", "ncnn", "--batch", "2"], "", "one image at a time"),
        (["export", SQUEEZENET, "--to", "ncnn", "--batch", "dynamic"], "", "one image at a time"),
        (["export", SQUEEZENET, "--to", "onnx", "--fp16"], "", "--fp16: float16 weights are for ncnn"),
        (["fold", "-"], "layer {", "the file ends inside"),
        (["fold", SQUEEZENET, "--weights", TINY], "", "has no layer of that name"),
        (["fold", SQUEEZENET, "--weights-out", "x"], "", "no weights to write"),
        (["fold", SQUEEZENET, "--phase", "TRAIN"], "", "for phase TEST"),
        (["fold", SQUEEZENET, "--max-memory", "1MB"], "", "more than the"),
        (["upgrade", "-"], "name: 3", '"name" needs a string'),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments: list[str], text: str, said: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("as it was")
    done = run(*arguments, "-o", str(kept), stdin=text)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert kept.read_text() == "as it was"


@pytest.mark.parametrize("command", ["upgrade", "fold"])
def test_hostile_names_stay_data(command: str) -> None:
    done = run(command, "-", stdin=hostile_net())
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stderr


NORMED = """layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 2 dim: 5 dim: 7 } } }
layer { name: "c" type: "Convolution" bottom: "x" top: "c" convolution_param { num_output: 3 kernel_size: 3 } }
layer { name: "b" type: "BatchNorm" bottom: "c" top: "c" }
"""


def weights_of(text: str, path: Path) -> str:
    net = netcount.loads(text)
    write_caffemodel(path, net, lively_weights(net))
    return str(path)


def test_fold_writes_a_net_and_its_weights(tmp_path: Path) -> None:
    whole, folded = tmp_path / "whole.prototxt", tmp_path / "folded.prototxt"
    whole.write_text(NORMED)
    weights = weights_of(NORMED, tmp_path / "whole.caffemodel")
    out = tmp_path / "folded.caffemodel"
    done = run("fold", str(whole), "--weights", weights, "-o", str(folded), "--weights-out", str(out))
    assert done.returncode == 0, done.stderr
    assert "1 layer folded, 0 dropped" in done.stderr
    before = netcount.load(whole).run(weights=weights)["c"]
    after = netcount.load(folded).run(weights=str(out))["c"]
    assert distance(before, after) < 1e-5
    assert "BatchNorm" in run("analyze", str(whole)).stdout
    assert "BatchNorm" not in run("analyze", str(whole), "--without-batchnorm").stdout


def test_fold_writes_both_files_or_none(tmp_path: Path) -> None:
    text = tmp_path / "folded.prototxt"
    text.write_text("as it was")
    weights = weights_of(NORMED, tmp_path / "whole.caffemodel")
    gone = tmp_path / "no" / "such.caffemodel"
    done = run("fold", "-", "--weights", weights, "-o", str(text), "--weights-out", str(gone), stdin=NORMED)
    assert done.returncode == 2
    assert "cannot write" in done.stderr
    assert text.read_text() == "as it was"


def test_export_writes_a_checked_model(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    path = tmp_path / "normed.prototxt"
    path.write_text(NORMED)
    done = run("export", str(path), "--to", "onnx")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'normed.onnx'}\n"
    assert "2 blobs agree" in done.stderr
    open_batch = run("export", str(path), "--to", "onnx", "--batch", "dynamic", "-o", str(tmp_path / "b.onnx"))
    assert open_batch.returncode == 0, open_batch.stderr
    assert run("export", "-", "--to", "ncnn", "-o", os.devnull, stdin=NORMED).returncode == 2, "it has two files"
    assert run("export", "-", "--to", "onnx", stdin=NORMED).returncode == 2, "no place to write to"
    hostile = run("export", "-", "--to", "onnx", "-o", str(tmp_path / "h.onnx"), stdin=hostile_net())
    assert "\x1b" not in hostile.stdout + hostile.stderr
    assert hostile.returncode == 0, hostile.stderr


def test_export_to_ncnn_writes_two_files(tmp_path: Path) -> None:
    pytest.importorskip("ncnn", reason="the extra ncnn is not installed")
    param, binary = tmp_path / "n.param", tmp_path / "n.bin"
    done = run("export", "-", "--to", "ncnn", "--fp16", "-o", str(param), stdin=NORMED)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(param), str(binary)]
    assert "netcount.checked:_ncnn" in param.read_text(encoding="utf-8")
    kept = param.read_bytes()
    binary.write_text('{"schema": "netcount/baseline/1"}')
    assert run("export", "-", "--to", "ncnn", "-o", str(param), stdin=NORMED).returncode == 2, (
        "a baseline lies there"
    )
    assert param.read_bytes() == kept
    streamed = run("export", "-", "--to", "ncnn", "-o", "-", stdin=NORMED)
    assert streamed.returncode == 2
    assert "standard output" in streamed.stderr
    hostile = run("export", "-", "--to", "ncnn", "-o", str(tmp_path / "h.param"), stdin=hostile_net())
    assert hostile.returncode == 0, hostile.stderr
    assert "\x1b" not in hostile.stdout + hostile.stderr + (tmp_path / "h.param").read_text(encoding="utf-8")


def test_without_the_engine_nothing_is_written(tmp_path: Path) -> None:
    """The extra and the way out are named."""
    (tmp_path / "onnxruntime.py").write_text("raise ImportError")
    code = "import sys; sys.path.insert(0, sys.argv.pop(1));from netcount.cli.main import run; run()"
    out = tmp_path / "n.onnx"
    arguments = [sys.executable, "-c", code, str(tmp_path), "export", "-", "--to", "onnx", "-o", str(out)]
    done = subprocess.run(arguments, input=NORMED, capture_output=True, text=True, check=False, env=UNMEASURED)
    assert done.returncode == 2
    assert "netcount[onnx]" in done.stderr
    assert "or write it unchecked with --no-check" in done.stderr
    assert not out.exists()
    done = subprocess.run([*arguments, "--no-check"], input=NORMED, capture_output=True, text=True, env=UNMEASURED)
    assert done.returncode == 0, done.stderr
    assert out.exists()
