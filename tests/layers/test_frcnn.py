"""Faster R-CNN's layers: how many anchors there are, and caffe-faster-rcnn's forms of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.anchors import anchors_of, moved, shifted
from netcount.kernels.run import Run
from tests.helpers import inputs, layer_of, net_of


def python(module: str, layer: str, text: str) -> str:
    return f'type: "Python" python_param {{ module: "{module}" layer: "{layer}" param_str: "{text}" }}'


def proposals(text: str) -> Any:
    return layer_of(python("rpn.proposal_layer", "ProposalLayer", text), 3)


def targets(text: str) -> Any:
    return layer_of(python("rpn.anchor_target_layer", "AnchorTargetLayer", text), 3, 4)


@pytest.mark.parametrize(
    ("text", "anchors"),
    [
        ("'feat_stride': 16", 12),
        ("{'feat_stride': 16, 'ratios': [0.333, 0.5, 0.667, 1, 1.5, 2, 3], 'scales': [2, 3, 5, 9, 16, 32]}", 42),
        ("'feat_stride': 16, 'scales': (4, 8, 16, 32)", 12),
        ("'ratios': [.5, 2e0]", 6),
    ],
)
def test_anchors_are_ratios_times_scales_else_what_the_channels_ask_for(text: str, anchors: int) -> None:
    info = Shape((1, 3))
    shapes = [Shape((1, 2 * anchors, 5, 7)), Shape((1, 4 * anchors, 5, 7)), info]
    assert proposals(text).infer(shapes) == [(300, 5)]
    rows = (1, 4 * anchors, 5, 7)
    assert targets(text).infer([shapes[0], Shape((2, 5)), info]) == [(1, 1, anchors * 5, 7), rows, rows, rows]


def test_named_anchors_have_to_fit_the_channels() -> None:
    with pytest.raises(InputError, match=r"must be N×24×H×W for 12 anchors"):
        proposals("'scales': [4, 8, 16, 32]").infer([Shape((1, 18, 5, 7)), Shape((1, 36, 5, 7)), Shape((1, 3))])


def test_scores_and_deltas_are_of_as_many_anchors() -> None:
    with pytest.raises(InputError, match=r"must be N×24×H×W for 12 anchors"):
        proposals("").infer([Shape((1, 18, 5, 7)), Shape((1, 48, 5, 7)), Shape((1, 3))])


def test_anchors_that_only_the_channels_tell_are_a_note_and_cannot_be_run() -> None:
    shapes = [Shape((1, 24, 5, 7)), Shape((1, 48, 5, 7)), Shape((1, 3))]
    assert proposals("").data_dependent(shapes).endswith("12 anchors a position, by the channels")
    assert proposals("'ratios': [1, 2]").data_dependent(shapes).endswith("suppress each other")
    with pytest.raises(InputError, match=r'names no scales of its 12 anchors; give it with inputs=\{"t0"'):
        proposals("").forward([np.zeros(shape, np.float32) for shape in shapes], [], Run())
    bottoms = [np.zeros(shapes[0], np.float32), np.ones((2, 5), np.float32), np.ones((1, 3), np.float32)]
    with pytest.raises(InputError, match="names no scales of its 12 anchors"):
        targets("").forward(bottoms, [], Run())


def test_odd_channels_leave_py_faster_rcnns_nine() -> None:
    assert targets("").infer([Shape((1, 7, 5, 7)), Shape((2, 5)), Shape((1, 3))])[1] == (1, 36, 5, 7)


RPN = [Shape((1, 18, 5, 7)), Shape((1, 36, 5, 7)), Shape((1, 3))]


def test_proposals_in_cpp_have_four_axes() -> None:
    layer = layer_of('type: "FrcnnProposal" proposal_param { feat_stride: 8 }', 3, 2)
    assert layer.infer(RPN) == [(300, 5, 1, 1), (300, 1, 1, 1)]
    assert layer_of('type: "FrcnnProposal"', 3, 1, "TRAIN").infer(RPN) == [(2000, 5, 1, 1)]
    scores = np.zeros(RPN[0], np.float32)
    scores[0, 9 + 4, 2, 3] = 1  # the fifth anchor
    rois, kept = layer.forward(
        [scores, np.zeros(RPN[1], np.float32), np.array([[300, 400, 1]], np.float32)], [], Run()
    )
    best = shifted(anchors_of(16, (0.5, 1, 2), (8, 16, 32)), 8, (5, 7))[(2 * 7 + 3) * 9 + 4]
    expected = np.clip(moved(best[None], np.zeros((1, 4)))[0], 0, [399, 299, 399, 299])
    np.testing.assert_allclose(rois[0].reshape(-1), [0, *expected], rtol=1e-5)
    assert kept[0].reshape(-1).tolist() == [1]


def test_what_it_trains_on_has_the_custom_of_voc() -> None:
    assert layer_of('type: "FrcnnAnchorTarget"', 3, 4).infer([RPN[0], Shape((2, 5, 1, 1)), RPN[2]]) == [
        (1, 1, 45, 7),
        *[(1, 36, 5, 7)] * 3,
    ]
    layer = layer_of('type: "FrcnnProposalTarget"', 2, 5)
    assert layer.infer([Shape((300, 5, 1, 1)), Shape((1, 5, 1, 1))]) == [
        (128, 5, 1, 1),
        (128, 1, 1, 1),
        *[(128, 84, 1, 1)] * 3,
    ]
    note = layer.data_dependent([])
    assert note is not None
    assert "21 classes" in note


def test_its_images_are_assumed_and_can_be_given() -> None:
    text = """layer { name: "d" type: "FrcnnRoiData" top: "data" top: "im_info" top: "gt_boxes"
        window_data_param { source: "a" config: "voc_config.json" } }"""
    net = net_of(text)
    assert [top.shape for top in net.nodes[0].tops] == [(1, 3, 600, 1000), (1, 3, 1, 1), (1, 5, 1, 1)]
    assert "voc_config.json" in net.warnings[0].message
    given = net_of(text, input_shapes={"data": (1, 3, 320, 480)})
    assert given.nodes[0].tops[0].shape == (1, 3, 320, 480)
    assert not given.warnings


def data(tops: str, text: str = "'num_classes': 21") -> list[tuple[int, ...]]:
    names = "".join(f' top: "{name}"' for name in tops.split())
    layer = python("roi_data_layer.layer", "RoIDataLayer", text)
    net = net_of(f'layer {{ name: "d"{names} {layer} }}')
    return [tuple(top.shape) for top in net.nodes[0].tops]


def test_the_tops_of_the_data_layer_are_known_by_their_names() -> None:
    assert data("data im_info gt_boxes") == [(1, 3, 600, 1000), (1, 3), (1, 5)]
    assert data("data rois labels") == [(1, 3, 600, 1000), (128, 5, 1, 1), (128, 1, 1, 1)]
    assert data("image info truth") == [(1, 3, 600, 1000), (1, 3), (1, 5)]
    fast = "data rois labels bbox_targets bbox_inside_weights bbox_outside_weights"
    assert data(fast)[1:] == [(128, 5, 1, 1), (128, 1, 1, 1), *[(128, 84, 1, 1)] * 3]
    assert data("a b c d e f")[3:] == [(128, 84, 1, 1)] * 3
    with pytest.raises(InputError, match=r'input_shapes=\{"gt_info"'):
        data("data im_info gt_boxes gt_info")


ATTRIBUTES = "'num_classes': 3\\n'num_attr_classes': 5\\n'num_rel_classes': 0\\n'ignore_label': -1"


def sampler(text: str, tops: int) -> Any:
    return layer_of(python("rpn.proposal_target_layer", "ProposalTargetLayer", text), 2, tops)


def test_attributes_and_relations_are_further_tops() -> None:
    shapes = [Shape((300, 5)), Shape((2, 21))]
    assert sampler(ATTRIBUTES, 6).infer(shapes)[5:] == [(32, 16)]
    both = ATTRIBUTES.replace("'num_rel_classes': 0", "'num_rel_classes': 7")
    assert sampler(both, 7).infer(shapes)[5:] == [(32, 16), (1024, 1, 1, 1)]
    with pytest.raises(InputError, match="takes 6 tops, not 5"):
        sampler(ATTRIBUTES, 5)
    with pytest.raises(InputError, match=r"must be R×5"):
        sampler("'num_classes': 3", 5).infer([Shape((300, 4)), Shape((2, 5))])


def test_attributes_of_the_sampled_objects() -> None:
    truth = np.zeros((1, 21), np.float32)
    truth[0, :5] = [10, 10, 60, 60, 2]
    truth[0, 5:9] = [4, 3, 0, 2]
    boxes = np.array([[0, 12, 12, 60, 60]], np.float32)
    tops = sampler(ATTRIBUTES, 6).forward([boxes, truth], [], Run())
    marks = tops[5]
    assert marks.shape == (32, 16)
    objects = marks[(marks != -1).any(axis=1)]
    assert len(objects) == 2  # the box, and the truth itself
    assert objects[0].tolist() == [4, 3, -1, 2, *[-1] * 12]
    with pytest.raises(InputError, match="with inputs="):
        sampler(ATTRIBUTES, 6).forward([boxes, truth[:, :5]], [], Run())


def test_a_net_that_trains_is_read_whole() -> None:
    text = (
        inputs(feat=(1, 6, 5, 7))
        + """
        layer { name: "d" type: "FrcnnRoiData" top: "data" top: "info" top: "boxes" }
        layer { name: "s" type: "Convolution" bottom: "feat" top: "s"
                convolution_param { num_output: 18 kernel_size: 1 } }
        layer { name: "b" type: "Convolution" bottom: "feat" top: "b"
                convolution_param { num_output: 36 kernel_size: 1 } }
        layer { name: "p" type: "FrcnnProposal" bottom: "s" bottom: "b" bottom: "info" top: "rois" }
        layer { name: "t" type: "FrcnnProposalTarget" bottom: "rois" bottom: "boxes"
                top: "r" top: "l" top: "t" top: "i" top: "o" }
        layer { name: "pool" type: "ROIPooling" bottom: "feat" bottom: "r" top: "y"
                roi_pooling_param { pooled_h: 2 pooled_w: 3 } }"""
    )
    net = net_of(text)
    assert net.nodes[-1].tops[0].shape == (128, 6, 2, 3)
    assert net.complete
