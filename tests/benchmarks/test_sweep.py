"""How many variants of a net are counted in a second, and whether madds predict the time of small nets.

python -m pytest tests/benchmarks/test_sweep.py -o addopts="" -s
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import pytest

import netcount
from netcount.execute.executor import Executor
from netcount.execute.init_weights import random_weights
from tests.helpers import SAMPLES, graph_of

MOBILENET = SAMPLES / "mobilenet_v1.prototxt"
NETS = ("squeezenet_v1.1", "squeezenet_v1.0", "mobilenet_v1", "mobilenet_v2")
ROUNDS = 31


def test_a_thousand_variants(capsys: pytest.CaptureFixture[str]) -> None:
    widths, sizes = [f"0.{hundredth:02}" for hundredth in range(1, 101)], range(128, 288, 16)
    start = perf_counter()
    found = netcount.sweep(MOBILENET, widths, list(sizes))
    swept = perf_counter() - start
    start = perf_counter()
    for _ in range(100):
        netcount.load(MOBILENET).analyze()
    loaded = (perf_counter() - start) / 100
    number = len(found.variants)
    with capsys.disabled():
        print(f"\n{number} variants of MobileNet v1: {number / swept:.0f} a second")
        print(f"a variant takes {swept / number / loaded:.2f} times what loading and analyzing the file takes")
    assert not any(variant.error for variant in found.variants)


def test_one_axis_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """Widths at one resolution, and resolutions at one width: less is shared than in a grid."""
    widths = [f"0.{thousandth:03}" for thousandth in range(2, 1000, 2)]
    for name, arguments in {"widths": (widths, []), "resolutions": (["1"], list(range(32, 531)))}.items():
        start = perf_counter()
        found = netcount.sweep(MOBILENET, *arguments)
        swept = (perf_counter() - start) / len(found.variants)
        start = perf_counter()
        for _ in range(100):
            netcount.load(MOBILENET).analyze()
        loaded = (perf_counter() - start) / 100
        with capsys.disabled():
            number, each = len(found.variants), swept / loaded
            print(f"\n{number} {name}: {1 / swept:.0f} a second, each {each:.2f} times what the file takes")


def runs(name: str) -> tuple[Callable[[], Any], int, int]:
    net = netcount.load(SAMPLES / f"{name}.prototxt")
    executor = Executor(graph_of(net), random_weights(graph_of(net)))
    data = np.random.default_rng(1).standard_normal(net.inputs[0].shape, dtype=np.float32)
    analysis = net.analyze()
    return lambda: executor.run({"data": data}), analysis.totals.madds, analysis.memory().peak_bytes


def test_madds_against_time(capsys: pytest.CaptureFixture[str]) -> None:
    """The nets take turns; madds, peak memory and time of each beside SqueezeNet v1.1's."""
    rivals = {name: runs(name) for name in NETS}
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for round_ in range(ROUNDS + 3):
        for name, (run, _, _) in rivals.items():
            start = perf_counter()
            run()
            if round_ >= 3:
                seconds[name].append(perf_counter() - start)
    _, madds, peak = rivals[NETS[0]]
    time = median(seconds[NETS[0]])
    with capsys.disabled():
        print()
        for name, (_, own, own_peak) in rivals.items():
            took = median(seconds[name])
            print(
                f"{name:16} madds {own / madds:5.2f}  peak {own_peak / peak:5.2f}  time {took / time:5.2f}  "
                f"({took * 1e3:.0f} ms, {own / took / 1e9:.1f} GMAC/s)"
            )
