"""Small nets that show what people met in public, each with the right answer.

The numbers follow from Caffe's own source, or from that of the fork that a class names as its `source`.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import netcount
from netcount.analysis.rows import LayerRow
from tests.helpers import ROOT, inputs

FIELD = ROOT / "tests" / "data" / "field"


def load(name: str, **options: Any) -> netcount.Net:
    return netcount.load(FIELD / f"{name}.prototxt", batch="net", **options)


def row(net: netcount.Net, layer: str) -> LayerRow:
    (found,) = (row for row in net.analyze() if row.name == layer)
    return found


def shape(net: netcount.Net, blob: str) -> tuple[int, ...]:
    return next(one.shape for one in reversed(net.blobs) if one.name == blob)


def error(name: str, **options: Any) -> str:
    with pytest.raises(netcount.InputError) as caught:
        load(name, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "blob", "expected"),
    [
        ("06-five-input-dims", "c1", (1, 8, 30, 30)),
        ("20b-pixel-shuffle-layer", "ps", (1, 4, 30, 36)),
        ("23b-upsample-one-bottom-hw", "u", (1, 4, 26, 26)),
        ("23c-upsample-hscale", "u", (1, 4, 26, 26)),
        ("25-dfpn-upsample", "dw", (1, 16, 38, 38)),
        ("54-flownet-corr", "corr", (1, 21 * 21, 48, 64)),
        ("69-refinedet-output", "out", (1, 1, 1, 7)),
    ],
)
def test_the_shape_of_a_forks_layer(name: str, blob: str, expected: tuple[int, ...]) -> None:
    net = load(name)
    assert net.complete
    assert shape(net, blob) == expected


@pytest.mark.parametrize(
    ("name", "layer", "params", "madds"),
    [
        ("05-c3d-new", "c1", 64 * (81 + 1), 64 * 81 * 16 * 112 * 112),
        ("05-c3d-new", "fc", 10 * (64 * 16 * 56 * 56 + 1), 10 * 64 * 16 * 56 * 56),
        ("07-crnn", "rnn", 66_000, 2_099_200),
        ("32b-local", "l1", 20 * 36 * 36 * (48 + 1), 20 * 36 * 36 * 48),
        ("36-ristretto", "c1", 16 * 28, 16 * 27 * 32 * 32),
        ("36-ristretto", "fc", 170, 160),
        ("36c-precision-param", "c1", 16 * 28, 16 * 27 * 32 * 32),
        ("45-mem-param", "c", 112, 4 * 27 * 36),
        ("54-flownet-corr", "c", 32 * 442, 32 * 441 * 48 * 64),
        ("63-deformable", "dc", 4_608, 903_168),
    ],
)
def test_the_cost_of_a_forks_layer(name: str, layer: str, params: int, madds: int) -> None:
    net = load(name)
    assert net.complete
    found = row(net, layer)
    assert (found.params, found.ops.madds) == (params, madds)


def test_a_fully_connected_layer_is_three_percent_of_a_net_over_clips() -> None:
    net = load("05-c3d-new")
    assert net.analyze().totals.madds == 1_072_562_176
    assert 0.029 < row(net, "fc").ops.madds / 1_072_562_176 < 0.03


@pytest.mark.parametrize("name", ["36c-precision-param", "45-mem-param", "06-five-input-dims"])
def test_what_caffe_passes_over_is_warned_of(name: str) -> None:
    said = {
        "36c-precision-param": '"precision_param" in any known Caffe; passed over',
        "45-mem-param": '"mem_param" in any known Caffe; passed over',
        "06-five-input-dims": "Caffe takes four per input and leaves out 32",
    }
    (warning,) = load(name).analyze().warnings
    assert said[name] in warning.message


def test_a_fork_that_unpools_to_the_files_extents_still_asks_for_both_inputs() -> None:
    assert 'the shapes of "colour", "depth"' in error("03-fusenet-unpooling")
    net = load("03-fusenet-unpooling", input_shapes={"colour": (1, 3, 12, 16), "depth": (1, 1, 12, 16)})
    assert shape(net, "u") == (1, 4, 12, 16)


def test_a_continuation_indicator_is_steps_by_images() -> None:
    assert shape(load("07-crnn"), "cont") == (32, 1)


def test_a_field_that_caffe_does_not_read_beats_none_that_it_reads() -> None:
    net = load("18-imagedata-input-param", phase="TRAIN")
    conv = row(net, "conv1")
    assert shape(net, "data") == (1, 3, 224, 224)
    assert (conv.params, conv.ops.madds) == (1_792, 86_704_128)


def test_a_head_that_does_not_fit_its_priors_is_named() -> None:
    assert '"loc" (line 4) must have 16 channels, not 12, for the 4 boxes per position' in error(
        "26-ssd-prior-mismatch"
    )


def test_a_layer_of_one_phase_is_named_behind_a_reader_in_place() -> None:
    said = error("39-bn-only-in-train")
    assert '"bn1" (line 6), which makes it, is left out by its include or exclude rules; try phase="TRAIN"' in said
    assert load("39-bn-only-in-train", phase="TRAIN").complete


def test_residual_blocks_without_names() -> None:
    blocks = load("40-residual-tower").analyze().blocks()
    assert [block.name for block in blocks] == ["add1", "add2", "add3", "add4", "add5"]
    assert {block.totals.ops.madds for block in blocks} == {2 * 64 * 64 * 9 * 19 * 19}
    assert [block.rows[-1].name for block in blocks] == ["relu3", "relu5", "relu7", "relu9", "relu11"]


def test_a_quoted_type_of_v1_says_what_to_write() -> None:
    assert 'write type: CONVOLUTION, or "layer" in place of "layers"' in error("44-v1-string-type")


def test_a_template_is_filled() -> None:
    said = error("57-template")
    assert re.search(r":2:89: \$HEIGHT\$ is a placeholder that a script fills in", said)
    net = load("57-template", define={"HEIGHT": 320, "WIDTH": 448, "NUM_LABELS": 21, "NET": "flow"})
    assert shape(net, "c") == (1, 21, 318, 446)
    assert net.name == "flow"


def test_anchors_come_from_the_channels() -> None:
    net = load("64-proposal-12-anchors")
    assert net.complete
    (warning,) = net.analyze().warnings
    assert "12 anchors" in warning.message


def test_offsets_multiply_boxes_and_a_box_of_ratio_1_is_left_out() -> None:
    """prior_box_layer.cpp of tl_ssd: aspect_ratio × min_size × offset_w × offset_h boxes, none of ratio 1, so
    one here; SSD, which refuses the offsets, would make two without them."""
    net = load("65-priorbox-fork-fields")
    assert shape(net, "prior") == (1, 2, 12 * 25 * 4)
    (warning,) = net.analyze().warnings
    assert "1×1 boxes per position" in warning.message
    assert "SSD's own layer does not know them, and makes 2 without" in warning.message


def test_an_eltwise_over_its_first_bottom_loses_it() -> None:
    net = load("71-eltwise-in-place")
    (warning,) = net.analyze().warnings
    assert 'the values of "a" are lost' in warning.message
    blobs = [np.zeros((4, 4, 1, 1), np.float32)]
    made = net.run(
        weights={"a": [*blobs, np.full(4, 1, np.float32)], "b": [*blobs, np.full(4, 2, np.float32)]},
    )
    np.testing.assert_array_equal(made["a"], 2)


def text(*layers: str, **shapes: tuple[int, ...]) -> str:
    return inputs(**shapes) + "".join(f"layer {{ {one} }}\n" for one in layers)


@pytest.mark.parametrize(
    "fields",
    [
        "scale_bias: true",
        'scale_filler { type: "constant" value: 1 }',
        'bias_filler { type: "constant" value: 0 }',
    ],
)
def test_nvidias_batch_norm_learns_a_scale_and_a_bias(fields: str) -> None:
    """batch_norm_layer.cpp of NVIDIA/caffe: five blobs, 2·C of them learned, whatever their lr_mult."""
    rates = "param { lr_mult: 1 } param { lr_mult: 1 } param { lr_mult: 0 }"
    net = netcount.loads(
        text(
            f'name: "b" type: "BatchNorm" bottom: "x" top: "y" {rates} batch_norm_param {{ {fields} }}',
            x=(2, 6, 4, 5),
        )
    )
    assert row(net, "b").params == 12
    assert len(net.node("b").params) == 5


def test_a_pooling_of_regions_takes_rows_of_four() -> None:
    """roi_pooling_layer.cpp checks no shape of its regions."""
    pool = 'name: "p" type: "ROIPooling" bottom: "x" bottom: "r" top: "y" '
    size = "roi_pooling_param { pooled_w: 6 pooled_h: 5 }"
    net = netcount.loads(text(pool + size, x=(1, 8, 32, 24), r=(3, 4, 1, 1)), batch="net")
    assert shape(net, "y") == (3, 8, 5, 6)


@pytest.mark.parametrize(
    ("tops", "shapes"),
    [
        ("data rois labels", {"rois": (128, 5, 1, 1), "labels": (128, 1, 1, 1)}),
        ("data im_info gt_boxes", {"data": (1, 3, 600, 1000), "im_info": (1, 3)}),
    ],
)
def test_a_source_of_regions_is_known_by_its_tops(tops: str, shapes: dict[str, tuple[int, ...]]) -> None:
    named = "".join(f' top: "{top}"' for top in tops.split())
    python = (
        "python_param { module: 'roi_data_layer.layer' layer: 'RoIDataLayer' param_str: '\\'num_classes\\': 21' }"
    )
    net = netcount.loads(text(f'name: "d" type: "Python" {named} {python}'), batch="net")
    assert {blob: shape(net, blob) for blob in shapes} == shapes


def test_anchors_are_the_scales_and_ratios_of_the_file() -> None:
    """Six scales by seven ratios are 42 anchors: 84 scores and 168 offsets a position."""
    param = "{'feat_stride': 16, 'ratios': [0.3, 0.5, 0.7, 1, 1.5, 2, 3], 'scales': [2, 3, 5, 9, 16, 32]}"
    layer = (
        'name: "p" type: "Python" bottom: "c" bottom: "b" bottom: "i" top: "rois" top: "scores" '
        f'python_param {{ module: "rpn.proposal_layer" layer: "ProposalLayer" param_str: "{param}" }}'
    )
    shapes = {"c": (1, 84, 10, 12), "b": (1, 168, 10, 12), "i": (1, 3)}
    net = netcount.loads(text(layer, **shapes), batch="net")
    assert shape(net, "scores") == (300, 1)
    with pytest.raises(netcount.InputError, match="42"):
        netcount.loads(text(layer, **{**shapes, "c": (1, 18, 10, 12)}), batch="net")


def test_a_loss_tells_the_loss_of_each_region_too() -> None:
    """softmax_loss_layer.cpp of caffe-rfcn: the loss, the probabilities, and a loss a label."""
    loss = 'name: "l" type: "SoftmaxWithLoss" bottom: "x" bottom: "t" top: "a" top: "b" top: "c" loss_weight: 1'
    net = netcount.loads(text(loss + " loss_weight: 0 loss_weight: 0", x=(8, 21), t=(8,)), batch="net")
    assert [shape(net, blob) for blob in "abc"] == [(), (8, 21), (8,)]


def test_a_field_of_a_forks_resizing_is_passed_over() -> None:
    data = (
        'name: "d" type: "Data" top: "x" top: "t" data_param { source: "d" batch_size: 2 } '
        "transform_param { crop_size: 32 resize_param { width: 40 height: 40 centre_object: true } }"
    )
    net = netcount.loads(text(data), batch="net")
    assert net.complete
    assert shape(net, "x") == (2, 3, 32, 32)
    assert 'ResizeParameter has no field "centre_object"' in net.warnings[0].message


@pytest.mark.parametrize("blobs", ['bottom: "x" top: "y" param { lr_mult: 1 } param { lr_mult: 2 }', ""])
def test_a_layer_of_an_unknown_type_can_be_taken_for_the_identity(blobs: str) -> None:
    net = netcount.loads(text(f'name: "m" type: "OfOurs" {blobs}', x=(1, 3, 8, 9)), assume={"OfOurs": "identity"})
    assert not net.complete
    assert len(net.nodes) == 2
