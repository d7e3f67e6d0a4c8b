from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.boxes import encoded
from netcount.kernels.matching import match
from netcount.kernels.run import Run
from netcount.prototxt.message import Message
from tests.helpers import layer_of, net_of

PRIORS = np.array(
    [[0.1, 0.1, 0.3, 0.5], [0.1, 0.1, 0.3, 0.4], [0.6, 0.2, 0.8, 0.6], [0.0, 0.7, 0.2, 0.9], [0.5, 0.5, 1.1, 0.9]],
    dtype=np.float32,
)
BLOB = np.stack([PRIORS.reshape(-1), np.tile(np.float32(0.1), 20)])[None]
FIRST, SECOND = [0.1, 0.1, 0.3, 0.5], [0.6, 0.2, 0.8, 0.5]
TRUTH = np.array([[0, 1, 0, *FIRST, 0], [0, 2, 0, *SECOND, 0], [-1] * 8], dtype=np.float32)[None, None]


def loss(rest: str, locations: Any = None, scores: Any = None, truth: Any = TRUTH, outer: str = "") -> float:
    layer = layer_of(f'type: "MultiBoxLoss" {outer} multibox_loss_param {{ num_classes: 3 {rest} }}', 4)
    locations = np.zeros((1, 5, 4)) if locations is None else np.asarray(locations)
    scores = np.zeros((1, 5, 3)) if scores is None else np.asarray(scores)
    images = len(locations)
    bottoms = [locations.reshape(images, -1), scores.reshape(images, -1), BLOB, truth]
    bottoms = [np.asarray(b, dtype=np.float32) for b in bottoms]
    assert layer.infer([Shape(b.shape) for b in bottoms]) == [()]
    (top,) = layer.forward(bottoms, [], Run())
    assert top.shape == ()
    assert top.dtype == np.float32
    return float(top)


PERFECT = np.zeros((1, 5, 4))
PERFECT[0, 2] = [0, 0, 0, -1]  # its box is 0.1 lower than the prior, in units of the variance
SURE = np.log(np.array([[[1, 8, 1], [1, 8, 1], [1, 1, 8], [8, 1, 1], [1, 1, 8]]]) / 10)


def test_a_perfect_location_costs_nothing() -> None:
    # prior 0 is the first box, prior 1 overlaps it by 3/4, prior 2 the second box by 3/4
    rest = "mining_type: NONE match_type: BIPARTITE"
    located = loss(rest, PERFECT, SURE)
    assert located == pytest.approx(-(4 * 0 + np.log([0.8, 0.1, 0.8, 0.8, 0.1]).sum()) / 2, rel=1e-4)


def test_locations_are_smooth_l1_against_the_encoded_box() -> None:
    rest = "mining_type: NONE match_type: BIPARTITE"
    moved = PERFECT.copy()
    moved[0, 0] = [0.5, 0, 0, 3]
    more = loss(rest, moved, SURE) - loss(rest, PERFECT, SURE)
    assert more == pytest.approx((0.125 + 2.5) / 2, rel=1e-4)
    heavy = loss(rest + " loc_weight: 3", moved, SURE) - loss(rest, PERFECT, SURE)
    assert heavy == pytest.approx(3 * (0.125 + 2.5) / 2, rel=1e-4)
    square = loss(rest + " loc_loss_type: L2", moved, SURE) - loss(rest, PERFECT, SURE)
    assert square == pytest.approx((0.125 + 4.5) / 2, rel=1e-4)


def test_more_priors_match_where_the_overlap_is_enough() -> None:
    near = np.asarray(PERFECT).copy()
    near[0, 1] = encoded("CORNER", np.array([FIRST]), PRIORS[1:2], np.full((1, 4), 0.1))
    found = loss("mining_type: NONE overlap_threshold: 0.7", near, SURE)
    assert found == pytest.approx(-np.log([0.8, 0.8, 0.8, 0.8, 0.1]).sum() / 3, rel=1e-4)


def test_the_worst_negatives_are_mined() -> None:
    # two positives and one negative for each: of the others, 4 is surest of being an object
    scores = SURE.copy()
    scores[0, 1] = np.log([0.5, 0.25, 0.25])
    rest = "match_type: BIPARTITE neg_overlap: 0.8 neg_pos_ratio: "
    one = loss(rest + "0.5", PERFECT, scores)
    assert one == pytest.approx(-np.log([0.8, 0.8, 0.1]).sum() / 2, rel=1e-4)
    two = loss(rest + "1", PERFECT, scores)
    assert two == pytest.approx(-np.log([0.8, 0.8, 0.1, 0.5]).sum() / 2, rel=1e-4)
    # prior 1 overlaps a box by 3/4: too much to be a negative
    other = loss("match_type: BIPARTITE neg_overlap: 0.5 neg_pos_ratio: 1", PERFECT, scores)
    assert other == pytest.approx(-np.log([0.8, 0.8, 0.1, 0.8]).sum() / 2, rel=1e-4)


def test_hard_examples_may_drop_positives() -> None:
    scores = SURE.copy()
    scores[0, 2] = np.log([0.5, 0.25, 0.25])
    found = loss("mining_type: HARD_EXAMPLE sample_size: 2 match_type: BIPARTITE", PERFECT, scores)
    # the hardest are 1 and 4, objects where there is none; no positive is left to divide by
    assert found == pytest.approx(-np.log([0.1, 0.1]).sum(), rel=1e-4)
    found = loss("mining_type: HARD_EXAMPLE sample_size: 3 match_type: BIPARTITE", PERFECT, scores)
    assert found == pytest.approx(-np.log([0.1, 0.1, 0.25]).sum(), rel=1e-4)


