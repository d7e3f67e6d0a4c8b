"""Formulas with the numbers in them, and what else could stand in a layer's place."""

from __future__ import annotations

from typing import Any

import pytest

import netcount
from netcount.analysis._support.alternatives import Alternative
from netcount.analysis.explain import Explanation
from netcount.core.errors import InputError
from netcount.layers.registry import CATALOGUE
from netcount.report.explanation import explanation, explanation_document, madds_formula, params_formula
from netcount.report.formats.layout import plain
from tests.cases import CASES, TOLD
from tests.helpers import SAMPLES, conformance_cases, inputs, net_of


def explained(sample: str, name: str, **options: Any) -> Explanation:
    return netcount.load(SAMPLES / f"{sample}.prototxt").analyze().explain(name, **options)


def others(sample: str, name: str) -> dict[str, Alternative]:
    found = explained(sample, name).layers[0].alternatives
    return {other.kind: other for other in found}


NETS = [case["prototxt"] for case in conformance_cases() if case["verdict"] == "accepted"]


@pytest.mark.parametrize("text", NETS)
def test_products_are_the_madds_and_the_weights(text: str) -> None:
    check_products(net_of(text))


@pytest.mark.parametrize("key", sorted(CASES))
def test_products_of_every_type(key: str) -> None:
    check_products(netcount.loads(CASES[key], batch="net", input_shapes=TOLD.get(key, {})))


def check_products(net: netcount.Net) -> None:
    for row, reasons in zip(
        net.analyze().layers, (net.analyze().explain(n.name, kind="layer") for n in net.nodes), strict=True
    ):
        if sum(node.name == row.name for node in net.nodes) > 1:
            continue
        (layer,) = reasons.layers
        assert sum(product.madds for product in layer.products) == row.madds
        if layer.products:
            weights = [term.elements for term in layer.terms if term.role == "weight"]
            products = [product.elements for product in layer.products]
            if row.type in ("ConvLSTM", "ConvLSTMReLU"):  # peepholes are factors a value, no matrices
                weights = sorted(weights)[-len(products) :]
            assert sorted(products) == sorted(weights)
        for term in layer.terms:
            total = 1
            for _, extent in term.factors:
                total *= extent
            assert total == term.elements


OF_FORKS = (
    "ConvLSTM", "ConvLSTMReLU", "Convolution3D", "ConvolutionRistretto", "Deconvolution3D",
    "DeconvolutionRistretto",
    "FcRistretto", "Local", "LocalConvolution", "Lstm", "MultiStageMeanfield",
)  # fmt: skip


def test_every_type_with_weights_under_a_gemm_tells_its_products() -> None:
    """A type whose `ops` has madds has products; the law above holds them together."""
    with_products = {
        key for key in CATALOGUE if (found := CATALOGUE.get(key)) and found.products is not netcount.Layer.products
    }
    assert with_products == {
        "Convolution", "Deconvolution", "ConvolutionDepthwise", "DepthwiseConvolution", "InnerProduct",
        "LSTM", "RNN", "MarginInnerProduct", "DeformableConvolution", "CosinL2Normalize", *OF_FORKS,
    }  # fmt: skip


def test_conv10_of_squeezenet() -> None:
    found = explained("squeezenet_v1.0", "conv10")
    (reasons,) = found.layers
    assert params_formula(reasons) == "1·1·512·1000 + 1000 = 513,000"
    assert madds_formula(reasons.products) == "13·13 × 1·1·512·1000 = 86,528,000"
    alternatives = others("squeezenet_v1.0", "conv10")
    assert list(alternatives) == ["fully_connected", "pooled_first"]
    dense, pooled = alternatives.values()
    assert (dense.params, dense.params / dense.own_params) == (86_528_000, 169)
    assert dense.madds == dense.own_madds
    assert (pooled.params, pooled.madds) == (512_000, 512_000)
    assert "relu_conv10" in pooled.note, "the ReLU in between makes it another function"
    text = plain(explanation(found))
    assert "as a fully connected layer on 13×13×512" in text
    assert "169 times as many" in text


