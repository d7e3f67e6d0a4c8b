"""RefineDet's two stages, tl_ssd's offsets, and the heads that do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError, PredictionsError
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.boxes import decoded
from netcount.kernels.run import Run
from tests.helpers import inputs, layer_of, net_of

CORNERS = np.array([[0.1, 0.1, 0.3, 0.4], [0.5, 0.5, 0.8, 0.9], [0.2, 0.6, 0.4, 0.8]], np.float32)
VARIANCES = np.tile(np.array([0.1, 0.1, 0.2, 0.2], np.float32), (3, 1))
PRIORS = np.stack([CORNERS.reshape(-1), VARIANCES.reshape(-1)])[None]
CONFIDENCES = np.array([[0.1, 0.9, 0.3, 0.7, 0.2, 0.8]], np.float32)
FIRST = np.array([[0.995, 0.005, 0.2, 0.8, 0.1, 0.9]], np.float32)
"""Objectness of the first stage: the first anchor is none."""
OUTPUT = """type: "DetectionOutput" detection_output_param { num_classes: 2 code_type: CENTER_SIZE
    nms_param { nms_threshold: 0.9 } confidence_threshold: 0.1 %s }"""


def detections(bottoms: list[Any], rest: str = "") -> Any:
    (found,) = layer_of(OUTPUT.replace("%s", rest), len(bottoms)).forward(bottoms, [], Run())
    return found.reshape(-1, 7)


def test_anchors_that_are_no_objects_are_background() -> None:
    zeros = np.zeros((1, 12), np.float32)
    three = detections([zeros, CONFIDENCES, PRIORS])
    np.testing.assert_allclose(three[:, 2], [0.9, 0.8, 0.7])
    np.testing.assert_allclose(detections([zeros, CONFIDENCES, PRIORS, FIRST])[:, 2], [0.8, 0.7])
    np.testing.assert_allclose(
        detections([zeros, CONFIDENCES, PRIORS, FIRST], "objectness_score: 0.85")[:, 2], [0.8]
    )
    picture = np.zeros((1, 3, 30, 30), np.float32)
    np.testing.assert_array_equal(detections([zeros, CONFIDENCES, PRIORS, picture]), three)


def test_anchors_are_moved_twice() -> None:
    first, second = np.zeros((1, 3, 4), np.float32), np.zeros((1, 3, 4), np.float32)
    first[0, 1], second[0, 1] = [1, -1, 0.5, 0], [0.5, 0, 0, -0.5]
    shaped = [second.reshape(1, 12), CONFIDENCES, PRIORS, FIRST, first.reshape(1, 12)]
    found = detections(shaped)
    once = decoded("CENTER_SIZE", first[0], CORNERS, VARIANCES)
    twice = decoded("CENTER_SIZE", second[0], once, VARIANCES)
    np.testing.assert_allclose(found[:, 3:], twice[[2, 1]], rtol=1e-4, atol=1e-6)


def test_two_stages_cost_twice_the_decoding() -> None:
    shapes = [Shape((2, 12)), Shape((2, 6)), Shape((1, 2, 12)), Shape((2, 6)), Shape((2, 12))]
    one, two = (layer_of(OUTPUT.replace("%s", ""), n).ops(shapes[:n], []) for n in (3, 5))
    assert one == OpCount(adds=72, muls=54, divs=36, compares=12 + 12, exps=12)
    assert two == OpCount(adds=144, muls=108, divs=72, compares=24 + 12 + 6, exps=24)
    layer = layer_of(OUTPUT.replace("%s", ""), 5)
    assert layer.infer(shapes) == [(1, 1, 1, 7)]
    with pytest.raises(InputError, match="must hold 4 values for each of 3 boxes"):
        detections([np.zeros((1, 12), np.float32), CONFIDENCES, PRIORS, FIRST, np.zeros((1, 11), np.float32)])


LOSS = """type: "MultiBoxLoss" multibox_loss_param { num_classes: 2 overlap_threshold: 0.5 neg_pos_ratio: 3
    neg_overlap: 0.5 code_type: CENTER_SIZE %s } loss_param { normalization: NONE }"""
TRUTH = np.array([0, 1, 0, 0.1, 0.1, 0.3, 0.4, 0], np.float32).reshape(1, 1, 1, 8)


def loss(bottoms: list[Any], rest: str = "") -> float:
    (found,) = layer_of(LOSS.replace("%s", rest), len(bottoms)).forward(bottoms, [], Run())
    return float(found)


def test_negatives_that_are_surely_none_are_not_mined() -> None:
    zeros = np.zeros((1, 12), np.float32)
    positive, negatives = -np.log(np.exp(0.9) / (np.exp(0.1) + np.exp(0.9))), []
    for a, b in ((0.3, 0.7), (0.2, 0.8)):
        negatives.append(-np.log(np.exp(a) / (np.exp(a) + np.exp(b))))
    four = [zeros, CONFIDENCES, PRIORS, TRUTH]
    assert loss(four) == pytest.approx(positive + sum(negatives), rel=1e-5)
    likely = np.array([[0, 1, 0.999, 0.001, 0.5, 0.5]], np.float32)
    assert loss([*four, likely]) == pytest.approx(positive + negatives[1], rel=1e-5)
    assert loss([*four, likely], "objectness_score: 0.0001") == pytest.approx(loss(four))


def test_the_truth_is_held_against_moved_priors() -> None:
    zeros = np.zeros((1, 12), np.float32)
    likely = np.array([[0, 1] * 3], np.float32)
    move = np.zeros((1, 3, 4), np.float32)
    move[0, 0] = [1, 0, 0, 0]  # by a tenth of its width
    six = [zeros, CONFIDENCES, PRIORS, TRUTH, likely, move.reshape(1, 12)]
    unmoved = [*six[:5], zeros]
    assert loss(unmoved) == pytest.approx(loss(six[:4]), rel=1e-5)
    # the target is then −1 in x (a tenth of the width over a variance of 0.1): smooth L1 of 1 is 0.5
    assert loss(six) == pytest.approx(loss(unmoved) + 0.5, rel=1e-4)


def test_how_many_bottoms_a_loss_of_two_stages_has() -> None:
    shapes = [Shape((2, 12)), Shape((2, 6)), Shape((1, 2, 12)), Shape((1, 1, 5, 8)), Shape((2, 6)), Shape((2, 12))]
    costs = [layer_of(LOSS.replace("%s", ""), n).ops(shapes[:n], [Shape()]) for n in (4, 5, 6)]
    assert costs[1] == costs[0] + OpCount(compares=6)
    assert costs[2] == costs[1] + OpCount(adds=72, muls=54, divs=36, exps=12)
    assert layer_of(LOSS.replace("%s", ""), 6).infer(shapes) == [()]
    text = "".join(f' bottom: "b{n}"' for n in range(7))
    with pytest.raises(InputError, match="takes 4 to 6 bottoms, not 7"):
        net_of(
            inputs(**{f"b{n}": (1, 12) for n in range(7)}) + f'layer {{ name: "l" {LOSS % ""}{text} top: "y" }}'
        )


OFFSETS = 'type: "PriorBox" prior_box_param { min_size: 7 min_size: 10 aspect_ratio: 0.25 flip: false %s }'


def test_each_pair_of_offsets_has_its_boxes() -> None:
    text = OFFSETS % "offset_w: 0.2 offset_w: 0.6 offset_w: 0.8 offset_h: 0.5 offset_h: 1 variance: 0.1"
    layer = layer_of(text, 2)
    shapes = [Shape((1, 8, 3, 4)), Shape((1, 3, 24, 64))]
    assert layer.infer(shapes) == [(1, 2, 3 * 4 * 2 * 3 * 2 * 4)]
    (y,) = layer.forward([np.zeros(shape, np.float32) for shape in shapes], [], Run())
    boxes = y[0, 0].reshape(3, 4, 3, 2, 2, 4)
    cx, cy, wide, high = (1 + 0.6) * 16, (2 + 1) * 8, 10 * 0.5, 10 / 0.5
    expected = [(cx - wide / 2) / 64, (cy - high / 2) / 24, (cx + wide / 2) / 64, (cy + high / 2) / 24]
    np.testing.assert_allclose(boxes[2, 1, 1, 1, 1], expected, rtol=1e-5)
    assert layer.warning is not None
    assert "6×2 boxes per position" in layer.warning
    assert "makes 4 without" in layer.warning


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("offset_w: 1.5 offset_h: 0.5", "offset_w 1.5 must lie in"),
        ("offset_w: 0.5", "needs an aspect_ratio, an offset_w and an offset_h"),
        ("offset_w: 0.5 offset_h: 0.5 aspect_ratio: 1", "makes no box of ratio 1"),
    ],
)
def test_what_offsets_ask_for(rest: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        layer_of(OFFSETS % rest, 2)


def test_without_offsets_there_is_a_square_too() -> None:
    layer = layer_of(OFFSETS % "", 2)
    assert layer.infer([Shape((1, 8, 3, 4)), Shape((1, 3, 24, 64))]) == [(1, 2, 3 * 4 * 4 * 4)]
    assert layer.warning is None


def head(level: int, channels: str) -> str:
    return f"""
