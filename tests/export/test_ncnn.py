"""ncnn: what is exported agrees in ncnn, blob by blob, and the rest is told at once."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError, NetcountError
from netcount.execute.executor import Executor
from netcount.execute.stand_ins import distance, lively_weights, stand_ins
from netcount.export import ncnn_rules
from netcount.export.graph_of_layers import line
from netcount.export.ncnn import FAMILIES, halved, rules, to_ncnn
from netcount.export.ncnn_check import Loaded, check_ncnn, write_model
from netcount.export.written import export_net
from netcount.graph.graph import Graph
from netcount.graph.load import load_text
from netcount.graph.options import LoadOptions
from netcount.layers.registry import Catalogue
from tests.cases import CASES
from tests.cases_of_detectors import CASES as DETECTORS
from tests.cases_of_forks import CASES as FORKS
from tests.export.test_onnx import small
from tests.helpers import ROOT, conformance_cases, inputs

pytest.importorskip("ncnn", reason="the extra ncnn is not installed")

X = inputs(x=(1, 6, 9, 11))
NETS = {**CASES, **FORKS, **DETECTORS} | {
    f"conformance {case['name']}": case["prototxt"] for case in conformance_cases() if case.get("arrays")
}
EXPRESSED = 140
"""So many of these nets at least are exported; a rule that is lost would lower it."""


def graph(text: str) -> Graph:
    return load_text(text, LoadOptions.of(batch=1))


def checked(text: str) -> float:
    net = graph(text)
    weights = lively_weights(net)
    return check_ncnn(to_ncnn(net, weights), weights).error


def layer(kind: str, more: str = "", bottoms: str = "x", top: str = "y") -> str:
    given = "".join(f' bottom: "{name}"' for name in bottoms.split())
    return f'layer {{ name: "{kind}" type: "{kind}"{given} top: "{top}" {more} }}\n'


def test_every_net_agrees_or_is_refused() -> None:
    """One layer each, of every type, and Caffe's own cases."""
    errors = {}
    for name, text in NETS.items():
        try:
            net = graph(text)
        except NetcountError:
            continue  # sources whose shapes only a caller knows
        weights = lively_weights(net)
        try:
            model = to_ncnn(net, weights)
        except InputError as problem:
            assert "cannot express" in str(problem) or "nothing comes out" in str(problem)
            continue
        errors[name] = check_ncnn(model, weights).error
    assert {name: error for name, error in errors.items() if not error < 1e-4} == {}
    assert len(errors) >= EXPRESSED


@pytest.mark.parametrize(
    "text",
    [
        layer("Pooling", "pooling_param { pool: AVE kernel_h: 3 kernel_w: 2 stride: 3 pad_h: 2 pad_w: 1 }"),
        layer("Pooling", "pooling_param { pool: AVE kernel_size: 4 stride: 3 }"),
        layer("Pooling", "pooling_param { kernel_size: 4 stride: 3 pad: 3 }"),
        layer("SPP", "spp_param { pyramid_height: 2 pool: AVE }"),
        layer("LRN", "lrn_param { local_size: 5 alpha: 0.3 k: 2 }"),
        layer("LRN", "lrn_param { local_size: 3 alpha: 0.3 norm_region: WITHIN_CHANNEL }"),
        layer("Permute", "permute_param { order: 0 order: 3 order: 1 order: 2 }"),
        layer("Flatten", "flatten_param { axis: 2 }", top="f")
        + layer("Permute", "permute_param { order: 0 order: 2 order: 1 }", "f"),
        layer("Reduction", "reduction_param { operation: SUMSQ axis: 2 coeff: 0.5 }"),
        layer("InnerProduct", "inner_product_param { num_output: 5 axis: 3 }"),
        layer("Crop", "crop_param { axis: 1 offset: 2 offset: 1 offset: 3 }", "x s"),
        layer("Deconvolution", "convolution_param { num_output: 4 kernel_h: 3 kernel_w: 4 stride: 2 group: 2 }"),
        layer("Scale", "scale_param { axis: 2 num_axes: 2 bias_term: true }"),
        layer("Pooling", "pooling_param { global_pooling: true }", top="p")
        + layer("Flatten", "", "p", "f")
        + layer("Scale", "scale_param { axis: 0 }", "x f"),
        layer("BroadcastMul", "", "k x"),
        layer("MergeCrop", "", "s x"),
        layer("MergeCrop", "mergecrop_param { operation: ADD }", "t x"),
        layer("Eltwise", "eltwise_param { coeff: 1 coeff: -2 }", "x x"),
        layer("Split", 'top: "z"', top="y") + layer("ReLU", "", "y", "a") + layer("TanH", "", "y", "b"),
        layer("Slice", 'slice_param { axis: 1 slice_point: 2 } top: "z"', top="y"),
        layer("Dropout", "", "x", "x") + layer("ReLU", "", "x", "x"),
    ],
    ids=lambda text: text.split('"')[1],
)
def test_forms_of_layers(text: str) -> None:
    assert checked(inputs(x=(1, 6, 9, 11), s=(1, 3, 4, 5), t=(1, 6, 4, 5), k=(1, 6, 1, 1)) + text) < 1e-5


