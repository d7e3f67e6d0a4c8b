"""Forward and backward operations, by Caffe's own rules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import netcount
from netcount import OpCount
from netcount.analysis.backward import has_rule
from netcount.cli.main import netcount as command
from tests.analysis.test_training import FROZEN, LOSS, X, conv, fc, op
from tests.helpers import inputs, net_of, valid


def passes(text: str) -> dict[str, OpCount | None]:
    return {layer.row.name: layer.ops for layer in net_of(text).backward(batch="net").layers if layer.needed}


def test_a_convolution_has_a_gemm_for_its_weights_and_one_for_its_bottom() -> None:
    text = X + conv("x", "c") + conv("c", "d", made=5) + fc("d", "f") + LOSS
    first, second = 2 * 35 * 9 * 3 * 4, 2 * 35 * 9 * 4 * 5
    costs = passes(text)
    # the bias: an add an output; col2im: an add for each element of the columns of both images
    assert costs["c"] == OpCount(madds=first, adds=280)
    assert costs["d"] == OpCount(madds=2 * second, adds=350 + 2 * 9 * 4 * 35)
    assert costs["f"] == OpCount(madds=2 * 2 * 175 * 6, adds=12)
    assert costs["loss"] == OpCount(adds=2, muls=12, divs=1)


def test_frozen_layers_cost_less_and_stand_apart() -> None:
    frozen = net_of(
        X + conv("x", "c", FROZEN) + conv("c", "d", "param { lr_mult: 0 }", made=5) + fc("d", "f") + LOSS
    )
    answer = frozen.backward(batch="net")
    learned = {layer.row.name: (layer.learned, layer.frozen) for layer in answer.layers if layer.row.params}
    assert learned == {"c": (0, 112), "d": (5, 180), "f": (175 * 6 + 6, 0)}
    costs = {layer.row.name: layer.ops for layer in answer.layers}
    assert costs["c"] == OpCount()
    assert costs["d"] == OpCount(adds=350), "the bias alone"
    assert (answer.learned, answer.frozen) == (5 + 1056, 112 + 180)


def test_a_layer_over_frozen_ones_passes_gradients_through_but_has_none() -> None:
    text = X + conv("x", "c") + conv("c", "d", FROZEN, made=5) + fc("d", "f") + LOSS
    assert passes(text)["d"] == OpCount(madds=2 * 35 * 9 * 4 * 5, adds=2 * 9 * 4 * 35)


def test_a_1x1_needs_no_col2im_and_a_deconvolution_neither() -> None:
    one = op("Convolution", "c", "d", "convolution_param { num_output: 5 kernel_size: 1 bias_term: false }")
    text = X + conv("x", "c") + one + fc("d", "f") + LOSS
    assert passes(text)["d"] == OpCount(madds=2 * 2 * 35 * 4 * 5)
    up = op(
        "Deconvolution", "c", "d", "convolution_param { num_output: 5 kernel_size: 2 stride: 2 bias_term: false }"
    )
    text = X + conv("x", "c") + up + fc("d", "f") + LOSS
    assert passes(text)["d"] == OpCount(madds=2 * 2 * 35 * 4 * 5 * 4)


def test_gradients_of_copies_are_joined_in_their_producers_row() -> None:
    text = X + conv("x", "c") + op("Sigmoid", "c", "a") + op("Eltwise", "c a", "e") + fc("e", "f") + LOSS
    costs = passes(text)
    assert costs["c"] == OpCount(madds=2 * 35 * 9 * 3 * 4, adds=280 + 280)
    assert costs["a"] == OpCount(adds=280, muls=2 * 280)
    assert costs["e"] == OpCount()


POOL = "pooling_param {{ pool: {} kernel_size: 3 stride: 2 pad: 1 }}"


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (op("ReLU", "c", "y"), OpCount(muls=280, compares=280)),
        (op("ReLU", "c", "y", "relu_param { negative_slope: 0.5 }"), OpCount(adds=280, muls=560, compares=560)),
        (op("PReLU", "c", "y"), OpCount(adds=560, muls=1120, compares=840)),
        (op("PReLU", "c", "y", "param { lr_mult: 0 }"), OpCount(adds=280, muls=560, compares=560)),
        (op("Dropout", "c", "y"), OpCount(muls=560)),
        (op("Power", "c", "y", "power_param { scale: 3 }"), OpCount(muls=280)),
        (op("Power", "c", "y", "power_param { power: 2 shift: 1 }"), OpCount(adds=280, muls=560)),
        (op("Power", "c", "y", "power_param { power: 3 scale: 2 }"), OpCount(muls=560, divs=280)),
        (op("Power", "c", "y", "power_param { power: 3 shift: 1 }"), OpCount(adds=280, muls=560, divs=280)),
        (op("BatchNorm", "c", "y"), OpCount(adds=1120, muls=840, divs=280)),
        (op("BatchNorm", "c", "y", "batch_norm_param { use_global_stats: true }"), OpCount(divs=280)),
        (op("Scale", "c", "y", "scale_param { bias_term: true }"), OpCount(adds=560, muls=560)),
        (op("Scale", "c", "y", FROZEN + " scale_param { bias_term: true }"), OpCount(muls=280)),
        (op("Bias", "c", "y"), OpCount(adds=280)),
        (op("LRN", "c", "y"), OpCount(adds=840, muls=1120, divs=280, exps=280)),
        (op("Softmax", "c", "y"), OpCount(adds=560, muls=560)),
        (op("Flatten", "c", "y"), OpCount()),
        # rows 0-1, 1-3, 3-4 of 5, columns 0-1, 1-3, 3-5, 5-6 of 7
        (op("Pooling", "c", "y", POOL.format("AVE")), OpCount(adds=8 * 7 * 10, divs=8 * 7 * 10)),
        (op("Pooling", "c", "y", POOL.format("MAX")), OpCount(adds=8 * 3 * 4)),
    ],
)
def test_rules_of_types(layer: str, expected: OpCount) -> None:
    assert passes(X + conv("x", "c") + layer + fc("y", "f") + LOSS)["y"] == expected


@pytest.mark.parametrize(
    ("param", "expected"),
    [
        ("coeff: 1 coeff: -2", OpCount(muls=280)),
        ("operation: MAX", OpCount(compares=560)),
        ("operation: PROD", OpCount(muls=560)),
        ("operation: PROD stable_prod_grad: false", OpCount(muls=560, divs=560)),
    ],
)
def test_rules_of_eltwise(param: str, expected: OpCount) -> None:
    text = X + conv("x", "c") + conv("x", "d") + op("Eltwise", "c d", "y", f"eltwise_param {{ {param} }}")
    assert passes(text + fc("y", "f") + LOSS)["y"] == expected


def test_rules_of_a_detectors_head() -> None:
    boxes = inputs(r=(4, 5), t=(4, 6), w=(4, 6), o=(4, 6))
    text = (
        X + boxes + conv("x", "c") + op("ROIPooling", "c r", "y", "roi_pooling_param { pooled_w: 3 pooled_h: 2 }")
    )
    costs = passes(text + fc("y", "f") + op("SmoothL1Loss", "f t w o", "loss"))
    assert costs["y"] == OpCount(adds=4 * 4 * 6)
    assert costs["loss"] == OpCount(muls=24 * (1 + 3), divs=1, compares=48)


def test_a_type_without_a_rule_is_named_and_the_answer_incomplete() -> None:
    text = X + conv("x", "c") + op("Mish", "c", "y") + fc("y", "f") + LOSS
    answer = net_of(text).backward()
    assert [layer.row.name for layer in answer.unknown] == ["y"]
    assert not answer.complete
    assert "not written down, and not counted: Mish" in str(answer.warnings[-1])
    done = CliRunner().invoke(command, ["analyze", "-", "--train", "-f", "json"], input=text)
    assert done.exit_code == 3
    assert valid(json.loads(done.stdout), "backward")["layers"][3]["backward"] is None


def test_another_forward_rule_has_another_backward_one() -> None:
    class Halved(netcount.ElementWise):
        type = "Halved"
        each = OpCount(muls=1)
        each_back = OpCount(muls=1)

        def value(self, x: object) -> object:  # type: ignore[override]
            return x

    class Other(Halved):
        type = "Other"

        def ops(self, bottoms: object, tops: object) -> OpCount:
            return OpCount()

    catalogue = netcount.CATALOGUE.with_(Halved, Other)
    for kind, known in (("Halved", True), ("Other", False)):
        net = netcount.loads(X + op(kind, "x", "y"), catalogue=catalogue)
        assert has_rule(net.layer("y").layer) == known


def test_a_net_without_a_loss_has_no_backward_pass(tmp_path: Path) -> None:
    path = tmp_path / "deploy.prototxt"
    path.write_text(X + fc("x", "f"))
    answer = netcount.load(path).backward()
    assert (answer.ops, answer.learned, answer.frozen) == (OpCount(), 0, 105 * 6 + 6)
    done = CliRunner().invoke(command, ["analyze", str(path), "--train"])
    assert done.exit_code == 0
    assert "there is no backward pass" in done.stderr
    assert CliRunner().invoke(command, ["analyze", str(path), "--train", "--sort", "madds"]).exit_code == 2
