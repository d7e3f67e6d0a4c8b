"""Every obstacle has a way out: unknown fields, unknown types, other forks' rules, templates."""

from __future__ import annotations

from typing import Any

import pytest

from netcount.core.errors import InputError, NetcountError, each
from netcount.graph.graph import Graph
from netcount.graph.load import load_text
from netcount.graph.options import LoadOptions
from netcount.prototxt.unknown_fields import is_harmless
from tests.helpers import inputs

INPUT = inputs(x=(2, 3, 9, 11))
CONV = (
    'layer { name: "c" type: "Convolution" bottom: "x" top: "y" '
    "convolution_param { num_output: 4 kernel_size: 3 FIELD } }\n"
)


def load(text: str, **arguments: Any) -> Graph:
    return load_text(text, LoadOptions.of(batch="net", **arguments))


def layer(kind: str, rest: str = "", bottoms: str = "x", tops: str = "y", name: str = "l") -> str:
    blobs = "".join(f' bottom: "{b}"' for b in bottoms.split()) + "".join(f' top: "{t}"' for t in tops.split())
    return f'layer {{ name: "{name}" type: "{kind}"{blobs} {rest} }}\n'


def refusal(text: str, **arguments: Any) -> NetcountError:
    with pytest.raises(InputError) as caught:
        load(text, **arguments)
    return caught.value


def ways(error: NetcountError) -> list[tuple[str, str, str]]:
    return [(one.argument, one.key, one.value) for problem in each(error) for one in problem.advice]


def test_a_field_near_a_known_one_is_a_typo() -> None:
    error = refusal(INPUT + CONV.replace("FIELD", "strid: 2"))
    assert 'did you mean "stride"?' in error.message
    assert ways(error) == [("assume", "ConvolutionParameter.strid", "ignored")]
    net = load(INPUT + CONV.replace("FIELD", "strid: 2"), assume={"ConvolutionParameter.strid": "ignored"})
    assert not net.complete
    assert "strid" in net.warnings[0].message
    assert net.blobs[-1].shape == (2, 4, 7, 9)


def test_a_value_of_another_kind_is_no_typo() -> None:
    error = refusal(INPUT + CONV.replace("FIELD", 'strid: "fast"'))
    assert "did you mean" not in error.message
    assert ways(error) == [("assume", "ConvolutionParameter.strid", "ignored")]


def test_a_field_that_moves_no_shape_is_passed_over_with_one_warning() -> None:
    param = "param { lr_mult: 1 sparsity_level: 3 } param { sparsity_level: 4 }"
    text = (
        "training_mode_of_ours { fast: true }\n"
        + INPUT
        + CONV.replace("FIELD", "").replace("conv", param + " conv", 1)
    )
    net = load(text)
    assert net.complete
    assert [(w.place.line if w.place else 0, w.message.split(" in any")[0]) for w in net.warnings] == [
        (1, 'NetParameter has no field "training_mode_of_ours"'),
        (3, 'ParamSpec has no field "sparsity_level"'),
    ]


@pytest.mark.parametrize(
    ("message", "name", "is_message", "harmless"),
    [
        ("DataParameter", "shard_number", False, True),
        ("TransformationParameter", "colour_jitter", False, True),
        ("TransformationParameter", "crop_other", False, False),
        ("TransformationParameter", "resize_w", False, False),
        ("ImageDataParameter", "new_dim", False, False),
        ("FillerParameter", "truncated", False, True),
        ("ParamSpec", "quantize", False, True),
        ("ParamSpec", "kernel_shape_decay", False, True),
        ("DataParameter", "shuffle_pool_size", False, True),
        ("DataParameter", "image_size", False, False),
        ("AnnotatedDataParameter", "crop_type", False, True),
        ("DistortionParameter", "gaussian_size_min", False, True),
        ("NonMaximumSuppressionParameter", "soft", False, True),
        ("DetectionOutputParameter", "nms_threshold", False, False),
        ("SolverParameter", "test_size_report", False, True),
        ("PoolingParameter", "anything", False, False),
        ("LayerParameter", "precision_hint_param", True, True),
        ("LayerParameter", "connectivity", False, False),
    ],
)
def test_which_fields_are_harmless(message: str, name: str, is_message: bool, harmless: bool) -> None:
    assert is_harmless(message, name, is_message) is harmless


def test_a_field_in_a_layer_that_is_left_out_is_passed_over() -> None:
    other = CONV.replace("FIELD", "made_up: 3").replace("bottom", "include { phase: TRAIN } bottom", 1)
    net = load(INPUT + other)
    assert net.complete
    assert len(net.warnings) == 1
    assert ways(refusal(INPUT + other, phase="TRAIN")) == [("assume", "ConvolutionParameter.made_up", "ignored")]


