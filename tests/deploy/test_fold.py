"""Folding: the same outputs with fewer layers, the same text around them, and a reason for what stays."""

from __future__ import annotations

import numpy as np
import pytest

import netcount
from netcount.core.errors import InputError, NetcountError
from netcount.core.shape import Shape
from netcount.deploy import agree
from netcount.deploy.agree import fold_and_run
from netcount.deploy.fold import Folded, fold
from netcount.execute.executor import Executor
from netcount.execute.stand_ins import distance, lively_weights
from netcount.graph.options import LoadOptions
from tests.helpers import CORPUS, SAMPLES, conformance_cases, inputs, needs_corpus, public_nets

X = inputs(x=(2, 6, 9, 11))
SHARED = 'param { name: "w" } type: "Convolution" convolution_param { num_output: 8 kernel_size: 2 }'
CONV = 'type: "Convolution" convolution_param'
LAYERS = {
    "Convolution": f"{CONV} {{ num_output: 8 kernel_h: 3 kernel_w: 2 bias_term: BIAS }}",
    "group": f"{CONV} {{ num_output: 8 kernel_size: 2 group: 2 bias_term: BIAS }}",
    "depthwise": 'type: "ConvolutionDepthwise" convolution_param { kernel_size: 2 bias_term: BIAS }',
    "Deconvolution": 'type: "Deconvolution" '
    "convolution_param { num_output: 4 kernel_size: 3 stride: 2 group: 2 bias_term: BIAS }",
    "InnerProduct": 'type: "InnerProduct" inner_product_param { num_output: 5 bias_term: BIAS }',
    "transpose": 'type: "InnerProduct" inner_product_param { num_output: 5 transpose: true bias_term: BIAS }',
    "Scale": 'type: "Scale" scale_param { bias_term: BIAS }',
}
AFFINE = {
    "BatchNorm": 'type: "BatchNorm" batch_norm_param { eps: 0.01 }',
    "NVIDIA": 'type: "BatchNorm" batch_norm_param { scale_bias: true }',
    "Scale": 'type: "Scale" scale_param { bias_term: true }',
    "factor": 'type: "Scale"',
    "one factor": 'type: "Scale" scale_param { num_axes: 0 }',
    "Bias": 'type: "Bias"',
    "BN": 'type: "BN"',
    "SegNet": 'type: "BN" bn_param { bn_mode: INFERENCE }',
    "Power": 'type: "Power" power_param { scale: 0.5 shift: -2 }',
}


def layer(name: str, kind: str, bottom: str, top: str) -> str:
    tops = "".join(f' top: "{t}"' for t in top.split())
    return f'layer {{ name: "{name}" bottom: "{bottom}"{tops} {kind} }}\n'


def folded(text: str) -> Folded:
    """The net folded with weights in which nothing is 0 or 1, its outputs held against the whole net's."""
    net = netcount.loads(text, batch="net")
    weights = lively_weights(net)
    made = fold(text, options=net_options(), weights=weights)
    was, now = net.run(weights=weights), netcount.loads(made.text, batch="net").run(weights=made.weights)
    assert was.keys() == now.keys()
    for name in was:
        assert distance(was[name], now[name]) < 1e-5, name
    return made


def net_options() -> LoadOptions:
    return LoadOptions(batch=None)


def names(made: Folded) -> list[str]:
    return [node.name for node in made.net.nodes]


@pytest.mark.parametrize("bias", ["true", "false"])
@pytest.mark.parametrize("after", AFFINE)
@pytest.mark.parametrize("kind", LAYERS)
def test_into_the_layer_before(kind: str, after: str, bias: str) -> None:
    if kind in ("InnerProduct", "transpose") and after == "SegNet":
        pytest.skip("SegNet's BN makes four axes of two")
    top = layer("l", LAYERS[kind].replace("BIAS", bias), "x", "l") + layer("a", AFFINE[after], "l", "a")
    made = folded(X + top + layer("r", 'type: "ReLU"', "a", "y"))
    assert len(names(made)) == 3
    assert kind == "Scale" or names(made) == ["x", "l", "r"]
    assert made.net.nodes[1].tops[0].name == "a"


