"""`Net.upgrade`, `Net.fold` and `Net.export`: the commands' answers in Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import netcount
from netcount.core.errors import InputError, LimitError
from tests.helpers import inputs

OLD = """input: "x" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 9
layers { name: "r" type: RELU bottom: "x" top: "y" }  # stays
"""
NORMED = inputs(x=(1, 2, 5, 7)) + (
    'layer { name: "c" type: "Convolution" bottom: "x" top: "c"\n'
    "convolution_param { num_output: 3 kernel_size: 3 } }\n"
    'layer { name: "b" type: "BatchNorm" bottom: "c" top: "c" }\n'
    'layer { name: "p" type: "Pooling" bottom: "c" top: "p" pooling_param { kernel_size: 2 stride: 2 } }\n'
    'layer { name: "m" type: "MVN" bottom: "p" top: "m" }\n'
)


def test_upgrade() -> None:
    upgraded = netcount.loads(OLD, batch=2).upgrade()
    assert upgraded.forms == ("V1 layers", "inputs in the header")
    assert upgraded.notes == ()
    assert "# stays" in str(upgraded) == upgraded.text
    assert upgraded.net is not None
    assert upgraded.net.blobs[0].shape == (2, 3, 8, 9), "for as many images"
    again = upgraded.net.upgrade()
    assert (again.text, again.forms) == (upgraded.text, ())
    assert "current form" in repr(again)


def test_fold(tmp_path: Path) -> None:
    net = netcount.loads(NORMED)
    folded = net.fold()
    assert folded.gone == {"b": ("c",)}
    assert [layer.name for layer in folded.net.layers] == ["x", "c", "p", "m"]
    assert folded.weights is None
    assert 0 <= folded.error < 1e-4
    weights = {
        name: [np.float32(2) + array for array in arrays]
        for name, arrays in {
            "c": [np.zeros((3, 2, 3, 3), np.float32), np.zeros(3, np.float32)],
            "b": [np.zeros(3, np.float32), np.ones(3, np.float32), np.zeros(1, np.float32)],
        }.items()
    }
    given = net.fold(weights=weights)
    assert given.weights is not None
    x = {"x": np.linspace(-1, 1, 70, dtype=np.float32).reshape(1, 2, 5, 7)}
    before, after = net.run(x, weights=weights), given.net.run(x, weights=given.weights)
    np.testing.assert_allclose(after["m"], before["m"], atol=1e-5)
    with pytest.raises(LimitError):
        net.fold(max_memory=1)


@pytest.mark.parametrize(("form", "package"), [("onnx", "onnxruntime"), ("ncnn", "ncnn")])
def test_export(form: str, package: str, tmp_path: Path) -> None:
    pytest.importorskip(package, reason=f"{package} is not installed")
    pytest.importorskip(form, reason=f"{form} is not installed")
    net = netcount.loads(NORMED)
    exported = net.export(form, until="p")  # type: ignore[arg-type]
    assert exported.checked is not None
    assert exported.checked.engine.startswith(package)
    assert exported.checked.error < 1e-4
    written = exported.write(tmp_path / f"net{exported.endings[0]}")
    assert [Path(name).read_bytes() for name in written] == list(exported.parts)
    with pytest.raises(LimitError):
        net.export(form, max_memory=1)  # type: ignore[arg-type]


def test_wrong_arguments_are_named() -> None:
    net = netcount.loads(NORMED)
    for ask in ({"form": "caffe"}, {"fp16": 3}, {"check": "no"}, {"open_batch": 2}, {"seed": -1}):
        (name,) = ask
        with pytest.raises(InputError, match=name):
            net.export(**{"form": "ncnn", **ask})  # type: ignore[arg-type]
    with pytest.raises(InputError, match="one image at a time"):
        net.export("ncnn", open_batch=True)


def test_an_open_batch_is_checked_for_two() -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    model = onnx.ModelProto.FromString(netcount.loads(NORMED).export("onnx", open_batch=True).parts[0])
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"