def test_all_unknown_fields_can_be_ignored_at_once() -> None:
    text = (
        INPUT
        + CONV.replace("FIELD", "made_up: 3")
        + layer("Pooling", "pooling_param { kernel_size: 2 own: 1 }", "y", "z")
    )
    assert len(ways(refusal(text))) == 2
    net = load(text, assume={"unknown-fields": "ignored"})
    assert not net.complete
    assert len(net.warnings) == 2


def test_an_ignored_field_has_to_be_there() -> None:
    error = refusal(
        INPUT + CONV.replace("FIELD", "made_up: 3"), assume={"ConvolutionParameter.made_pu": "ignored"}
    )
    assert any('did you mean "ConvolutionParameter.made_up"?' in str(one) for one in each(error))


def test_unknown_types_are_all_named_with_the_way_out_that_fits() -> None:
    text = INPUT + layer("ConvolutionTwin", "convolution_param { num_output: 4 kernel_size: 3 }", name="a")
    text += layer("SoftThing", "", "y", "z", "b") + layer("PixelShuffler", "", "z", "w", "d")
    text += (
        layer("MyLoss", "", "w x", "loss", "e")
        + layer("Logger", "", "w", "", "f")
        + layer("Sensor", "", "", "s", "g")
    )
    error = refusal(text)
    for name, line in (("ConvolutionTwin", 2), ("SoftThing", 3), ("Sensor", 7)):
        assert f'"{name}" (line {line}' in error.message
    assert ways(error) == [
        ("assume", "ConvolutionTwin", "Convolution"),
        ("assume", "SoftThing", "identity"),
        ("assume", "d", "N,C,H,W"),
        ("assume", "MyLoss", "1"),
        ("assume", "Logger", "identity"),
        ("assume", "g", "N,C,H,W"),
    ]


def test_a_type_is_counted_as_a_known_one_and_the_report_is_complete() -> None:
    text = INPUT + layer(
        "ConvolutionTwin", "own_param { a: 1 } convolution_param { num_output: 4 kernel_size: 3 }"
    )
    net = load(text, assume={"ConvolutionTwin": "Convolution"})
    assert net.complete
    assert "read and counted as Convolution" in net.warnings[0].message
    assert net.learnable() == 4 * 3 * 9 + 4
    assert 'did you mean "Convolution"' in refusal(text, assume={"ConvolutionTwin": "Convolutoin"}).message


def test_a_v1_type_that_nobody_knows_is_an_unknown_type() -> None:
    text = 'layers { name: "r" type: RELUPLUS bottom: "x" top: "y" own_param { a: 1 } blobs_lr: 1 }'
    text = 'input: "x" input_dim: 1 input_dim: 3 input_dim: 5 input_dim: 7\n' + text
    assert '"RELUPLUS" (line 2' in refusal(text).message
    assert load(text, assume={"RELUPLUS": "identity"}).blobs[-1].shape == (1, 3, 5, 7)


def test_a_quoted_v1_type_says_what_to_write() -> None:
    error = refusal('layers { name: "c" type: "InnerProduct" bottom: "x" top: "y" }')
    assert any('write type: INNER_PRODUCT, or "layer"' in str(one) for one in each(error))


@pytest.mark.parametrize("rest", ["param { lr_mult: 1 }", "param { name: 'w' } param { }"])
def test_param_entries_are_no_obstacle(rest: str) -> None:
    net = load(INPUT + layer("Mine", rest), assume={"Mine": "identity"})
    assert not net.complete


def test_neither_bottoms_nor_tops_are_no_obstacle() -> None:
    net = load(INPUT + layer("Program", "", "", ""), assume={"Program": "identity"})
    assert len(net.nodes) == 2


def test_a_cost_by_hand_is_complete_and_for_one_image() -> None:
    cost = {"shape": [2, 5, 4, 3], "params": 70, "madds": 900}
    net = load(INPUT + layer("FooPool"), assume={"FooPool": cost})
    assert net.complete
    assert "the cost given" in net.warnings[0].message
    node = net.nodes[-1]
    assert node.layer.ops(node.bottom_shapes, node.top_shapes).madds == 2 * 900
    assert net.learnable() == 70
    for wrong in ({"params": 70}, {**cost, "madds": -1}, {**cost, "flops": 1}):
        with pytest.raises(InputError, match="FooPool"):
            load(INPUT + layer("FooPool"), assume={"FooPool": wrong})


