"""ONNX: every type has a rule or a reason, and what is exported agrees in ONNX Runtime, blob by blob."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import netcount
from netcount.core.errors import InputError, NetcountError
from netcount.execute.executor import Executor
from netcount.execute.stand_ins import distance, lively_weights, stand_ins
from netcount.export import onnx_rules
from netcount.export.onnx import FAMILIES, rules, to_onnx
from netcount.export.onnx_check import check_onnx, session
from netcount.export.onnx_reasons import REASONS
from netcount.export.written import export_net
from netcount.graph.graph import Graph
from netcount.graph.load import load_text
from netcount.graph.options import LoadOptions
from netcount.layers.registry import Catalogue
from tests.cases import CASES
from tests.cases_of_detectors import CASES as DETECTORS
from tests.cases_of_forks import CASES as FORKS
from tests.helpers import CORPUS, ROOT, SAMPLES, WIDE, conformance_cases, inputs, needs_corpus, public_nets

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")

UNEXPRESSED = {"silence", "smoothl1"}
"""Conformance cases with arrays that are not exported: nothing comes out, and a loss for training."""
X = inputs(x=(2, 6, 9, 11))


def graph(text: str, **options: Any) -> Graph:
    return load_text(text, LoadOptions.of(**{"batch": "net", **options}))


def checked(text: str, **options: Any) -> float:
    net = graph(text)
    weights = lively_weights(net)
    return check_onnx(to_onnx(net, weights, **options), weights).error


def test_the_page_lists_every_type_without_a_rule() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "write_engines_page.py"))
    page = (ROOT / "docs" / "engines.md").read_text(encoding="utf-8")
    assert tool["render"](page) == page
    unruled = tool["unruled"]()
    assert not [key for key, kind in unruled.items() if kind.source == "stock"], "every stock type has a rule"
    names = {kind.__name__ for kind in unruled.values()}
    assert set(REASONS) <= names, "a reason for a type that has a rule, or that is not there"


def test_every_family_is_read() -> None:
    folder = Path(onnx_rules.__file__).parent
    assert {path.stem for path in folder.glob("*.py")} == {*FAMILIES, "general", "__init__"}
    known = {Catalogue().get(key) for key in Catalogue()}
    assert set(rules()) <= known


@pytest.mark.parametrize(
    "case", [case for case in conformance_cases() if case.get("arrays")], ids=lambda case: case["name"]
)
def test_conformance_cases(case: dict[str, Any]) -> None:
    if case["name"] in UNEXPRESSED:
        with pytest.raises(InputError, match=r"cannot express|nothing comes out"):
            checked(case["prototxt"])
        return
    assert checked(case["prototxt"]) < 1e-4


@pytest.mark.parametrize("name", sorted({**CASES, **FORKS, **DETECTORS}))
def test_a_net_for_every_type(name: str) -> None:
    """It agrees, or it is told that it cannot be said."""
    text = {**CASES, **FORKS, **DETECTORS}[name]
    try:
        net = graph(text)
    except NetcountError:
        return  # sources whose shapes only a caller knows
    try:
        exported = to_onnx(net, lively_weights(net))
    except InputError as problem:
        assert "cannot express" in str(problem) or "nothing comes out" in str(problem)
        return
    assert check_onnx(exported, lively_weights(net)).error < 1e-4


SIDES = {
    "alexnet": 99, "googlenet": 64, "mobilenet_v1": 64, "mobilenet_v2": 64, "mobilenet_v2_arxiv1": 64, "nin": 99,
    "resnet50": 64, "squeezenet_v1.0": 67, "squeezenet_v1.0_complex_bypass": 67, "squeezenet_v1.0_release": 67,
    "squeezenet_v1.0_simple_bypass": 67, "squeezenet_v1.1": 67,
    "vgg16": 32,
}  # fmt: skip


def small(name: str) -> Graph:
    """A sample for small images: rescaled, so that poolings over the whole plane still are that."""
    text = (SAMPLES / f"{name}.prototxt").read_text(encoding="utf-8")
    text = text.replace("num_output: 4096", "num_output: 16")
    return load_text(netcount.loads(text).rescale(resolution=SIDES[name]).text)


@pytest.mark.parametrize("name", sorted(SIDES))
def test_samples(name: str) -> None:
    net = small(name)
    weights = lively_weights(net)
    exported = to_onnx(net, weights)
    assert check_onnx(exported, weights).error < 1e-4
    names = {blob.name for blob in net.blobs}
    tensors = {name for node in exported.model.graph.node for name in node.output} | set(exported.inputs)
    assert names <= tensors, "the file's names are kept"


def test_the_batch_stays_open() -> None:
    two = load_text(small("squeezenet_v1.1").nodes[-1].message.tree.source.text, LoadOptions(batch=3))
    net = small("squeezenet_v1.1")
    weights = lively_weights(net)
    exported = to_onnx(net, weights, dynamic=True)
    assert exported.model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"
    assert check_onnx(exported, weights).error < 1e-4
    assert check_onnx(exported._replace(net=two), weights).error < 1e-4


def test_what_has_the_batch_built_in_says_so() -> None:
    text = X + 'layer { name: "s" type: "Slice" bottom: "x" top: "a" top: "b" slice_param { axis: 0 } }'
    assert checked(text) < 1e-4
    with pytest.raises(InputError, match="cuts the axis of images: not with an open batch"):
        to_onnx(graph(text), dynamic=True)


def test_a_constant_is_one_for_any_number_of_images() -> None:
    text = inputs(x=(1, 3, 20, 30), f=(1, 2, 4, 5)) + (
        'layer { name: "r" type: "ReLU" bottom: "x" top: "r" }\n'
        'layer { name: "p" type: "PriorBox" bottom: "f" bottom: "x" top: "p" prior_box_param { min_size: 3 } }\n'
    )
    exported = to_onnx(load_text(text), dynamic=True)
    for batch in (1, 2):
        net = load_text(text, LoadOptions(batch=batch))
        assert check_onnx(exported._replace(net=net)).error < 1e-6


def test_in_place_blobs_keep_their_name_at_the_end() -> None:
    text = X + 'layer { name: "r" type: "ReLU" bottom: "x" top: "x" }\n'
    text += 'layer { name: "c" type: "TanH" bottom: "x" top: "y" }\n'
    text += 'layer { name: "s" type: "Sigmoid" bottom: "y" top: "y" }\n'
    exported = to_onnx(graph(text))
    assert exported.inputs == ("x",)
    assert exported.outputs == ("y",)
    assert [node.output[0] for node in exported.model.graph.node] == ["x@r", "y@c", "y"]
    assert checked(text) < 1e-4


def test_until_leaves_the_rest_out() -> None:
    text = X + 'layer { name: "r" type: "ReLU" bottom: "x" top: "r" }\n'
    text += 'layer { name: "p" type: "Python" bottom: "r" top: "p" python_param { module: "m" layer: "L" } }\n'
    net = load_text(text, LoadOptions.of(assume={"m.L": "identity"}))
    with pytest.raises(InputError, match="export the part before with until="):
        to_onnx(net)
    assert export_net(net, "onnx", until="r").checked is not None
    with pytest.raises(InputError, match='no blob is called "q"'):
        to_onnx(net, until="q")


def test_all_layers_without_words_are_named_at_once() -> None:
    body = "".join(
        f'layer {{ name: "r{i}" type: "ReLU" bottom: "x" top: "y{i}" }}\n'
        f'layer {{ name: "l{i}" type: "Accum" bottom: "x" top: "z{i}" }}\n'
        for i in range(2)
    )
    with pytest.raises(InputError) as found:
        to_onnx(graph(X + body))
    assert [line.split('"')[1] for line in str(found.value).splitlines()] == ["l0", "l1"]


def test_a_wrong_model_is_not_given_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from netcount.export.onnx_rules import activation
    from netcount.layers.activation.tanh import TanH

    text = X + 'layer { name: "t" type: "TanH" bottom: "x" top: "y" }'
    monkeypatch.setitem(activation.RULES, TanH, activation._plain("Sigmoid"))  # type: ignore[arg-type]
    with pytest.raises(InputError, match='in ONNX Runtime "y" differs by'):
        export_net(graph(text), "onnx")


def test_the_file_says_how_it_was_checked() -> None:
    text = X + 'layer { name: "t" type: "TanH" bottom: "x" top: "y" }'
    for check, said in ((True, "onnxruntime"), (False, "no, as was asked")):
        made = export_net(graph(text), "onnx", check=check)
        model = onnx.ModelProto.FromString(made.parts[0])
        assert said in {entry.key: entry.value for entry in model.metadata_props}["netcount.checked"]


def test_trained_weights_are_in_the_file() -> None:
    net = graph(X + 'layer { name: "s" type: "Scale" bottom: "x" top: "y" }')
    weights = {"s": [np.arange(6, dtype=np.float32)]}
    made = export_net(net, "onnx", weights)
    given = stand_ins(net)
    (y,) = session(made.parts[0]).run(None, given)
    assert distance(Executor(net, weights).run(given)["y"], y) < 1e-6


def test_detections_are_sorted_and_suppressed() -> None:
    """Many boxes that overlap, two images, and limits before and after the suppression."""
    boxes, classes = 40, 3
    text = inputs(l=(2, boxes * 4), c=(2, boxes * classes), p=(1, 2, boxes * 4)) + (
        'layer { name: "d" type: "DetectionOutput" bottom: "l" bottom: "c" bottom: "p" top: "y" '
        "detection_output_param { num_classes: 3 confidence_threshold: 0.1 keep_top_k: 9 "
        "nms_param { nms_threshold: 0.3 top_k: 20 } } }"
    )
    net = graph(text)
    generator = np.random.default_rng(5)
    corner = generator.uniform(0, 0.7, (boxes, 2))
    priors = np.concatenate([corner, corner + 0.2], axis=1).reshape(-1)
    given = {
        "l": generator.normal(0, 0.3, (2, boxes * 4)),
        "c": generator.uniform(0, 1, (2, boxes * classes)),
        "p": np.stack([priors, np.full(boxes * 4, 0.1)])[None],
    }
    given = {name: value.astype(np.float32) for name, value in given.items()}
    model = to_onnx(net).model.SerializeToString()
    for confidence in (given["c"], given["c"] * 0):
        arrays = given | {"c": confidence.astype(np.float32)}
        (y,) = session(model).run(None, arrays)
        assert distance(Executor(net).run(arrays)["y"], y) < 1e-5


def test_the_tool_counts_by_reason(tmp_path: Path) -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "export_breadth.py"))
    for name, text in {
        "good": X + 'layer { name: "r" type: "ReLU" bottom: "x" top: "y" }',
        "bad": X + 'layer { name: "a" type: "Accum" bottom: "x" top: "y" }',
        "no_net": "layer {",
        "copy": X + 'layer { name: "r" type: "ReLU" bottom: "x" top: "y" }',
    }.items():
        (tmp_path / f"{name}.prototxt").write_text(text, encoding="utf-8")
    done = CliRunner().invoke(tool["main"], [str(tmp_path), "--dynamic"])
    assert done.stdout.startswith("2 nets: 1 export and agree, 1 are refused, 0 differ\n")
    assert "| Accum: no rule is written" in done.stdout


@needs_corpus
def test_public_nets() -> None:
    """A sample of small ones agrees; most others are expressible."""
    agreed = 0
    paths = [*public_nets(CORPUS, 12), *(public_nets(WIDE, 80) if WIDE.is_dir() else [])]
    for path in paths:
        try:
            net = load_text(path.read_text(encoding="utf-8", errors="surrogateescape"), LoadOptions(), path.name)
            work = sum(node.layer.ops(node.bottom_shapes, node.top_shapes).madds for node in net.nodes)
            if work > 3e8 or net.learnable() > 1e7 or not net.complete:
                continue
            weights = lively_weights(net)
            exported = to_onnx(net, weights)
        except NetcountError:
            continue
        try:
            Executor(net, weights).run(stand_ins(net))
        except NetcountError:
            continue
        assert check_onnx(exported, weights).error < 1e-4, path.name
        agreed += 1
    assert agreed >= 3