layer {{ name: "loc{level}" type: "Convolution" bottom: "f{level}" top: "loc{level}"
        convolution_param {{ num_output: {channels} kernel_size: 1 }} }}
layer {{ name: "p{level}" type: "Permute" bottom: "loc{level}" top: "p{level}"
        permute_param {{ order: [0, 2, 3, 1] }} }}
layer {{ name: "s{level}" type: "Flatten" bottom: "p{level}" top: "s{level}" }}"""


HEADS = f"""
layer {{ name: "f1" type: "Convolution" bottom: "data" top: "f1"
        convolution_param {{ num_output: 8 kernel_size: 4 stride: 4 }} }}
layer {{ name: "f2" type: "Pooling" bottom: "f1" top: "f2" pooling_param {{ kernel_size: 2 stride: 2 }} }}
{head(1, "8")}{head(2, "%d")}
layer {{ name: "loc" type: "Concat" bottom: "s1" bottom: "s2" top: "loc" }}
layer {{ name: "b1" type: "PriorBox" bottom: "f1" bottom: "data" top: "b1"
        prior_box_param {{ min_size: 5 max_size: 9 }} }}
layer {{ name: "b2" type: "PriorBox" bottom: "f2" bottom: "data" top: "b2"
        prior_box_param {{ min_size: 9 aspect_ratio: 2 }} }}