def test_any_layer_can_be_given_a_shape() -> None:
    text = (
        INPUT
        + layer("Pooling", "pooling_param { kernel_size: 3 pool: OTHER own: 2 }")
        + layer("ReLU", "", "y", "z", "r")
    )
    assert ("assume", "l", "N,C,H,W") in ways(refusal(text))
    net = load(text, assume={"l": [2, 3, 5, 6]})
    assert not net.complete
    assert net.blobs[-1].shape == (2, 3, 5, 6)
    stock = INPUT + layer("Pooling", "pooling_param { kernel_size: 30 }")
    assert refusal(stock).message.endswith('where your Caffe accepts it, try assume={"l": (N, C, H, W)}')
    assert load(stock, assume={"l": [2, 3, 1, 1]}).blobs[-1].shape == (2, 3, 1, 1)


def test_placeholders_are_named_and_filled() -> None:
    text = 'layer { name: "${NAME}" type: "Input" top: "x" input_param { shape { dim: $N$ dim: ${C} } } }'
    error = refusal(text)
    assert "$N$ is a placeholder" in error.message
    assert ways(error) == [("define", "N", "VALUE"), ("define", "C", "VALUE")]
    net = load(text, define={"N": 3, "C": "5", "NAME": "first"})
    assert (net.blobs[0].shape, net.nodes[0].name) == ((3, 5), "first")


def test_who_makes_a_blob_in_another_phase_is_said_also_behind_an_in_place_layer() -> None:
    text = (
        INPUT + layer("BatchNorm", "include { phase: TRAIN }", "x", "b", "bn") + layer("ReLU", "", "b", "b", "r")
    )
    error = refusal(text)
    assert '"bn" (line 2), which makes it, is left out' in error.message
    assert ways(error)[0] == ("phase", "", "TRAIN")


def test_a_type_that_does_not_fit_after_all_has_a_way_out_by_name() -> None:
    text = INPUT + layer("PoolingTwin", "pooling_param { kernel_size: 30 }")
    assert ways(refusal(text))[0] == ("assume", "PoolingTwin", "Pooling")
    error = refusal(text, assume={"PoolingTwin": "Pooling"})
    assert ways(error) == [("assume", "l", "N,C,H,W")]
    net = load(text, assume={"PoolingTwin": "Pooling", "l": [2, 3, 4, 5]})
    assert net.blobs[-1].shape == (2, 3, 4, 5)


def test_the_fields_of_a_layer_read_as_a_known_type_are_checked() -> None:
    text = INPUT + layer("ConvolutionTwin", "convolution_param { num_output: 4 kernel_size: 3 made_up: 1 }")
    error = refusal(text, assume={"ConvolutionTwin": "Convolution"})
    assert ways(error) == [("assume", "ConvolutionParameter.made_up", "ignored")]


def test_a_field_may_be_ignored_in_a_layer_whose_place_is_taken() -> None:
    text = INPUT + layer("ReLU", "own_param { slope: 2 } own: 1")
    ignored = {"LayerParameter.own": "ignored", "LayerParameter.own_param": "ignored"}
    assert load(text, assume={**ignored, "l": "identity"}).blobs[-1].shape == (2, 3, 9, 11)


def test_a_blob_that_only_a_layer_in_place_makes_can_be_given() -> None:
    text = INPUT + layer("ReLU", "", "z", "z", "r") + layer("Eltwise", "", "x z", "y", "e")
    error = refusal(text)
    assert "only this layer itself makes it" in error.message
    assert ways(error) == [("input_shapes", "z", "N,C,H,W")]
    assert load(text, input_shapes={"z": (2, 3, 9, 11)}).blobs[-1].shape == (2, 3, 9, 11)


def test_a_blob_that_seems_misspelt_can_be_given_all_the_same() -> None:
    text = INPUT + layer("ReLU", "", "decoder_rs", "y") + layer("ReLU", "", "x", "decode_rs", "m")
    named = INPUT + layer("ReLU", "", "x", "decode_rs", "m") + layer("ReLU", "", "decoder_rs", "y")
    error = refusal(named)
    assert 'did you mean "decode_rs"?; otherwise give it with input_shapes={"decoder_rs"' in error.message
    for each_text in (text, named):
        assert load(each_text, input_shapes={"decoder_rs": (1, 7)}).blobs[-1].shape


def test_a_loss_whose_place_is_taken_keeps_its_weight() -> None:
    text = INPUT + layer("SoftmaxWithLoss", "loss_weight: 2", "x x", "")
    assert load(text, assume={"l": "identity"}).nodes[-1].tops == ()