@pytest.mark.parametrize(("mode", "divisor"), [("FULL", 5), ("BATCH_SIZE", 1), ("NONE", 1)])
def test_the_multibox_loss_is_divided_as_the_normalization_says(mode: str, divisor: int) -> None:
    rest = "mining_type: NONE match_type: BIPARTITE"
    found = loss(rest, PERFECT, SURE, outer=f"loss_param {{ normalization: {mode} }}")
    assert found == pytest.approx(loss(rest, PERFECT, SURE) * 2 / divisor, rel=1e-4)


def test_images_without_truth_count_only_without_mining() -> None:
    locations, scores = np.concatenate([PERFECT, PERFECT]), np.concatenate([SURE, SURE])
    mined = "match_type: BIPARTITE neg_pos_ratio: 1"
    assert loss(mined, locations, scores) == pytest.approx(loss(mined, PERFECT, SURE), rel=1e-5)
    every = "mining_type: NONE match_type: BIPARTITE"
    rest = -np.log([0.1, 0.1, 0.1, 0.8, 0.1]).sum() / 2
    assert loss(every, locations, scores) == pytest.approx(loss(every, PERFECT, SURE) + rest, rel=1e-5)


def test_difficult_boxes_may_be_left_out() -> None:
    truth = TRUTH.copy()
    truth[0, 0, 1, 7] = 1
    rest = "mining_type: NONE match_type: BIPARTITE use_difficult_gt: false"
    assert loss(rest, PERFECT, SURE, truth) == pytest.approx(-np.log([0.8, 0.1, 0.1, 0.8, 0.1]).sum(), rel=1e-4)


def test_a_gradient_that_does_not_flow_leaves_its_loss_out() -> None:
    moved = PERFECT + 1
    off = " ".join(f"propagate_down: {flag}" for flag in ("false", "true", "false", "false"))
    rest = "mining_type: NONE match_type: BIPARTITE"
    assert loss(rest, moved, SURE, outer=off) == pytest.approx(loss(rest, PERFECT, SURE), rel=1e-4)


def test_logistic_confidences_stand_for_themselves() -> None:
    scores = np.zeros((1, 5, 3))
    scores[0, 0] = [-30, 30, -30]
    found = loss("mining_type: NONE match_type: BIPARTITE conf_loss_type: LOGISTIC", PERFECT, scores)
    assert found == pytest.approx(4 * 3 * np.log(2) / 2, rel=1e-4)


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("do_neg_mining: false", "contradicts mining_type MAX_NEGATIVE"),
        ("share_location: false", "needs share_location: true"),
        ("background_label_id: 3", "not one of the 3 classes"),
    ],
)
def test_what_ssd_refuses_is_refused(rest: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        loss(rest)
    with pytest.raises(InputError, match="num_classes"):
        layer_of('type: "MultiBoxLoss"', 4)


def test_a_truth_that_names_no_class_is_refused() -> None:
    for label in (0, 3, -2):
        truth = TRUTH.copy()
        truth[0, 0, 0, 1] = label
        with pytest.raises(InputError, match="give it with inputs="):
            loss("", truth=truth)


def test_a_box_without_area_overlaps_no_prior() -> None:
    rest = "code_type: CENTER_SIZE mining_type: NONE use_prior_for_matching: false"
    flat = TRUTH.copy()
    flat[0, 0, 0, 5] = flat[0, 0, 0, 3]
    assert loss(rest, truth=flat) == loss(rest, truth=TRUTH[:, :, 1:])


def test_every_box_of_the_truth_gets_its_best_prior_first() -> None:
    param = _param("match_type: BIPARTITE")
    truth = np.array([[0.1, 0.1, 0.3, 0.45], [0.1, 0.1, 0.3, 0.38]], dtype=np.float32)
    index, best = match(PRIORS[:3], truth, param)
    # 0.35/0.4 < 0.3/0.35 < 0.28/0.3: the second box takes prior 1, the first is left with prior 0
    assert index.tolist() == [0, 1, -1]
    np.testing.assert_allclose(best, [0.35 / 0.4, 0.28 / 0.3, 0], rtol=1e-5)


def test_priors_that_cross_the_edge_may_be_left_out() -> None:
    truth = PRIORS[4:].copy()
    index, _ = match(PRIORS, truth, _param(""))
    assert index.tolist() == [-1, -1, -1, -1, 0]
    index, best = match(PRIORS, truth, _param("ignore_cross_boundary_bbox: true"))
    assert index.tolist() == [-1, -1, 0, -1, -2]
    assert best[4] == 0


def _param(text: str) -> Message:
    ops = "".join(
        f'layer {{ name: "{name}" type: "Input" top: "{name}" input_param {{ shape {{ {dims} }} }} }}\n'
        for name, dims in (
            ("l", "dim: 1 dim: 20"),
            ("c", "dim: 1 dim: 15"),
            ("p", "dim: 1 dim: 2 dim: 20"),
            ("g", "dim: 1 dim: 1 dim: 2 dim: 8"),
        )
    )
    bottoms = 'bottom: "l" bottom: "c" bottom: "p" bottom: "g"'
    net = net_of(
        f'{ops} layer {{ name: "op" type: "MultiBoxLoss" {bottoms} '
        f"multibox_loss_param {{ num_classes: 3 {text} }} }}"
    )
    return net.nodes[-1].message.child("multibox_loss_param")
