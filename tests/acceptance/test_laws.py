"""Laws over every type of the catalogue, and over every sample: what is inferred is what happens."""

from __future__ import annotations

import inspect
import sys
import tracemalloc
from functools import cache
from typing import Any

import numpy as np
import pytest

import netcount
from netcount.analysis.backward import has_rule
from netcount.core.errors import InputError
from netcount.execute.executor import Executor
from netcount.execute.init_weights import random_weights
from netcount.execute.verify import verify
from netcount.layers import window
from netcount.layers.bases import ShapesOnly
from netcount.layers.layer import Wanted
from netcount.layers.registry import CATALOGUE, keys_of, python_key, shipped_types
from tests import cases_of_detectors, cases_of_forks
from tests.cases import CASES, TOLD, TRUTHS, ZEROS
from tests.helpers import CONFORMANCE, GOLDEN, SAMPLES, conformance_cases, graph_of, needs_golden

ROWS = {**TRUTHS, **cases_of_forks.ROWS, **cases_of_detectors.ROWS}
SHAPES_ONLY = {key for key in CASES if issubclass(CATALOGUE.get(key) or object, ShapesOnly)}
WITH_ARRAYS = [case for case in conformance_cases() if "arrays" in case]


@cache
def net_of_case(key: str) -> netcount.Net:
    return netcount.loads(CASES[key], batch="net", input_shapes=TOLD.get(key, {}))


def test_every_type_has_a_case() -> None:
    judged = set()
    for case in conformance_cases():
        if case["verdict"] == "accepted":
            judged |= {layer["type"] for layer in case["layers"]} | {case["layer"]}
    assert set(shipped_types()) <= judged | set(CASES)


def test_every_case_is_about_its_type() -> None:
    for key in CASES:
        node = net_of_case(key).nodes[-1]
        own = python_key(node.message) if node.type == "Python" and node.bottoms else node.type
        assert key in (own, node.type, python_key(node.message) if node.type == "Python" else "")


def test_no_gradient_costs_more_than_all_gradients() -> None:
    for key in CASES:
        node = graph_of(net_of_case(key)).nodes[-1]
        if not has_rule(node.layer):
            continue
        most, least = (
            node.layer.backward(
                node.bottom_shapes,
                node.top_shapes,
                Wanted((wanted,) * len(node.bottoms), (wanted,) * len(node.params)),
            )
            for wanted in (True, False)
        )
        if most is not None and least is not None:
            assert all(0 <= a <= b for a, b in zip(least, most, strict=True)), key


@pytest.mark.parametrize("key", sorted(shipped_types()))
def test_each_class_says_where_it_comes_from(key: str) -> None:
    found = CATALOGUE.get(key)
    assert found is not None
    assert found.__doc__
    assert found.source
    assert key in keys_of(found)


def inputs_for(key: str, net: netcount.Net) -> dict[str, Any]:
    """What a case needs besides random numbers, and labels where they are read as such."""
    found = {}
    for blob in net.inputs:
        rows = ROWS.get(key, {}).get(blob.name)
        if rows is not None:
            found[blob.name] = np.zeros(blob.shape, dtype=np.float32)
            found[blob.name].reshape(-1, len(rows[0]))[: len(rows)] = rows
        elif blob.name == ZEROS.get(key):
            found[blob.name] = np.zeros(blob.shape, dtype=np.float32)
        elif blob.name == "i":
            found[blob.name] = np.array([[80, 112, 1]], dtype=np.float32)
        elif net.nodes[blob.producer].type != "Input":
            found[blob.name] = np.random.default_rng(7).standard_normal(blob.shape, dtype=np.float32)
    if isinstance(net.nodes[-1].layer, ShapesOnly):
        found |= {top.name: np.ones(top.shape, dtype=np.float32) for top in net.nodes[-1].tops}
    return found


@pytest.mark.parametrize("key", sorted(CASES))
def test_executed_is_inferred_and_performed_is_counted(key: str) -> None:
    net = netcount.loads(CASES[key], batch="net", input_shapes=TOLD.get(key, {}))
    found = verify(graph_of(net), inputs=inputs_for(key, net))
    assert found.agrees
    for node, layer in zip(net.nodes, found.layers, strict=True):
        if node.layer.data_dependent(node.bottom_shapes) is None:
            for top in layer.tops:
                assert top.executed == top.inferred
    for array in found.outputs.values():
        assert array.dtype == np.float32
        assert np.isfinite(array).all()


def forbidden(*_: Any, **__: Any) -> Any:
    raise AssertionError("forward asks the rules that it is to be held against")


