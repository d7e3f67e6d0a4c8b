"""DetectNet's Python layers, CTPN's boxes of text and LRCN's clips: what their shapes are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError, MissingShapeError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import layer_of, net_of


def python(module: str, layer: str, text: str = "") -> str:
    return f'type: "Python" python_param {{ module: "{module}" layer: "{layer}" param_str: "{text}" }}'


def clusters(layer: str, text: str, tops: int) -> Any:
    return layer_of(python("caffe.layers.detectnet.clustering", layer, text), 2, tops)


GRID = [Shape((3, 2, 22, 78)), Shape((3, 4, 22, 78))]


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        ("ClusterDetections", "1248,352,16,0.05,1,0.025,22,2"),
        ("ClusterGroundtruth", "1248, 352, 16, 2"),
    ],
)
def test_a_class_has_fifty_boxes_an_image(layer: str, text: str) -> None:
    assert clusters(layer, text, 2).infer(GRID) == [(3, 50, 5)] * 2
    with pytest.raises(InputError, match="a top for each of 2 classes, not 1"):
        clusters(layer, text, 1)
    with pytest.raises(InputError, match=r"must be N×2×H×W, a channel per class"):
        clusters(layer, text, 2).infer([Shape((3, 1, 22, 78)), GRID[1]])
    with pytest.raises(InputError, match="with inputs="):
        clusters(layer, text, 2).forward([np.zeros(shape, np.float32) for shape in GRID], [], Run())


def test_one_class_need_not_be_named() -> None:
    assert clusters("ClusterGroundtruth", "1248,352,16", 1).infer([Shape((3, 1, 22, 78)), GRID[1]]) == [(3, 50, 5)]
    for text in ("1248,352", "a,b,c", ""):
        with pytest.raises(InputError, match="param_str needs 3 numbers"):
            clusters("ClusterGroundtruth", text, 1)


def test_boxes_are_scored_and_the_scores_summed_up() -> None:
    scores = layer_of(python("caffe.layers.detectnet.mean_ap", "ScoreDetections"), 2)
    assert scores.infer([Shape((3, 50, 5))] * 2) == [(3, 50, 5)]
    with pytest.raises(InputError, match="differ in images"):
        scores.infer([Shape((3, 50, 5)), Shape((2, 50, 5))])
    mean = layer_of(python("caffe.layers.detectnet.mean_ap", "mAP", "1248,352,16"), 1, 3)
    assert mean.infer([Shape((3, 50, 5))]) == [(1,), (1,), (1,)]


TEXT = python("layers.text_proposal_layer", "ProposalLayer", "'feat_stride': 16")


def test_a_narrow_box_of_text_stands_at_each_position() -> None:
    layer = layer_of(TEXT, 3, 2)
    scores = np.arange(20 * 6, dtype=np.float32).reshape(1, 20, 2, 3)
    deltas = np.zeros((1, 20, 2, 3), np.float32)
    deltas[0, 2:4, 1, 2] = [0.5, np.log(2)]  # the second anchor, 16 high
    info = np.array([[100, 200, 1]], np.float32)
    shapes = [Shape(a.shape) for a in (scores, deltas, info)]
    assert layer.infer(shapes) == [(60, 4), (60, 1)]
    boxes, kept = layer.forward([scores, deltas, info], [], Run())
    by_place = boxes.reshape(2, 3, 10, 4)
    # an anchor 16 high lies from line 0 to 15 (7.5 − 8 and 7.5 + 8 without their fractions), 8 lines about 7.5
    np.testing.assert_allclose(by_place[0, 1, 1], [16, 0, 31, 15.5], atol=1e-5)
    centre = 7.5 + 16 + 0.5 * 16
    np.testing.assert_allclose(by_place[1, 2, 1], [32, centre - 16, 47, centre + 16], rtol=1e-5)
    assert kept.reshape(2, 3, 10)[1, 2, 0] == scores[0, 10, 1, 2]
    assert by_place[..., 1].min() >= 0
    assert by_place[..., 3].max() <= 99


def test_other_anchors_of_text_are_counted_and_not_run() -> None:
    layer = layer_of(TEXT, 3, 2)
    assert layer.infer([Shape((1, 8, 2, 3)), Shape((1, 8, 2, 3)), Shape((1, 3))]) == [(24, 4), (24, 1)]
    with pytest.raises(InputError, match="runs with CTPN's 10 anchors"):
        layer.forward([np.zeros((1, 8, 2, 3), np.float32)] * 2 + [np.ones((1, 3), np.float32)], [], Run())
    with pytest.raises(InputError, match=r"must be 1×2A×H×W"):
        layer.infer([Shape((1, 7, 2, 3)), Shape((1, 7, 2, 3)), Shape((1, 3))])
    with pytest.raises(InputError, match="must be as bottom 0"):
        layer.infer([Shape((1, 8, 2, 3)), Shape((1, 16, 2, 3)), Shape((1, 3))])


@pytest.mark.parametrize(
    ("layer", "frames"),
    [
        ("videoReadTrain_RGB", 384),
        ("videoReadTest_RGB", 48),
        ("videoReadTrain_flow", 384),
        ("videoReadTest_flow", 48),
    ],
)
def test_clips_have_sixteen_frames(layer: str, frames: int) -> None:
    text = python("sequence_input_layer", layer)
    net = net_of(f'layer {{ name: "d" top: "data" top: "label" top: "clip_markers" {text} }}')
    assert [top.shape for top in net.nodes[0].tops] == [(frames, 3, 227, 227), (frames,), (frames,)]
    assert "LRCN's custom" in net.warnings[0].message


def test_clips_with_other_tops_ask_for_their_shapes() -> None:
    tops = "".join(f' top: "{name}"' for name in ("data", "label", "attention", "clip_markers"))
    text = f'layer {{ name: "d"{tops} {python("sequence_input_layer", "videoReadTrain_RGB")} }}'
    with pytest.raises(MissingShapeError, match=r'input_shapes=\{"label": \(N, C, H, W\)\}'):
        net_of(text)
    given = {"data": (6, 3, 9, 9), "label": (6,), "attention": (6,), "clip_markers": (6,)}
    assert not net_of(text, input_shapes=given).warnings