@pytest.mark.parametrize("bias", ["true", "false"])
@pytest.mark.parametrize("before", AFFINE)
@pytest.mark.parametrize("kind", LAYERS)
def test_into_the_layer_behind(kind: str, before: str, bias: str) -> None:
    text = X + layer("p", 'type: "ReLU"', "x", "p") + layer("a", AFFINE[before], "p", "a")
    made = folded(text + layer("l", LAYERS[kind].replace("BIAS", bias), "a", "y"))
    stays = kind == "Deconvolution" and before not in ("factor", "one factor")
    assert len(names(made)) == 3 + stays
    assert kind == "Scale" or names(made) == (["x", "p", "a", "l"] if stays else ["x", "p", "l"])
    if stays:
        assert "adds up windows" in made.left[0].reason


def test_in_place_chains_and_comments() -> None:
    text = (
        "# top\n" + X + 'layer { name: "c" type: "Convolution" bottom: "x" top: "c" # conv\n'
        "  convolution_param {\n    num_output: 4 # four\n    kernel_size: 3\n    bias_term: false\n  }\n}\n"
        '# the norm\nlayer { name: "b" type: "BatchNorm" bottom: "c" top: "c" }\n'
        'layer { name: "s" type: "Scale" bottom: "c" top: "c" scale_param { bias_term: true } }  # scaled\n'
        'layer { name: "r" type: "ReLU" bottom: "c" top: "c" }\n'
    )
    made = folded(text)
    assert made.text == (
        "# top\n" + X + 'layer { name: "c" type: "Convolution" bottom: "x" top: "c" # conv\n'
        "  convolution_param {\n    num_output: 4 # four\n    kernel_size: 3\n    bias_term: true\n  }\n}\n"
        '# the norm\n# scaled\nlayer { name: "r" type: "ReLU" bottom: "c" top: "c" }\n'
    )
    assert [(step.layer, step.into) for step in made.steps] == [("b", ("c",)), ("s", ("c",))]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (layer("r", 'type: "ReLU"', "x", "r") + layer("b", AFFINE["BatchNorm"], "r", "b")
         + layer("c", 'type: "Convolution" convolution_param { num_output: 4 kernel_size: 3 pad: 1 }', "b", "y"),
         'pads with zeros, which the shift would not reach'),
        (layer("c", LAYERS["group"].replace("BIAS", "true"), "x", "c") + layer("b", AFFINE["BatchNorm"], "c", "b")
         + layer("r", 'type: "ReLU"', "c", "y"), 'is read by other layers too'),
        (layer("b", 'type: "BatchNorm" batch_norm_param { use_global_stats: false }', "x", "y"),
         "statistics of each batch"),
        (layer("b", 'type: "Scale" scale_param { num_axes: 2 }', "x", "y"), "more than one axis"),
        (layer("b", 'type: "Power" power_param { power: 2 }', "x", "y"), "no factor and shift"),
        (layer("d", 'type: "Dropout"', "x", "d"), "is an output of the net"),
        (layer("s", 'type: "Split"', "x", "s t") + layer("r", 'type: "ReLU"', "s", "s")
         + layer("e", 'type: "Eltwise" bottom: "t"', "s", "y"), "overwritten in place"),
        (layer("c", SHARED, "x", "c") + layer("c2", SHARED, "x", "c2") + layer("b", AFFINE["BatchNorm"], "c", "y"),
         "shares its weights"),
    ],
)  # fmt: skip
def test_what_stays_and_why(body: str, reason: str) -> None:
    made = folded(X + body)
    assert not made.steps
    assert reason in made.left[0].reason
    assert made.text == X + body


def test_a_factor_goes_through_padding_where_there_is_no_shift() -> None:
    conv = 'type: "Convolution" convolution_param { num_output: 4 kernel_size: 3 pad: 1 bias_term: false }'
    text = X + layer("r", 'type: "ReLU"', "x", "r") + layer("s", AFFINE["factor"], "r", "s")
    made = folded(text + layer("c", conv, "s", "y"))
    assert names(made) == ["x", "r", "c"]
    assert "bias_term: false" in made.text


def test_several_readers_take_it() -> None:
    text = X + layer("r", 'type: "ReLU"', "x", "r") + layer("b", AFFINE["BatchNorm"], "r", "b")
    text += layer("c", LAYERS["group"].replace("BIAS", "false"), "b", "c")
    text += layer("d", LAYERS["Convolution"].replace("BIAS", "true"), "b", "d")
    assert names(folded(text)) == ["x", "r", "c", "d"]


def test_a_norm_goes_into_a_scale_where_no_weights_are() -> None:
    text = X + layer("r", 'type: "ReLU"', "x", "r") + layer("b", AFFINE["BatchNorm"], "r", "b")
    made = folded(text + layer("s", 'type: "Scale"', "b", "s") + layer("q", 'type: "ReLU"', "s", "y"))
    assert names(made) == ["x", "r", "s", "q"]
    assert "scale_param { bias_term: true }" in made.text