def test_a_classifier_that_is_not_averaged_has_no_such_alternatives() -> None:
    assert "fully_connected" not in others("squeezenet_v1.1", "fire9/expand3x3")
    assert others("mobilenet_v1", "fc7") == {}, "its plane is 1×1 already"


def test_without_anything_in_between_pooling_first_is_the_same() -> None:
    text = inputs(x=(1, 8, 5, 7)) + (
        'layer { name: "c" type: "Convolution" bottom: "x" top: "c" '
        "convolution_param { num_output: 9 kernel_size: 1 } }"
        'layer { name: "p" type: "Pooling" bottom: "c" top: "p" pooling_param { pool: %s global_pooling: true } }'
    )
    found = net_of(text % "AVE").analyze().explain("c").layers[0].alternatives
    assert [(other.kind, other.params, other.madds) for other in found] == [
        ("fully_connected", 5 * 7 * 8 * 9, 5 * 7 * 8 * 9),
        ("pooled_first", 72, 72),
    ]
    assert "can change places" in found[1].note
    assert net_of(text % "MAX").analyze().explain("c").layers[0].alternatives == ()


def test_depthwise_and_pointwise_against_a_plain_convolution() -> None:
    found = others("mobilenet_v1", "conv5_3/dw")
    assert found["plain"].params == 9 * 512 * 512
    assert found["plain"].params / found["plain"].own_params == 512
    pair = found["plain_for_pair"]
    assert pair.own_params == 9 * 512 + 512 * 512
    assert pair.madds == 14 * 14 * 9 * 512 * 512
    assert pair.own_madds / pair.madds == pytest.approx(1 / 512 + 1 / 9, rel=1e-12)
    assert "1/512 + 1/9 = 0.1131" in pair.note


def test_groups_against_one_group() -> None:
    found = others("alexnet", "conv2")["plain"]
    assert (found.own_params, found.params) == (5 * 5 * 48 * 256, 5 * 5 * 96 * 256)
    text = plain(explanation(explained("alexnet", "conv2")))
    assert "153,600 weights and 111,974,400 madds, 2 times" in text


def test_a_plain_convolution_as_a_separable_one() -> None:
    found = others("vgg16", "conv3_2")["separable"]
    assert found.params == 9 * 256 + 256 * 256
    assert found.madds == 56 * 56 * found.params
    assert "1/256 + 1/9" in found.note
    assert others("squeezenet_v1.1", "fire2/squeeze1x1") == {}


def test_a_fully_connected_layer_that_could_be_pooled_first() -> None:
    found = others("vgg16", "fc6")["pooled_first"]
    assert (found.params, found.own_params) == (512 * 4096, 49 * 512 * 4096)
    assert others("vgg16", "fc7") == {}


def test_recurrent_products_are_told_one_by_one() -> None:
    text = inputs(x=(5, 2, 3), cont=(5, 2)) + (
        'layer { name: "l" type: "LSTM" bottom: "x" bottom: "cont" top: "y" recurrent_param { num_output: 7 '
        'weight_filler { type: "constant" } } }'
    )
    (reasons,) = net_of(text).analyze().explain("l").layers
    assert madds_formula(reasons.products) == "5·2 × 4·7·3 + 5·2 × 4·7·7 = 2,800"
    assert reasons.row.madds == 2800


def test_a_deconvolution_goes_over_its_input() -> None:
    text = inputs(x=(1, 6, 5, 7)) + (
        'layer { name: "d" type: "Deconvolution" bottom: "x" top: "d" convolution_param { num_output: 8 group: 2 '
        "kernel_h: 3 kernel_w: 4 stride: 2 } }"
    )
    (reasons,) = net_of(text).analyze().explain("d").layers
    assert madds_formula(reasons.products) == "5·7 × 3·4·6·4 = 10,080"
    assert params_formula(reasons) == "3·4·6·4 + 8 = 296"


