"""Arrays, options, baselines and settings of layers that are broken, or beyond what can be computed."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netcount
from netcount.budget.baseline import read_baseline
from netcount.core.errors import InputError
from netcount.execute.inputs import Preparation, read_inputs
from netcount.execute.verify import verify
from netcount.layers.activation.relu import ReLU
from tests.cli.test_hostile import NET
from tests.command import run
from tests.helpers import graph_of, inputs


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.prototxt"
    path.write_text(NET, encoding="utf-8")
    return path


def header(shape: str) -> bytes:
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def archive(path: Path, data: bytes, method: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", method) as stream:
        stream.writestr("x.npy", data)


def broken_arrays(folder: Path) -> list[Path]:
    """Files that np.load answers with exceptions of many kinds, or not at all."""
    good = header("(1, 3, 8, 9)") + bytes(4 * 216)
    for name, data in {
        "empty.npy": b"",
        "cut.npy": good[:300],
        "lie.npy": header("(1000000, 1000000, 1000)"),
        "overflow.npy": header(f"({10**30},)"),
        "code.npy": header("__import__('os').abort()"),
        "text.npy": b"hello",
        "text.npz": b"hello",
    }.items():
        (folder / name).write_bytes(data)
    np.save(folder / "complex.npy", np.zeros((1, 3, 8, 9), complex))
    np.save(folder / "object.npy", np.array([{}], object), allow_pickle=True)
    archive(folder / "bomb.npz", header("(50000000,)") + bytes(2 * 10**8))
    archive(folder / "other.npz", b"no array")
    archive(folder / "whole.npz", good, zipfile.ZIP_STORED)
    whole = (folder / "whole.npz").read_bytes()
    (folder / "short.npz").write_bytes(whole[:300])
    (folder / "sum.npz").write_bytes(whole.replace(bytes(200), b"\x01" + bytes(199), 1))
    (folder / "whole.npz").unlink()
    (folder / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    (folder / "folder.npy").mkdir()
    return sorted(folder.iterdir())


def test_broken_arrays_are_input_errors(tmp_path: Path) -> None:
    found = netcount.loads(NET)
    for path in broken_arrays(tmp_path):
        with pytest.raises(InputError, match=r"cannot read|not a regular file") as caught:
            read_inputs([f"x={path}"], graph_of(found), Preparation())
        assert "\n" not in str(caught.value), path


@pytest.mark.parametrize("value", ["abc", [[1, 2], [3]], {"a": 1}, [10**400], object()])
def test_values_that_are_no_array_are_input_errors(value: Any) -> None:
    found = netcount.loads(NET)
    with pytest.raises(InputError, match="not an array of numbers"):
        found.run({"x": value})
    with pytest.raises(InputError, match="not an array of numbers"):
        found.run(weights={"c": [value, value]})


@pytest.mark.parametrize("options", [["--scale", "nan"], ["--mean", "1,inf"]])
def test_options_of_verify_that_make_no_sense(options: list[str], net: Path) -> None:
    done = run("verify", str(net), *[word.replace("NET", str(net)) for word in options])
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("text", ["tool = 5\n", "x = [\n\n", '"tool" = [1]\n'])
def test_a_strange_pyproject(text: str, tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(text, encoding="utf-8")
    done = run("check", "--config", str(path))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    if text.startswith("x"):
        assert f"{path}:3: not valid TOML" in done.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("totals", "totals.params is missing"),
        ("file", "file is not a path"),
        ("huge", f"totals.params is 1{37 * '0'} …, not a whole number from 0"),
        ("one", "totals.madds is 1, and "),
        ("least", "totals.peak_bytes is 0, not from "),
    ],
)
def test_a_baseline_that_lacks_something(change: str, said: str, net: Path) -> None:
    path = net.with_name("base.json")
    assert run("check", str(net), "--no-config", "--update-baseline", "--baseline", str(path)).returncode == 0
    document = json.loads(path.read_text(encoding="utf-8"))
    (entry,) = document["nets"].values()
    if change == "totals":
        del entry["totals"]["params"]
    elif change == "file":
        entry["file"] = "a\0b"
    elif change == "huge":
        entry["totals"]["params"] = 10**1000
    elif change == "one":
        entry["totals"]["madds"] = 1
    else:
        entry["totals"]["peak_bytes"] = 0
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError, match="not a complete baseline") as refused:
        read_baseline(str(path))
    assert said in str(refused.value)
    done = run("compare", str(net), str(path))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def bottom(text: str) -> str:
    return inputs(x=(2, 3, 8, 9)) + f'layer {{ name: "op" bottom: "x" top: "y" {text} }}'


def test_a_kernel_without_axes_has_a_name_in_every_format() -> None:
    text = inputs(x=(2, 3)) + (
        'layer { name: "op" type: "Convolution" bottom: "x" top: "y" convolution_param { num_output: 4 } }'
    )
    assert [share.kernel for share in netcount.loads(text).analyze().kernels] == ["Convolution"]
    for form in ("table", "csv", "markdown", "json"):
        assert run("analyze", "-", "--format", form, stdin=text).returncode == 0


@pytest.mark.parametrize("param", ["min_size: inf", "min_size: nan", "min_size: 4 aspect_ratio: inf flip: true"])
def test_prior_boxes_are_finite(param: str) -> None:
    text = inputs(x=(1, 3, 4, 5), i=(1, 3, 24, 32)) + (
        f'layer {{ name: "p" type: "PriorBox" bottom: "x" bottom: "i" top: "y" prior_box_param {{ {param} }} }}'
    )
    with pytest.raises(InputError, match="must be finite"):
        netcount.loads(text)


@pytest.mark.parametrize("param", ["base: 7 shift: 1000", "shift: 1000"])
def test_an_exp_too_large_is_infinite_as_in_caffe(param: str) -> None:
    found = netcount.loads(bottom(f'type: "Exp" exp_param {{ {param} }}'))
    assert np.isinf(found.run()["y"]).all()


def test_what_numpy_cannot_compute_is_an_input_error() -> None:
    class Breaking(ReLU):
        type = "Breaking"

        def value(self, x: Any) -> Any:
            raise ValueError("no such axis")

    text = inputs(x=(4, 2)) + 'layer { name: "l" type: "Breaking" bottom: "x" top: "y" }'
    found = netcount.loads(text, catalogue=netcount.CATALOGUE.with_(Breaking))
    with pytest.raises(InputError, match='Breaking "l" cannot be run on 1×2: no such axis'):
        found.run()


def test_a_mistake_of_netcounts_own_is_one_line(net: Path) -> None:
    code = (
        "import netcount.cli.analyze as a\n"
        "def load_net(*given, **named): raise KeyError('x')\n"
        "a.load_net = load_net\nfrom netcount.cli.entry import run; run()"
    )
    command = [sys.executable, "-c", code, "analyze", str(net)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "netcount: an internal error (KeyError: 'x'); NETCOUNT_DEBUG=1 shows where it is\n"


def test_a_batch_is_given_to_dummy_data_and_not_to_a_parameter() -> None:
    text = inputs(x=(6, 3, 8, 9)) + (
        'layer { name: "p" type: "Parameter" top: "p" parameter_param { shape { dim: 6 dim: 3 } } }'
        'layer { name: "d" type: "DummyData" top: "d" dummy_data_param { shape { dim: 6 dim: 3 dim: 4 dim: 5 } } }'
    )
    for batch in (1, 6, 15):
        found = netcount.loads(text, batch=batch)
        assert found.node("p").top_shapes == [(6, 3)]
        assert found.node("d").top_shapes == [(batch, 3, 4, 5)]
        assert verify(graph_of(found)).agrees
    with pytest.raises(InputError, match='has "p" as its weights'):
        netcount.loads(text, input_shapes={"p": (2, 3)})


@pytest.mark.parametrize(
    ("kind", "bottoms"), [("BatchNorm", "s"), ("ArgMax", "s"), ("Filter", "ss"), ("Filter", "xs")]
)
def test_a_blob_without_axes_has_no_axis_0(kind: str, bottoms: str) -> None:
    """A loss is such a blob; Caffe's Blob::shape(0) ends in a failed check."""
    text = inputs(s=(), x=(2, 3)) + f'layer {{ name: "op" type: "{kind}" top: "y"'
    with pytest.raises(InputError, match=f'{kind} "op"'):
        netcount.loads(text + "".join(f' bottom: "{name}"' for name in bottoms) + " }")


def test_no_channels_are_no_groups() -> None:
    text = inputs(x=(1, 0, 8, 9)) + (
        'layer { name: "op" type: "ConvolutionDepthwise" bottom: "x" top: "y" '
        "convolution_param { num_output: 6 kernel_size: 3 } }"
    )
    with pytest.raises(InputError, match="cannot be divided by group 0"):
        netcount.loads(text)


def test_an_extent_beyond_int_beside_one_of_0() -> None:
    with pytest.raises(InputError, match="INT_MAX"):
        netcount.loads(inputs(x=(0, 2**62)))
