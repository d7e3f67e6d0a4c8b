"""How long an analysis takes, beside protobuf's own text parser and an empty interpreter.

python -m pytest tests/benchmarks/test_analysis.py -o addopts="" --benchmark-columns=min,median
"""

from __future__ import annotations

import subprocess
import sys
from statistics import median
from time import perf_counter
from typing import Any

import pytest
from google.protobuf import text_format

import netcount
from netcount.prototxt.protobuf import message_class
from tests.helpers import CORPUS, SAMPLES, inputs, needs_corpus

RESNET_152 = CORPUS / "nets" / "KaimingHe__deep-residual-networks__prototxt__ResNet-152-deploy.prototxt"


def chain(layers: int) -> str:
    """A net of that many layers: convolutions and ReLUs in turn."""
    text = [inputs(b0=(1, 8, 9, 9))]
    for index in range(layers // 2):
        text.append(
            f'layer {{ name: "c{index}" type: "Convolution" bottom: "b{index}" top: "b{index + 1}" '
            "convolution_param { num_output: 8 kernel_size: 3 pad: 1 } }\n"
            f'layer {{ name: "r{index}" type: "ReLU" bottom: "b{index + 1}" top: "b{index + 1}" }}\n'
        )
    return "".join(text)


@needs_corpus
def test_beside_protobuf(capsys: pytest.CaptureFixture[str]) -> None:
    """File to finished analysis, and protobuf's parser alone, in turns."""
    text = RESNET_152.read_text(encoding="utf-8")
    make = message_class("NetParameter")
    own, theirs = [], []
    for _ in range(80):
        start = perf_counter()
        netcount.load(RESNET_152).analyze()
        middle = perf_counter()
        text_format.Parse(text, make())
        own.append(middle - start)
        theirs.append(perf_counter() - middle)
    with capsys.disabled():
        print(
            f"\nResNet-152: {min(own) / min(theirs):.2f} of protobuf's time by the shortest, "
            f"{median(own) / median(theirs):.2f} by medians ({median(own) * 1e3:.0f} ms)"
        )


@pytest.mark.benchmark(group="a chain of layers")
@pytest.mark.parametrize("layers", [1_000, 100_000])
def test_cost_a_layer(benchmark: Any, layers: int) -> None:
    text = chain(layers)
    benchmark.pedantic(lambda: netcount.loads(text).analyze(), rounds=20 if layers < 10_000 else 3)
    benchmark.extra_info["microseconds_a_layer"] = benchmark.stats["min"] / layers * 1e6


@pytest.mark.benchmark(group="whole command")
@pytest.mark.parametrize("what", ["python -c pass", "netcount analyze"])
def test_whole_command(benchmark: Any, what: str) -> None:
    code = "pass" if what == "python -c pass" else "from netcount.cli.entry import run; run()"
    command = [sys.executable, "-c", code, "analyze", str(SAMPLES / "squeezenet_v1.1.prototxt")]
    benchmark(lambda: subprocess.run(command, stdout=subprocess.PIPE, check=True))