def test_what_does_no_products_tells_its_rule() -> None:
    text = plain(explanation(explained("squeezenet_v1.1", "pool1")))
    assert "compares" in text
    assert "each clipped window" in text


def test_a_prior_box_tells_its_boxes_a_position() -> None:
    net = net_of("""
        input: "data" input_dim: 1 input_dim: 8 input_dim: 5 input_dim: 5
        layer { name: "prior" type: "PriorBox" bottom: "data" bottom: "data" top: "prior"
                prior_box_param { min_size: 30 max_size: 60 aspect_ratio: 4 flip: true } }
    """)
    found = net.analyze().explain("prior")
    told = "4 boxes per position, width × height: 30×30, 42.43×42.43, 60×15, 15×60"
    assert f"detail      {told}" in plain(explanation(found))
    assert explanation_document(found)["layers"][0]["detail"] == told


def test_a_prior_box_tells_what_its_heads_need() -> None:
    number = 20 * 4 + 120 * 7
    text = inputs(
        x=(1, 3, 12, 15), loc=(1, 4 * number), conf=(1, 7 * number), small=(1, 2, 4, 5), large=(1, 2, 10, 12)
    )
    for name, ratios in (("small", "max_size: 9 aspect_ratio: 2"), ("large", "aspect_ratio: [2, 3, 4]")):
        text += f"""layer {{ name: "{name}_p" type: "PriorBox" bottom: "{name}" bottom: "x" top: "{name}_p"
            prior_box_param {{ min_size: 4 {ratios} flip: true }} }}
        """
    text += """
        layer { name: "p" type: "Concat" bottom: "small_p" bottom: "large_p" top: "p" concat_param { axis: 2 } }
        layer { name: "out" type: "DetectionOutput" bottom: "loc" bottom: "conf" bottom: "p" top: "out"
                detection_output_param { num_classes: 7 keep_top_k: 5 } }
    """
    net = net_of(text)
    answer = net.explain("small_p")
    shown = plain(explanation(answer))
    assert 'heads       loc 4·4 = 16 channels, conf 7·4 = 28 channels, for "out" (line' in shown
    assert "priors      4 × 20 positions = 80, of 920" in shown
    (priors,) = explanation_document(answer)["layers"][0]["priors"]
    assert (priors["boxes"], priors["number"], priors["all_boxes"], priors["classes"]) == (4, 80, 920, 7)
    assert (priors["location_channels"], priors["confidence_channels"]) == (16, 28)


def test_a_name_may_be_a_block_and_a_layer() -> None:
    block = explained("resnet50", "res2a")
    assert block.block is not None
    assert 'kind="layer"' in str(block.also)
    layer = explained("resnet50", "res2a", kind="layer")
    assert layer.block is None
    assert layer.layers[0].row.type == "Eltwise"
    with pytest.raises(InputError, match='no block "conv10"'):
        explained("squeezenet_v1.1", "conv10", kind="block")
    with pytest.raises(InputError, match='no layer or block "fire77"; did you mean "fire7"'):
        explained("squeezenet_v1.1", "fire77")


def test_a_block_is_explained_with_its_layers() -> None:
    found = explained("squeezenet_v1.0", "fire7")
    text = plain(explanation(found))
    assert "3·3·384·384 = 1,327,104" in text
    assert "110,592 without biases, 12 times fewer" in text
    document = explanation_document(found)
    assert document["kind"] == "block"
    assert document["block"]["plain"]["params"] == 12 * document["block"]["plain"]["own_params"]
    assert document["layers"][0]["name"] == "fire7/squeeze1x1"
    assert document["layers"][0]["products"][0]["weights"][-1] == {"name": "C'", "extent": 48}
