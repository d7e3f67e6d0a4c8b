"""How long an analysis takes, beside protobuf's own text parser and an empty interpreter.

python -m pytest tests/benchmarks --benchmark-only -o addopts="" --benchmark-columns=min,median
"""

from __future__ import annotations

import subprocess
import sys
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
@pytest.mark.benchmark(group="ResNet-152")
def test_protobuf_parses(benchmark: Any) -> None:
    text = RESNET_152.read_text(encoding="utf-8")
    benchmark(lambda: text_format.Parse(text, message_class("NetParameter")()))


@needs_corpus
@pytest.mark.benchmark(group="ResNet-152")
def test_netcount_analyzes(benchmark: Any) -> None:
    benchmark(lambda: netcount.load(RESNET_152).analyze())


@pytest.mark.benchmark(group="a chain of layers")
@pytest.mark.parametrize("layers", [1_000, 100_000])
def test_cost_a_layer(benchmark: Any, layers: int) -> None:
    text = chain(layers)
    benchmark.pedantic(lambda: netcount.load(text).analyze(), rounds=20 if layers < 10_000 else 3)
    benchmark.extra_info["microseconds_a_layer"] = benchmark.stats["min"] / layers * 1e6


@pytest.mark.benchmark(group="whole command")
@pytest.mark.parametrize("what", ["python -c pass", "netcount analyze"])
def test_whole_command(benchmark: Any, what: str) -> None:
    code = "pass" if what == "python -c pass" else "from netcount.cli.main import run; run()"
    command = [sys.executable, "-c", code, "analyze", str(SAMPLES / "squeezenet_v1.1.prototxt")]
    benchmark(lambda: subprocess.run(command, stdout=subprocess.PIPE, check=True))
