"""A convolution that does the work of the layers behind it gives what they give by themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import netcount
from netcount.execute.executor import Executor
from netcount.execute.init_weights import random_weights
from netcount.kernels.after import Finish
from netcount.kernels.run import Affine
from tests.helpers import graph_of, inputs

CONVOLUTIONS = {
    "1×1": "num_output: 6 kernel_size: 1",
    "1×1 without bias": "num_output: 6 kernel_size: 1 bias_term: false",
    "3×5": "num_output: 6 kernel_h: 3 kernel_w: 5 pad_h: 1 stride_h: 3 stride_w: 2",
    "groups": "num_output: 6 kernel_size: 3 group: 2",
    "depthwise": "num_output: 8 kernel_size: 3 group: 4 pad: 1",
    "dilated": "num_output: 6 kernel_size: 3 dilation: 2 bias_term: false",
}
CHAINS = {
    "ReLU": ["ReLU"],
    "BatchNorm Scale ReLU": ["BatchNorm", "Scale", "ReLU"],
    "Scale without a shift": ["ScaleOnly", "Bias"],
    "ReLU between": ["BatchNorm", "ReLU", "Scale", "TanH"],
    "a slope": ["Bias", "Leaky"],
    "a function of two passes": ["ELU"],
}
LAYERS = {
    "ReLU": 'type: "ReLU"',
    "Leaky": 'type: "ReLU" relu_param { negative_slope: 0.25 }',
    "TanH": 'type: "TanH"',
    "ELU": 'type: "ELU"',
    "BatchNorm": 'type: "BatchNorm"',
    "Scale": 'type: "Scale" scale_param { bias_term: true }',
    "ScaleOnly": 'type: "Scale"',
    "Bias": 'type: "Bias"',
}


def net(convolution: str, chain: list[str], in_place: bool, end: str = "") -> Any:
    text = inputs(x=(2, 4, 9, 11))
    text += (
        f'layer {{ name: "c" type: "Convolution" bottom: "x" top: "c" convolution_param {{ {convolution} }} }}\n'
    )
    blob = "c"
    for index, kind in enumerate(chain):
        top = blob if in_place else f"t{index}"
        text += f'layer {{ name: "l{index}" {LAYERS[kind]} bottom: "{blob}" top: "{top}" }}\n'
        blob = top
    pool = "pooling_param { kernel_size: 2 stride: 2 }"
    text += f'layer {{ name: "end" type: "Pooling" bottom: "{blob}" top: "end" {pool} }}\n{end}'
    return graph_of(netcount.loads(text, batch="net"))


def weights_of(graph: Any) -> dict[str, list[Any]]:
    """Random weights, statistics that are no identity among them."""
    rng = np.random.default_rng(3)
    weights = random_weights(graph)
    for node in graph.nodes:
        if node.type == "BatchNorm":
            mean, variance, factor = weights[node.name]
            weights[node.name] = [rng.normal(size=mean.shape), rng.uniform(0.5, 4, variance.shape), factor * 0 + 2]
        elif node.type in ("Scale", "Bias"):
            weights[node.name] = [rng.normal(size=blob.shape) for blob in weights[node.name]]
    return weights


@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("convolution", CONVOLUTIONS)
def test_it_is_what_the_layers_give_one_by_one(convolution: str, chain: str, in_place: bool) -> None:
    graph = net(CONVOLUTIONS[convolution], CHAINS[chain], in_place)
    weights = weights_of(graph)
    x = np.random.default_rng(1).normal(size=(2, 4, 9, 11)).astype(np.float32)
    single, fused = Executor(graph, weights, fuse=False), Executor(graph, weights)
    expected, shown = single.run({"x": x})["end"], fused.run({"x": x})["end"]
    np.testing.assert_allclose(shown, expected, rtol=2e-5, atol=2e-5)
    assert np.abs(expected).max() > 0.1
    for one, other in zip(single.steps, fused.steps, strict=True):
        assert (one.shapes, one.madds) == (other.shapes, other.madds)
        assert other.live_bytes <= one.live_bytes
        assert in_place <= (other.live_bytes == one.live_bytes)
    assert [step.done_with.name for step in fused.steps if step.done_with] == ["c"] * len(CHAINS[chain])
    assert all(step.done_with is None for step in single.steps)


def test_an_inner_blob_that_is_kept_is_not_fused_away() -> None:
    graph = net(CONVOLUTIONS["1×1"], ["BatchNorm", "Scale", "ReLU"], in_place=False)
    weights = weights_of(graph)
    executor = Executor(graph, weights, keep=["t0"])
    results = executor.run()
    assert [bool(step.done_with) for step in executor.steps] == [False, False, True, False, False, False]
    expected = Executor(graph, weights, keep=["t0"], fuse=False).run()["t0"]
    np.testing.assert_allclose(results["t0"], expected, rtol=2e-5, atol=2e-5)


READER = 'layer { name: "r" type: "TanH" bottom: "c" top: "r" }\n'


def test_a_blob_that_two_layers_read_is_not_fused_away() -> None:
    graph = net(CONVOLUTIONS["1×1"], ["ReLU"], in_place=False, end=READER)
    executor = Executor(graph, weights_of(graph))
    executor.run()
    assert all(step.done_with is None for step in executor.steps)


def test_statistics_of_the_batch_are_not_fused() -> None:
    text = inputs(x=(2, 4, 9, 11))
    text += 'layer { name: "c" type: "Convolution" bottom: "x" top: "c" '
    text += "convolution_param { num_output: 3 kernel_size: 1 } }\n"
    text += (
        'layer { name: "b" type: "BatchNorm" bottom: "c" top: "b" batch_norm_param { use_global_stats: false } }\n'
    )
    text += 'layer { name: "p" type: "Pooling" bottom: "b" top: "p" pooling_param { kernel_size: 2 } }\n'
    executor = Executor(graph_of(netcount.loads(text, batch="net")))
    executor.run()
    assert all(step.done_with is None for step in executor.steps)


def test_a_run_that_ends_inside_a_group_does_its_layers_one_by_one() -> None:
    graph = net(CONVOLUTIONS["1×1"], ["ReLU", "TanH"], in_place=False)
    executor = Executor(graph, weights_of(graph))
    executor.run(until=2)
    assert [step.done_with for step in executor.steps] == [None] * 3


def test_affine_passes_are_one() -> None:
    a, b, c, d = (np.array(values, dtype=np.float32) for values in ([2, 3], [5, 7], [11, 13], [17, 19]))
    block = np.ones((2, 1, 4), dtype=np.float32)
    finish = Finish(a, [Affine(b, c), Affine(None, d)], (2, 1))
    finish(block)
    assert block[:, 0, 0].tolist() == [(1 + 2) * 5 + 11 + 17, (1 + 3) * 7 + 13 + 19]
    assert not Finish(None, [], (2, 1))