@pytest.mark.parametrize("name", ["mobilenet_v1", "squeezenet_v1.1"])
def test_samples(name: str) -> None:
    net = small(name)
    weights = lively_weights(net)
    model = to_ncnn(net, weights)
    assert check_ncnn(model, weights).error < 1e-4
    assert {blob.name for blob in net.blobs} <= {made for _, _, _, outputs, _ in model.ops for made in outputs}


def test_float16_weights_are_rounded_and_nothing_else(tmp_path: Path) -> None:
    net = graph(X + layer("Convolution", "convolution_param { num_output: 7 kernel_size: 3 }"))
    weights = lively_weights(net)
    whole, half = to_ncnn(net, weights), to_ncnn(net, weights, half=True)
    values = 7 * 6 * 3 * 3
    assert (len(whole.weights), len(half.weights)) == (4 + 4 * values + 28, 4 + 2 * values + 28)
    given = stand_ins(net)
    (y,) = Loaded(*write_model(half, str(tmp_path))).run({"x": given["x"][0]}, ["y"]).values()
    rounded = distance(Executor(net, halved(net, weights)).run(given)["y"][0], y)
    exact = distance(Executor(net, weights).run(given)["y"][0], y)
    assert rounded < 1e-6 < 1e-5 < exact < 1e-2
    weights["Convolution"][0] = weights["Convolution"][0] * np.float32(1e6)
    with pytest.raises(InputError, match='"Convolution" has weights beyond 65504'):
        to_ncnn(net, weights, half=True)


def test_all_layers_without_words_are_named_at_once() -> None:
    text = X + layer("Accum", "", top="a") + layer("ReLU", "", top="r") + layer("Filter", "", "x l", "f")
    with pytest.raises(InputError) as caught:
        to_ncnn(graph(inputs(l=(1, 1)) + text))
    assert [row.split('"')[1] for row in str(caught.value).splitlines()] == ["Accum", "Filter"]
    assert export_net(graph(inputs(l=(1, 1)) + text), "ncnn", until="r").checked is not None


def test_one_image_at_a_time() -> None:
    net = load_text(X + layer("ReLU"), LoadOptions(batch=2))
    for other, given in ((None, net), (net, graph(X + layer("ReLU")))):
        with pytest.raises(InputError, match="one image at a time"):
            export_net(given, "ncnn", other_batch=other)
    with pytest.raises(InputError, match="for ncnn"):
        export_net(net, "onnx", fp16=True)


def test_the_file_says_how_it_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    net = graph(X + layer("TanH"))
    for check, said in ((True, "netcount.checked:_ncnn_"), (False, "netcount.checked:_no,_as_was_asked")):
        made = export_net(net, "ncnn", check=check)
        assert said in made.parts[0].decode().splitlines()[-1]
    monkeypatch.setitem(sys.modules, "ncnn", None)
    with pytest.raises(InputError, match=r"the extra netcount\[ncnn\].*or write it unchecked with check=False"):
        export_net(net, "ncnn")
    assert export_net(net, "ncnn", check=False).parts == made.parts


def test_a_wrong_model_is_not_given_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from netcount.layers.activation.tanh import TanH

    activation: Any = __import__("netcount.export.ncnn_rules.activation", fromlist=["RULES"])
    monkeypatch.setitem(activation.RULES, TanH, activation._plain("Sigmoid"))
    with pytest.raises(InputError, match='in ncnn "y" differs by'):
        export_net(graph(X + layer("TanH")), "ncnn")


def test_names_are_words_of_a_line() -> None:
    """Blanks and controls part lines and words; a name that is too long is cut."""
    hostile = r"a b\n0=1 \033[31m"
    text = inputs(x=(1, 2, 3)) + (
        f'layer {{ name: "{hostile}" type: "ReLU" bottom: "x" top: "{hostile}" }}\n'
        f'layer {{ name: "" type: "TanH" bottom: "{hostile}" top: "{"n" * 300}" }}\n'
    )
    net = graph(text)
    weights = lively_weights(net)
    model = to_ncnn(net, weights)
    assert check_ncnn(model, weights).error < 1e-6
    for row, op in zip(model.param("no").splitlines()[2:], model.ops, strict=False):
        assert len(row.split(" ")) == 4 + len(op[2]) + len(op[3]) + len(op[4])
        assert row.isprintable()


def test_files_stand_side_by_side() -> None:
    made = export_net(graph(X + layer("ReLU")), "ncnn", check=False)
    assert list(made.files("a/b.param")) == list(made.files("a/b.bin")) == ["a/b.param", "a/b.bin"]
    assert list(made.files("b")) == ["b", "b.bin"]


def test_every_family_is_read() -> None:
    folder = Path(ncnn_rules.__file__).parent
    assert {path.stem for path in folder.glob("*.py")} == {*FAMILIES, "__init__"}
    assert set(rules()) <= {Catalogue().get(key) for key in Catalogue()}


def test_the_page_lists_the_types() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "write_engines_page.py"))
    page = (ROOT / "docs" / "engines.md").read_text(encoding="utf-8")
    assert tool["render"](page) == page
    assert "`Convolution`" in tool["ncnn_types"]()


def test_a_float_has_a_point() -> None:
    assert line("Power", "p", ["x"], ["y"], {0: 1.0, 1: 2, 3: [0.5]}) == (
        "Power p 1 1 x y 0=1.000000000e+00 1=2 -23303=1,5.000000000e-01"
    )
