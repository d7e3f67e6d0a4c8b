"""Convolution3D and Deconvolution3D, and the clips that C3D's VideoData brings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import inputs, layer_of, net_of

C3D = (
    inputs(clip=(1, 3, 16, 112, 112))
    + """
layer { name: "c1" type: "Convolution3D" bottom: "clip" top: "c1"
  convolution3d_param { num_output: 64 kernel_size: 3 kernel_depth: 3 pad: 1 temporal_pad: 1 } }
layer { name: "r1" type: "ReLU" bottom: "c1" top: "c1" }
layer { name: "p1" type: "Pooling3D" bottom: "c1" top: "p1"
  pooling3d_param { pool: MAX kernel_size: 2 kernel_depth: 1 stride: 2 temporal_stride: 1 } }
layer { name: "fc" type: "InnerProduct" bottom: "p1" top: "fc" inner_product_param { num_output: 10 } }
"""
)


def test_a_net_over_clips() -> None:
    analysis = net_of(C3D).analyze()
    rows = {layer.name: layer for layer in analysis.layers}
    assert analysis.complete
    assert rows["c1"].ops.madds == 64 * 3 * 27 * 16 * 112 * 112
    assert rows["fc"].ops.madds == 10 * 64 * 16 * 56 * 56
    assert f"{analysis.totals.madds / 1e9:.2f}" == "1.07"
    assert rows["c1"].params == 64 * 3 * 27 + 64


STOCK = "convolution_param { num_output: 4 kernel_size: [2, 3, 3] stride: [3, 2, 2] pad: [1, 1, 1] }"
OURS = "num_output: 4 kernel_size: 3 kernel_depth: 2 stride: 2 temporal_stride: 3 pad: 1 temporal_pad: 1"


@pytest.mark.parametrize("kind", ["Convolution", "Deconvolution"])
def test_it_is_caffes_own_with_another_window(kind: str) -> None:
    x = np.sin(np.arange(2 * 3 * 4 * 5 * 6, dtype=np.float32)).reshape(2, 3, 4, 5, 6)
    ours = layer_of(f'type: "{kind}3D" convolution3d_param {{ {OURS} }}')
    stock = layer_of(f'type: "{kind}" {STOCK}')
    shape = [Shape(x.shape)]
    assert ours.infer(shape) == stock.infer(shape)
    assert [blob.shape for blob in ours.blobs(shape)] == [blob.shape for blob in stock.blobs(shape)]
    assert ours.blobs(shape)[1].forms == ((1, 1, 1, 1, 4),)
    assert ours.ops(shape, ours.infer(shape)) == stock.ops(shape, stock.infer(shape))
    blobs: list[Any] = [np.cos(np.arange(blob.shape.count(), dtype=np.float32)).reshape(blob.shape)
                        for blob in ours.blobs(shape)]  # fmt: skip
    stored = [blobs[0], blobs[1].reshape(1, 1, 1, 1, 4)]
    np.testing.assert_array_equal(ours.forward([x], stored, Run())[0], stock.forward([x], blobs, Run())[0])


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ("num_output: 4 kernel_size: 3", "kernel_depth"),
        ("num_output: 4 kernel_depth: 3", "kernel_size"),
        ("num_output: 0 kernel_size: 3 kernel_depth: 3", "num_output"),
        ("num_output: 4 kernel_size: 3 kernel_depth: 3 filter_group: 3", "filter_group"),
    ],
)
def test_what_c3d_refuses(fields: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        layer_of(f'type: "Convolution3D" convolution3d_param {{ {fields} }}')


def test_it_needs_an_axis_of_frames() -> None:
    with pytest.raises(InputError, match="5 axes"):
        layer_of(f'type: "Convolution3D" convolution3d_param {{ {OURS} }}').infer([Shape((2, 3, 8, 8))])


CLIP = "batch_size: 5 new_length: 16 new_height: 128 new_width: 171"


def test_clips_have_an_axis_of_frames() -> None:
    net = net_of(
        'layer { name: "d" type: "VideoData" top: "x" top: "l" transform_param { crop_size: 112 } '
        f'video_data_param {{ source: "train" root_folder: "a" {CLIP} use_image: true }} }}'
    )
    assert net.node("d").top_shapes == [(5, 3, 16, 112, 112), (5,)]
    several = net_of(
        'layer { name: "d" type: "VideoData" top: "x" top: "l" '
        f'video_data_param {{ source: "train" {CLIP} use_multiple_label: true num_of_labels: 7 }} }}'
    )
    assert several.node("d").top_shapes == [(5, 3, 16, 128, 171), (5, 7)]


def test_the_older_form_keeps_the_crop_in_its_own_message() -> None:
    net = net_of(
        f'layers {{ name: "d" type: VIDEO_DATA top: "x" top: "l" image_data_param {{ source: "train" {CLIP} '
        "crop_size: 112 use_image: true } }"
    )
    assert net.node("d").top_shapes == [(5, 3, 16, 112, 112), (5, 1, 1, 1, 1)]


def test_snippets_of_tsn_still_have_frames_for_channels() -> None:
    net = net_of(
        'layer { name: "d" type: "VideoData" top: "x" top: "l" transform_param { crop_size: 224 } '
        'video_data_param { source: "train" batch_size: 2 new_length: 5 num_segments: 3 modality: FLOW } }'
    )
    assert net.node("d").top_shapes[0] == (2, 30, 224, 224)