layer {{ name: "boxes" type: "Concat" bottom: "b1" bottom: "b2" top: "boxes" concat_param {{ axis: 2 }} }}
layer {{ name: "out" type: "DetectionOutput" bottom: "loc" bottom: "conf" bottom: "boxes" top: "out"
        detection_output_param {{ num_classes: 3 }} }}"""
BOXES = 8 * 6 * 2 + 4 * 3 * 3


def test_the_head_whose_channels_do_not_fit_is_named() -> None:
    net_of(inputs(data=(1, 3, 32, 24), conf=(1, 3 * BOXES)) + HEADS % 12)
    with pytest.raises(InputError) as found:
        net_of(inputs(data=(1, 3, 32, 24), conf=(1, 3 * BOXES)) + HEADS % 10)
    lines = (inputs(data=(1,), conf=(1,)) + HEADS).splitlines()
    head_line, prior_line = (
        1 + next(n for n, x in enumerate(lines) if f'"{name}" type' in x) for name in ("loc2", "b2")
    )
    hint = f'; "loc2" (line {head_line}) must have 12 channels, not 10, for the 3 boxes per position of "b2"'
    assert found.value.what.endswith(f"{hint} (line {prior_line})")
    with pytest.raises(InputError) as other:
        net_of(inputs(data=(1, 3, 32, 24), conf=(1, 9)) + HEADS % 12)
    assert other.value.what.endswith(f'for the {BOXES} boxes of bottom 2 "boxes" 1×2×{4 * BOXES}')


def test_what_is_known_of_misfitting_predictions_survives_a_process() -> None:
    import pickle

    with pytest.raises(PredictionsError) as found:
        layer_of(OUTPUT.replace("%s", ""), 3).infer([Shape((1, 12)), Shape((1, 5)), Shape((1, 2, 12))])
    copy = pickle.loads(pickle.dumps(found.value))
    assert (copy.bottom, copy.each, copy.message) == (1, 2, found.value.message)


def test_a_text_has_a_box_and_four_corners() -> None:
    """detection_output_layer.cpp and bbox_util.cpp of TextBoxes_plusplus: 12 values a prior, rows of 15."""
    text = 'type: "DetectionOutput" detection_output_param { num_classes: 2 code_type: CENTER_SIZE %s }'
    layer = layer_of(text % "use_polygon: true", 3)
    shapes = [Shape((2, 3 * 12)), Shape((2, 3 * 2)), Shape((1, 2, 12))]
    assert layer.infer(shapes) == [(1, 1, 1, 15)]
    plain = layer_of(text % "", 3)
    with pytest.raises(InputError, match="must have 12 channels for the 3 boxes"):
        plain.infer(shapes)
    boxes = [Shape((2, 3 * 4)), *shapes[1:]]
    further = OpCount(adds=2 * 3 * 8, muls=2 * 3 * 16)
    assert layer.ops(shapes, [Shape((1, 1, 1, 15))]) == plain.ops(boxes, [Shape((1, 1, 1, 7))]) + further
    with pytest.raises(InputError, match="corners of texts are not computed"):
        layer.forward([np.zeros(shape, np.float32) for shape in shapes], [], Run())
    with pytest.raises(InputError, match="turned boxes"):
        layer_of(text % "use_polygon: false", 3)
