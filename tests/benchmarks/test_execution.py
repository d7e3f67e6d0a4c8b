"""How long a run takes, beside OpenCV's dnn on the same weights and beside the GEMMs alone.

The three take turns, so that whatever else the machine does hits all of them; ratios are of medians.
With OPENBLAS_NUM_THREADS=1 all use one thread, else as many as there are cores.
"""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from math import prod
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import pytest

import netcount
from netcount.execute.executor import Executor
from netcount.execute.init_weights import random_weights
from netcount.execute.verify import verify
from netcount.execute.weights import write_caffemodel
from netcount.kernels import scratch
from tests.helpers import SAMPLES, graph_of

NETS = ["squeezenet_v1.1", "mobilenet_v1"]
ROUNDS, WARM_UP = 31, 3
THREADS = int(os.environ.get("OPENBLAS_NUM_THREADS", os.cpu_count() or 1))


def prepared(name: str) -> tuple[netcount.Net, dict[str, Any], Any]:
    net = netcount.load(SAMPLES / f"{name}.prototxt")
    data = np.random.default_rng(1).standard_normal(net.inputs[0].shape, dtype=np.float32)
    return net, random_weights(graph_of(net)), data


def opencv(name: str, folder: Path) -> Callable[[], Any]:
    """A run of OpenCV's dnn on the same weights and input."""
    cv2 = pytest.importorskip("cv2")
    cv2.setNumThreads(THREADS)
    net, weights, data = prepared(name)
    write_caffemodel(folder / "w.caffemodel", graph_of(net), weights)
    judge = cv2.dnn.readNetFromCaffe(str(SAMPLES / f"{name}.prototxt"), str(folder / "w.caffemodel"))

    def run() -> Any:
        judge.setInput(data, "data")
        return judge.forward()

    return run


def products(name: str, depthwise: bool) -> Callable[[], Any]:
    """numpy's GEMM for the convolutions of the net, the operands lying ready.

    Without `depthwise` those of one channel per group are left out: as GEMMs they are slower than netcount's.
    """
    net, _, _ = prepared(name)
    pairs = []
    for node in net.nodes:
        if node.type == "Convolution":
            made, read, *kernel = node.params[0].shape
            group = node.bottom_shapes[0][1] // read
            if read == 1 and not depthwise:
                continue
            inner, wide = read * prod(kernel), node.top_shapes[0].count(2)
            a = np.ones((group, made // group, inner), dtype=np.float32)
            b = np.ones((group, inner, wide), dtype=np.float32)
            pairs.append((a, b))
    return lambda: [np.matmul(a, b) for a, b in pairs]


@pytest.mark.parametrize("name", NETS)
def test_side_by_side(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net, weights, data = prepared(name)
    executor = Executor(graph_of(net), weights)
    rivals = {
        "netcount": lambda: executor.run({"data": data}),
        "OpenCV": opencv(name, tmp_path),
        "GEMMs": products(name, depthwise=True),
        "GEMMs but depthwise": products(name, depthwise=False),
    }
    seconds: dict[str, list[float]] = {rival: [] for rival in rivals}
    for _ in range(WARM_UP + ROUNDS):
        for rival, run in rivals.items():
            start = perf_counter()
            run()
            seconds[rival].append(perf_counter() - start)
    middle = {rival: median(times[WARM_UP:]) for rival, times in seconds.items()}
    with capsys.disabled():
        print(f"\n{name}, {THREADS} threads: netcount {middle['netcount'] * 1e3:.1f} ms", end="")
        for rival in list(rivals)[1:]:
            print(f"; {middle['netcount'] / middle[rival]:.2f} times {rival}", end="")


@pytest.mark.parametrize("name", NETS)
def test_peak_memory(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    net = netcount.load(SAMPLES / f"{name}.prototxt")
    vars(scratch._KEPT).clear()  # what an earlier test left would not be counted
    tracemalloc.start()
    try:
        announced = verify(graph_of(net)).memory.total_bytes
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    with capsys.disabled():
        print(
            f"\n{name}: announced {announced / 2**20:.1f} MiB, measured {peak / announced:.2f} times that", end=""
        )


@pytest.mark.parametrize("name", NETS)
def test_netcount_runs(benchmark: Any, name: str) -> None:
    benchmark.group = name
    net, weights, data = prepared(name)
    executor = Executor(graph_of(net), weights)
    benchmark.pedantic(lambda: executor.run({"data": data}), rounds=15, warmup_rounds=2)


@pytest.mark.parametrize("name", NETS)
def test_opencv_runs(benchmark: Any, name: str, tmp_path: Path) -> None:
    benchmark.group = name
    benchmark.pedantic(opencv(name, tmp_path), rounds=15, warmup_rounds=2)


@pytest.mark.parametrize("name", NETS)
def test_the_products_alone(benchmark: Any, name: str) -> None:
    benchmark.group = name
    benchmark.pedantic(products(name, depthwise=True), rounds=15, warmup_rounds=2)
