"""How long a run takes, beside OpenCV's dnn on the same weights and beside the GEMMs alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netcount
from netcount.execute.executor import Executor
from netcount.execute.fill import random_weights
from netcount.execute.weights import write_caffemodel
from tests.helpers import SAMPLES

NETS = ["squeezenet_v1.1", "mobilenet_v1"]


def prepared(name: str) -> tuple[netcount.Net, dict[str, Any], Any]:
    net = netcount.load(SAMPLES / f"{name}.prototxt")
    data = np.random.default_rng(1).standard_normal(net.blobs[net.inputs[0]].shape, dtype=np.float32)
    return net, random_weights(net), data


@pytest.mark.parametrize("name", NETS)
def test_netcount_runs(benchmark: Any, name: str) -> None:
    benchmark.group = name
    net, weights, data = prepared(name)
    executor = Executor(net, weights)
    benchmark.pedantic(lambda: executor.run({"data": data}), rounds=15, warmup_rounds=2)


@pytest.mark.parametrize("name", NETS)
def test_opencv_runs(benchmark: Any, name: str, tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    benchmark.group = name
    net, weights, data = prepared(name)
    write_caffemodel(tmp_path / "w.caffemodel", net, weights)
    judge = cv2.dnn.readNetFromCaffe(str(SAMPLES / f"{name}.prototxt"), str(tmp_path / "w.caffemodel"))

    def run() -> Any:
        judge.setInput(data, "data")
        return judge.forward()

    benchmark.pedantic(run, rounds=15, warmup_rounds=2)


@pytest.mark.parametrize("name", NETS)
def test_the_products_alone(benchmark: Any, name: str) -> None:
    """numpy's GEMM for every convolution of the net, the operands lying ready."""
    benchmark.group = name
    net, _, _ = prepared(name)
    pairs = []
    for node in net.nodes:
        if node.type == "Convolution":
            made, read, *kernel = node.params[0].shape
            _, _, *spatial = node.top_shapes[0]
            group = node.bottom_shapes[0][1] // read
            inner = read * int(np.prod(kernel))
            a = np.ones((group, made // group, inner), dtype=np.float32)
            b = np.ones((group, inner, int(np.prod(spatial))), dtype=np.float32)
            pairs.append((a, b))
    benchmark.pedantic(lambda: [np.matmul(a, b) for a, b in pairs], rounds=15, warmup_rounds=2)