@pytest.mark.parametrize("key", sorted(CASES))
def test_forward_asks_no_rule_of_shapes(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net = netcount.loads(CASES[key], batch="net", input_shapes=TOLD.get(key, {}))
    run_without_rules(Executor(graph_of(net)), inputs_for(key, net), monkeypatch)


@pytest.mark.parametrize("case", WITH_ARRAYS, ids=lambda c: str(c["name"]))
def test_forward_asks_no_rule_of_shapes_in_the_conformance_suite(
    case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    net = netcount.loads(case["prototxt"], batch="net")
    given, weights, _ = arrays_of(case)
    run_without_rules(Executor(graph_of(net), weights), given, monkeypatch)


def run_without_rules(executor: Executor, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run with `infer`, `blobs` and `ops` of every layer, and all of `window.py`, out of order."""
    rules = {value for value in vars(window).values() if inspect.isfunction(value)}
    for name, module in list(sys.modules.items()):
        if name.startswith("netcount.layers."):
            for key, value in list(vars(module).items()):
                if inspect.isfunction(value) and value in rules:
                    monkeypatch.setattr(module, key, forbidden)
    for name, value in vars(window.WindowParam).items():
        if inspect.isfunction(value) and name != "__init__":
            monkeypatch.setattr(window.WindowParam, name, forbidden)
    for cls in {cls for node in executor.net.nodes for cls in type(node.layer).__mro__}:
        for rule in {"infer", "blobs", "ops", "working_memory", "window"} & set(vars(cls)):
            monkeypatch.setattr(cls, rule, forbidden)
    executor.run(given)


@pytest.mark.parametrize("key", sorted({*TRUTHS, *SHAPES_ONLY}))
def test_a_truth_that_is_none_is_refused_and_the_tops_can_be_given(key: str) -> None:
    net = netcount.loads(CASES[key], batch="net", input_shapes=TOLD.get(key, {}))
    with pytest.raises(InputError, match="inputs="):
        Executor(graph_of(net)).run()
    tops = {top.name: np.zeros(top.shape, dtype=np.float32) for top in net.nodes[-1].tops}
    assert set(Executor(graph_of(net)).run(tops)) >= set(tops)


def arrays_of(case: dict[str, Any]) -> tuple[dict[str, Any], dict[str, list[Any]], dict[str, Any]]:
    """Inputs, weights and Caffe's outputs of a case."""
    given: dict[str, Any] = {}
    weights: dict[str, list[Any]] = {}
    expected: dict[str, Any] = {}
    with np.load(CONFORMANCE / case["arrays"]) as arrays:
        for key in sorted(arrays.files):
            kind, _, name = key.partition("/")
            if kind == "input":
                given[name] = arrays[key]
            elif kind == "weight":
                weights.setdefault(name.rpartition("/")[0], []).append(arrays[key])
            else:
                expected[name] = arrays[key]
    if case["name"] == "memorydata":
        given |= expected  # a DummyData layer stood in for it: there is nothing to compute
    return given, weights, expected


@pytest.mark.parametrize("case", WITH_ARRAYS, ids=lambda c: str(c["name"]))
def test_outputs_are_caffes(case: dict[str, Any]) -> None:
    net = netcount.loads(case["prototxt"], batch="net")
    given, weights, expected = arrays_of(case)
    executor = Executor(graph_of(net), weights)
    outputs = executor.run(given)
    assert set(expected) <= set(outputs)
    for name, theirs in expected.items():
        ours = outputs[name]
        assert ours.size == theirs.size
        np.testing.assert_allclose(ours.reshape(theirs.shape), theirs, rtol=1e-4, atol=1e-5)
    for step in executor.steps:
        node = step.node
        assert node.layer.ops(node.bottom_shapes, node.top_shapes).madds == step.madds
        if node.layer.data_dependent(node.bottom_shapes) is None:
            assert list(step.shapes) == node.top_shapes


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.prototxt")), ids=lambda p: p.stem)
def test_samples_run_as_counted(path: Any) -> None:
    tracemalloc.start()
    try:
        net = netcount.load(path)
        found = verify(graph_of(net))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.agrees
    assert peak_bytes <= 1.2 * found.memory.total_bytes
    assert sum(layer.performed for layer in found.layers) == net.analyze().totals.madds
    memory = net.analyze().memory()
    assert [layer.live_bytes for layer in found.layers] == [4 * layer.live for layer in memory.layers]
    assert found.peak is not None
    assert found.peak.live_bytes == memory.peak_bytes
    assert all(np.isfinite(array).all() for array in found.outputs.values())


@needs_golden
@pytest.mark.parametrize("name", ["squeezenet_v1.1", "mobilenet_v1"])
def test_golden_nets(name: str) -> None:
    import json

    from netcount.execute.weights import read_caffemodel

    net = netcount.load(GOLDEN / f"{name}.prototxt", batch="net")
    weights = read_caffemodel(GOLDEN / f"{name}.caffemodel", graph_of(net))
    assert weights.extra == ()
    sums = json.loads((GOLDEN / f"{name}.blobs.json").read_text())
    with np.load(GOLDEN / f"{name}.npz") as arrays:
        outputs = Executor(graph_of(net), weights.blobs, keep=sums).run({"data": arrays["input/data"]})
        theirs = arrays["output/prob"]
    np.testing.assert_allclose(outputs["prob"].reshape(theirs.shape), theirs, rtol=1e-3, atol=1e-7)
    for blob, known in sums.items():
        values = outputs[blob].astype(np.float64).ravel()
        scale = known["abs_sum"]
        assert abs(values.sum() - known["sum"]) <= 1e-3 * scale
        assert abs(np.abs(values).sum() - scale) <= 1e-3 * scale
        sample = known["sample"]
        ours = values[np.arange(len(sample)) * (len(values) // len(sample))]
        np.testing.assert_allclose(ours, sample, rtol=1e-3, atol=1e-6 * np.abs(sample).max())


def test_the_same_seed_gives_the_same_weights() -> None:
    net = netcount.load(SAMPLES / "squeezenet_v1.1.prototxt")
    first, again, other = (random_weights(graph_of(net), seed)["conv1"][0] for seed in (5, 5, 6))
    assert (first == again).all()
    assert (first != other).any()
