"""The JSON document is what docs/json.md and the schema promise, for nets of every kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import netcount
from netcount.analysis.conventions import CONVENTIONS
from tests.helpers import CORPUS, ROOT, SAMPLES, inputs, needs_corpus, public_nets

SCHEMA = json.loads((Path(netcount.__file__).parent / "schemas" / "analysis.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

TOP = ["schema", "net", "file", "phase", "batch", "convention", "complete", "warnings", "layers", "totals"]
LAYER = [
    "name",
    "type",
    "line",
    "bottoms",
    "tops",
    "blobs",
    "kernel",
    "stride",
    "pad",
    "dilation",
    "group",
    "end_line",
]
FIGURES = ["params", "statistics", "madds", "cost", "ops", "activations", "weight_bytes"]
KERNEL = ["scope", "kernel", "depthwise", "layers", "params", "madds", "share_madds", "share_params"]
OPS = ["madds", "adds", "muls", "divs", "compares", "exps"]

TWO_FACED = (
    inputs(x=(2, 3, 8, 9), y=(2, 3, 8, 9), s=(2,))
    + "".join(
        f'layer {{ name: "c{blob}" type: "Convolution" bottom: "{blob}" top: "c{blob}" param {{ name: "w" }} '
        "convolution_param { num_output: 4 kernel_h: 2 kernel_w: 3 bias_term: false } }\n"
        for blob in "xy"
    )
    + 'layer { name: "f" type: "Filter" bottom: "cx" bottom: "s" top: "f" }\n'
    'layer { name: "u" type: "Unheard" bottom: "f" top: "u" }\n'
    'layer { name: "l" type: "EuclideanLoss" bottom: "cx" bottom: "cy" top: "l" }\n'
)


def checked(analysis: netcount.Analysis) -> dict[str, Any]:
    """The document, valid, as it is read back from JSON; its rows sum to its totals."""
    document: dict[str, Any] = json.loads(json.dumps(analysis.to_dict(), allow_nan=False))
    VALIDATOR.validate(document)
    totals = document["totals"]
    for key in set(FIGURES) - {"ops"}:
        assert sum(layer[key] for layer in document["layers"]) == totals[key], key
    for key in OPS:
        assert sum(layer["ops"][key] for layer in document["layers"]) == totals["ops"][key], key
    assert totals["weight_bytes"] == 4 * (totals["params"] + totals["statistics"])
    whole = [share for share in document["kernels"] if share["scope"] == "net"]
    assert sum(share["madds"] for share in whole) == totals["madds"]
    return document


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.prototxt")), ids=lambda path: path.stem)
def test_samples(path: Path, convention: str) -> None:
    document = checked(netcount.load(path).analyze(convention))
    assert document["convention"] == convention
    assert document["complete"] is True


def test_keys_stand_in_the_order_of_the_contract() -> None:
    document = checked(netcount.load(SAMPLES / "squeezenet_v1.1.prototxt").analyze())
    assert list(document) == [*TOP, "kernels", "inputs", "outputs"]
    (layer, *_) = document["layers"]
    assert list(layer) == [*LAYER, *FIGURES, "note"]
    assert list(layer["ops"]) == list(document["totals"]["ops"]) == OPS
    assert list(document["totals"]) == FIGURES
    assert list(document["kernels"][0]) == KERNEL


def test_what_is_shared_assumed_bound_by_data_or_without_axes() -> None:
    document = checked(netcount.loads(TWO_FACED, assume={"Unheard": "identity"}, batch=1).analyze())
    layers = {layer["name"]: layer for layer in document["layers"]}
    assert layers["cx"]["kernel"] == [2, 3]
    assert (layers["cx"]["stride"], layers["cx"]["pad"], layers["cx"]["dilation"]) == ([1, 1], [0, 0], [1, 1])
    assert [(layer["line"], layer["end_line"]) for layer in document["layers"]][:4] == [
        (1, 1),
        (2, 2),
        (3, 3),
        (4, 4),
    ]
    assert layers["cx"]["group"] == 1
    assert layers["cx"]["blobs"] == [{"role": "weight", "shape": [4, 3, 2, 3], "shared_with": None}]
    assert layers["cy"]["blobs"] == [{"role": "weight", "shape": [4, 3, 2, 3], "shared_with": "cx/0"}]
    assert layers["cy"]["params"] == 0
    assert layers["l"]["tops"] == [{"blob": "l", "shape": []}]
    assert layers["l"]["kernel"] is layers["l"]["group"] is None
    assert layers["f"]["note"]
    assert layers["cx"]["note"] is None
    assert document["complete"] is False
    assert {warning["place"]["line"] for warning in document["warnings"]} == {6, 7}


def test_a_net_without_layers() -> None:
    document = checked(netcount.loads("").analyze())
    assert document["batch"] is None
    assert document["kernels"] == document["layers"] == []
    assert document["warnings"] == [
        {"place": {"file": "<text>", "line": 1, "column": 1}, "message": "the net has no layers in phase TEST"}
    ]


@needs_corpus
def test_public_nets() -> None:
    analyses = 0
    for path in public_nets(CORPUS, 14):
        try:
            checked(netcount.load(path).analyze())
            analyses += 1
        except netcount.NetcountError:
            continue
    assert analyses > 10


def test_the_page_names_every_key() -> None:
    page = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    keys = {key for part in (SCHEMA, *SCHEMA["$defs"].values()) for key in part.get("properties", {})}
    assert len(keys) > 30
    for key in keys:
        assert f'"{key}"' in page or f"`{key}`" in page, key