def test_dropout_and_split_go() -> None:
    text = X + layer("r", 'type: "ReLU"', "x", "r") + layer("d", 'type: "Dropout"', "r", "d")
    text += layer("s", 'type: "Split"', "d", "a b") + layer("e", 'type: "Eltwise" bottom: "b"', "a", "y")
    assert names(folded(text)) == ["x", "r", "e"]
    last = X + layer("r", 'type: "ReLU"', "x", "r") + layer("q", 'type: "TanH"', "r", "r")
    made = folded(last + layer("d", 'type: "Dropout"', "r", "y"))
    assert [blob.name for blob in made.net.blobs] == ["x", "y", "y"]


def test_old_layers_are_upgraded_on_the_way() -> None:
    text = (
        'input: "x" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 9\n'
        'layers { name: "c" type: CONVOLUTION bottom: "x" top: "c" blobs_lr: 1 blobs_lr: 2 '
        "convolution_param { num_output: 4 kernel_size: 3 } }\n"
        'layers { name: "d" type: DROPOUT bottom: "c" top: "c" }\n'
    )
    assert names(folded(text)) == ["input", "c"]


def test_the_lines_stay_where_only_counted() -> None:
    text = (SAMPLES / "mobilenet_v1.prototxt").read_text(encoding="utf-8")
    whole, made = netcount.loads(text), fold(text, same_lines=True).net
    lines = {node.name: node.place.line for node in whole.nodes}
    assert all(lines[node.name] == node.place.line for node in made.nodes)
    assert not any(blob.role == "statistic" for node in made.nodes for blob in node.params)


@pytest.mark.parametrize("name", ["mobilenet_v1", "resnet50", "squeezenet_v1.1"])
def test_samples_on_small_images(name: str) -> None:
    side = {"squeezenet_v1.1": 67}.get(name, 33)
    text = (SAMPLES / f"{name}.prototxt").read_text(encoding="utf-8")
    text = text.replace("kernel_size: 7 # the whole plane", "global_pooling: true")
    try:
        made = fold_and_run(text, name, LoadOptions(input_shapes={"": Shape((1, 3, side, side))}))
    except InputError:
        made = fold_and_run(text, name)
    assert made.error < 1e-4
    assert not made.folded.left
    assert not {node.type for node in made.folded.net.nodes} & {"BatchNorm", "Scale", "Dropout"}


def test_a_wrong_fold_is_not_given_out(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        X
        + layer("c", LAYERS["group"].replace("BIAS", "true"), "x", "c")
        + layer("b", AFFINE["BatchNorm"], "c", "b")
    )
    right = agree.fold

    def wrong(*arguments: object, **more: object) -> Folded:
        made = right(*arguments, **more)  # type: ignore[arg-type]
        if made.weights is not None:
            made.weights["c"] = [made.weights["c"][0] * np.float32(1.001), made.weights["c"][1]]
        return made

    assert fold_and_run(text).error < 1e-5
    monkeypatch.setattr(agree, "fold", wrong)
    with pytest.raises(InputError, match="would differ by"):
        fold_and_run(text)


@pytest.mark.parametrize("case", conformance_cases(), ids=lambda case: case["name"])
def test_conformance_cases_stay_what_they_are(case: dict[str, object]) -> None:
    text = str(case["prototxt"])
    try:
        net = netcount.loads(text, batch="net")
        weights = lively_weights(net)
        made = fold(text, options=net_options(), weights=weights)
    except NetcountError:
        return
    if not made.steps:
        assert [node.name for node in made.net.nodes] == [node.name for node in net.nodes]
        return
    try:
        was = Executor(net, weights).run()
    except NetcountError:
        return
    now = netcount.loads(made.text, batch="net").run(weights=made.weights)
    for name in was:
        assert distance(was[name], now[name]) < 1e-4, name


@needs_corpus
def test_public_nets_fold_to_nets() -> None:
    """Without weights: each text is a net with the same outputs, and in most nothing is left."""
    left = gone = 0
    for path in public_nets(CORPUS, 12):
        try:
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
            made = fold(text, path.name)
        except NetcountError:
            continue
        before, after = made.before, made.net
        shapes = ({net.blobs[i].name: net.blobs[i].shape for i in net.outputs} for net in (before, after))
        assert next(shapes) == next(shapes), path.name
        left += len(made.left)
        gone += len(made.steps)
    assert gone > 4 * left > 0, "norms before a ReLU stay where no weights are before them"
