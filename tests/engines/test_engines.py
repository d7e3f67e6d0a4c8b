"""Engines on tiny nets: the same outputs, the times of layers at the right layers, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.engines import known
from netcount.engines.engine import Engine, LayerTimes, Subject
from netcount.engines.groups import grouped
from netcount.engines.known import ENGINES, Known, chosen
from netcount.engines.opencv import deploy_text
from netcount.execute.executor import Executor
from netcount.execute.stand_ins import distance, lively_weights, stand_ins
from netcount.execute.weights import write_caffemodel
from netcount.graph.graph import Graph
from netcount.graph.load import load_text
from netcount.graph.options import LoadOptions
from tests.helpers import inputs

NET = (
    inputs(x=(1, 3, 9, 11))
    + """
layer { name: "conv" type: "Convolution" bottom: "x" top: "c"
  convolution_param { num_output: 8 kernel_size: 3 pad: 1 } }
layer { name: "bn" type: "BatchNorm" bottom: "c" top: "c" }
layer { name: "scale" type: "Scale" bottom: "c" top: "c" scale_param { bias_term: true } }
layer { name: "relu" type: "ReLU" bottom: "c" top: "c" }
layer { name: "dw" type: "Convolution" bottom: "c" top: "d"
  convolution_param { num_output: 8 kernel_h: 3 kernel_w: 5 group: 8 } }
layer { name: "left" type: "Pooling" bottom: "d" top: "l" pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "right" type: "Pooling" bottom: "d" top: "r" pooling_param { pool: AVE kernel_size: 2 stride: 2 } }
layer { name: "cat" type: "Concat" bottom: "l" bottom: "r" top: "cat" }
layer { name: "drop" type: "Dropout" bottom: "cat" top: "cat" }
layer { name: "fc" type: "InnerProduct" bottom: "cat" top: "fc" inner_product_param { num_output: 5 } }
layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }
"""
)


def graph(text: str = NET, **options: Any) -> Graph:
    return load_text(text, LoadOptions.of(**options))


def subject(folder: Path, text: str = NET, **options: Any) -> Subject:
    """A net as a process of an engine gets it."""
    net = graph(text, **options)
    made = Subject(
        text, "test", LoadOptions.of(**options), str(folder / "w.caffemodel"), str(folder / "x.npz"), str(folder)
    )
    write_caffemodel(made.weights, net, lively_weights(net))
    np.savez(made.inputs, **stand_ins(net))  # type: ignore[arg-type]  # the names are the net's
    return made


def loaded(name: str, one: Subject) -> Engine:
    """An engine with a net; the test is skipped where it is not installed."""
    pytest.importorskip(ENGINES[name].module, reason=f"the engine {name} is not installed")
    if name in ("onnxruntime", "openvino"):
        pytest.importorskip("onnx", reason="the extra onnx is not installed")
    kind = ENGINES[name].loaded()
    net = one.net()
    return kind(kind.prepared(net, lively_weights(net), one), 1)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("batch", [1, 3])
def test_every_engine_computes_what_the_executor_does(name: str, batch: int, tmp_path: Path) -> None:
    one = subject(tmp_path, batch=batch)
    net = one.net()
    if name == "ncnn" and batch > 1:
        with pytest.raises(InputError, match="one image at a time"):
            loaded(name, one)
        return
    expected = Executor(net, lively_weights(net)).run(stand_ins(net))
    outputs = loaded(name, one).run(stand_ins(net))
    assert outputs["prob"].shape == (batch, 5)
    assert distance(expected["prob"], np.asarray(outputs["prob"])) < 1e-4


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_says_its_version(name: str, tmp_path: Path) -> None:
    engine = loaded(name, subject(tmp_path))
    assert engine.version[:1].isdigit()


@pytest.mark.parametrize("name", ENGINES)
def test_times_stand_at_the_layers_of_the_file(name: str, tmp_path: Path) -> None:
    """Each layer that computes has a time, or is with a layer that has one."""
    one = subject(tmp_path)
    net = one.net()
    times = loaded(name, one).layer_times(stand_ins(net), 2)
    if times is None:
        pytest.skip(f"{name} does not tell")
    told = grouped(net, times)
    at = {node.name: net.nodes[told.of[node.index]].name for node in net.nodes if node.index in told.of}
    assert {"conv", "dw", "fc", "left", "right"} <= {net.nodes[index].name for index in told.seconds}
    assert [at[layer] for layer in ("bn", "scale", "relu")] == ["conv"] * 3, "all of them fuse these"
    assert set(at) >= {node.name for node in net.nodes if node.type not in ("Input", "Dropout")}
    assert all(seconds > 0 for seconds in told.seconds.values())
    assert times.rest >= 0


def names(net: Graph, of: Mapping[int, int]) -> dict[str, str]:
    return {net.nodes[index].name: net.nodes[leader].name for index, leader in of.items() if index != leader}


def test_a_group_is_named_after_its_first_or_its_last_layer() -> None:
    net = graph()
    index = {node.name: node.index for node in net.nodes}
    starts = ("conv", "dw", "left", "cat", "fc", "prob")
    first = grouped(net, LayerTimes({index[name]: 1.0 for name in starts}))
    assert names(net, first.of) == {"bn": "conv", "scale": "conv", "relu": "conv", "right": "dw", "drop": "cat"}
    last = grouped(net, LayerTimes({index["relu"]: 1.0, index["dw"]: 2.0, index["prob"]: 4.0}, "last"))
    assert last.seconds == {index["conv"]: 1.0, index["dw"]: 2.0, index["fc"]: 4.0}
    assert names(net, last.of)["bn"] == "conv"
    assert names(net, last.of)["prob"] == "fc"


def test_an_engine_may_say_itself_what_it_computes_together() -> None:
    net = graph()
    index = {node.name: node.index for node in net.nodes}
    group = [index[name] for name in ("relu", "scale", "bn", "conv")]
    told = grouped(net, LayerTimes({index["relu"]: 1.0, index["dw"]: 2.0}, groups=[group]))
    assert told.seconds == {index["conv"]: 1.0, index["dw"]: 2.0}
    assert names(net, told.of)["relu"] == "conv"


def test_the_deploy_text_is_the_same_net() -> None:
    text = """
    layer { name: "d" type: "Data" top: "x" top: "label" include { phase: TEST } data_param { batch_size: 2 } }
    layer { name: "f" type: "InnerProduct" bottom: "x" top: "f" inner_product_param { num_output: 4 } }
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "f" bottom: "label" top: "loss" }
    """
    shapes = {"x": [2, 3, 4, 5], "label": [2]}
    net = graph(text, batch="net", input_shapes=shapes)
    again = load_text(deploy_text(net), LoadOptions.of(batch="net"))
    assert [blob.shape for blob in again.blobs] == [blob.shape for blob in net.blobs]
    assert [node.type for node in again.nodes] == ["Input", "InnerProduct", "SoftmaxWithLoss"]


def test_engines_are_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        known,
        "ENGINES",
        {"numpy": ENGINES["numpy"], "gone": Known("no_such_module", "gone", "gone-cpu", "gone:Gone")},
    )
    assert chosen() == ["numpy"]
    assert chosen(["numpy", "numpy"]) == ["numpy"]
    with pytest.raises(InputError, match=r'engines: "gone" takes gone-cpu, of the extra netcount\[gone\]'):
        chosen(["gone"])
    with pytest.raises(InputError, match="numpi"):
        chosen(["numpi"])
    with pytest.raises(InputError, match="no engine"):
        chosen([])
