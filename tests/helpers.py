"""What many tests need: nets and layers from a line of text, and where the shared material lies."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import settings

import netcount
from netcount.graph.graph import Graph
from netcount.layers.layer import Layer
from netcount.layers.registry import CATALOGUE
from netcount.prototxt.bind import bind
from netcount.prototxt.reader import read
from tests.conftest import TRIED

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "prototxt_samples"
CONFORMANCE = ROOT / "tests" / "conformance"
SHARED = ROOT.parent / "shared"
CORPUS = SHARED / "corpus"
GOLDEN = SHARED / "golden"
WIDE = SHARED / "wide"

needs_corpus = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the corpus of public nets (../shared/corpus) is not here"
)
needs_wide = pytest.mark.skipif(not WIDE.is_dir(), reason="the public nets of ../shared/wide are not here")
needs_golden = pytest.mark.skipif(not GOLDEN.is_dir(), reason="the golden models (../shared/golden) are not here")


def examples(count: int, **more: Any) -> settings:
    """How many generated examples a test tries; `--fuzz TIMES` tries so many times as many (tests/conftest.py)."""
    return settings(max_examples=count * settings().max_examples // TRIED, **more)


def schema(name: str) -> Any:
    """A JSON Schema that the package ships."""
    path = Path(netcount.__file__).parent / "schemas" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def valid(document: Any, name: str) -> Any:
    """A document that the schema of that name describes; else an error."""
    jsonschema.Draft202012Validator.check_schema(schema(name))
    jsonschema.validate(document, schema(name))
    return document


def layer_of(text: str, bottoms: int = 1, tops: int = 1, phase: str = "TEST") -> Layer:
    """The layer that `layer { TEXT }` describes; bottoms b0, b1 … and tops t0, t1 …"""
    blobs = "".join(f' bottom: "b{i}"' for i in range(bottoms))
    blobs += "".join(f' top: "t{i}"' for i in range(tops))
    problems: list[Any] = []
    unknown: list[Any] = []
    net = bind(read(f'layer {{ name: "it"{blobs} {text} }}', "test"), "NetParameter", problems, unknown)
    assert not problems, problems
    assert not unknown, unknown
    (message,) = net.children("layer")
    found = CATALOGUE.find(message)
    assert found is not None, text
    return found(message, max(tops, found.auto_tops), phase)


def net_of(text: str, **options: Any) -> netcount.Net:
    """A net from its text, in the batch the text says."""
    return netcount.loads(text, **{"batch": "net", **options})


def graph_of(net: netcount.Net | Path, **options: Any) -> Graph:
    """What a net holds, for the functions below the public ones; of a path: the net of that file."""
    return (net if isinstance(net, netcount.Net) else netcount.load(net, **options))._graph


def inputs(**shapes: tuple[int, ...]) -> str:
    """Input layers: `inputs(x=(2, 3, 4, 5))`."""
    return "".join(
        f'layer {{ name: "{name}" type: "Input" top: "{name}" input_param {{ shape {{ '
        + " ".join(f"dim: {extent}" for extent in shape)
        + " } } }\n"
        for name, shape in shapes.items()
    )


@cache
def conformance_cases() -> tuple[dict[str, Any], ...]:
    """The cases of the conformance suite: what Caffe did with small nets."""
    lines = (CONFORMANCE / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(json.loads(line) for line in lines)


def public_nets(folder: Path, every: int = 1) -> list[Path]:
    """Public nets below a folder in the order of their names: each n-th, or all where NETCOUNT_ALL_NETS is set."""
    return sorted((folder / "nets").iterdir())[:: 1 if os.environ.get("NETCOUNT_ALL_NETS") else every]


def corpus_truth() -> Iterator[dict[str, Any]]:
    """What Caffe inferred for public nets; nothing where the corpus is absent."""
    path = CORPUS / "truth.jsonl"
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)
