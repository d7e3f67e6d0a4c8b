"""Layers of OpenPose and convolutional pose machines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError, MissingShapeError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import layer_of, net_of


def test_peaks_are_above_all_eight_neighbours() -> None:
    layer = layer_of('type: "Nms" nms_param { num_parts: 2 max_peaks: 2 threshold: 0.5 }')
    x = np.zeros((1, 3, 9, 11), np.float32)
    x[0, 0, 2, 3] = 1
    x[0, 0, 6, 8], x[0, 0, 6, 9] = 2, 1.9
    x[0, 0, 4, 5] = 0.6
    x[0, 0, 0, 7] = 9  # at the edge
    x[0, 1, 3, 3] = 0.5  # not above the threshold
    assert layer.infer([Shape(x.shape)]) == [(1, 2, 3, 3)]
    (y,) = layer.forward([x], [], Run())
    assert y[0, 0, 0].tolist() == [3, 0, 0]  # as many as there are, also those that find no room
    near = [(1, 2, 3), (0.6, 4, 5)]  # the peak at 0.6 lies within three of the first
    total = sum(mass for mass, _, _ in near)
    expected = [sum(m * c for m, _, c in near) / total, sum(m * r for m, r, _ in near) / total, 1]
    np.testing.assert_allclose(y[0, 0, 1], expected, rtol=1e-5)
    assert not y[0, 1].any()


def test_peaks_need_as_many_maps_as_parts() -> None:
    layer = layer_of('type: "Nms"')
    assert layer.infer([Shape((2, 57, 9, 11))]) == [(2, 15, 21, 3)]
    with pytest.raises(InputError, match="num_parts 15 is more than the maps"):
        layer.forward([np.zeros((1, 3, 9, 11), np.float32)], [], Run())
    with pytest.raises(InputError, match="must be N×C×H×W"):
        layer.infer([Shape((9, 11))])


def cubic(v: Any, d: float) -> float:
    """The kernel's own polynomial of four neighbours."""
    a = -0.5 * v[0] + 1.5 * v[1] - 1.5 * v[2] + 0.5 * v[3]
    b = v[0] - 2.5 * v[1] + 2 * v[2] - 0.5 * v[3]
    return float(a * d**3 + b * d**2 + (-0.5 * v[0] + 0.5 * v[2]) * d + v[1])


def neighbours(place: float, inner: int, border: int) -> tuple[list[int], float]:
    base = max(int(place + 1e-5), 0)
    behind = min(base + 1, inner - 1)
    four = [max(base - 1, 0), base, behind, min(behind + 1, inner - 1)]
    return [index + border for index in four], place - base


def test_scales_are_resized_by_cubics_and_averaged() -> None:
    layer = layer_of('type: "ImResize" imresize_param { factor: 2.5 start_scale: 1 scale_gap: 0.3 }')
    x = np.random.default_rng(3).standard_normal((2, 1, 6, 8), dtype=np.float32)
    assert layer.infer([Shape(x.shape)]) == [(1, 1, 15, 20)]
    (y,) = layer.forward([x], [], Run())
    for row, column in ((0, 0), (3, 7), (14, 19), (7, 11)):
        total = 0.0
        for n, border in enumerate((0, 1)):  # ⌊3·0.3⌋ = 0 lines and ⌊4·0.3⌋ = 1 column of the second
            lines, dy = neighbours((row - (15 / 6 / 2 - 0.5)) * 6 / 15, 6, 0)
            inner = 8 - 2 * border
            columns, dx = neighbours((column - (20 / inner / 2 - 0.5)) * inner / 20, inner, border)
            total += cubic([cubic(x[n, 0, line, columns], dx) for line in lines], dy)
        assert y[0, 0, row, column] == pytest.approx(total / 2, rel=1e-3, abs=1e-4)


def test_the_size_may_be_named_instead_of_a_factor() -> None:
    assert layer_of('type: "ImResize"').infer([Shape((3, 5, 6, 8))]) == [(1, 5, 368, 368)]
    text = 'type: "ImResize" imresize_param { target_spatial_width: 7 target_spatial_height: 9 }'
    assert layer_of(text).infer([Shape((3, 5, 6, 8))]) == [(1, 5, 9, 7)]
    with pytest.raises(InputError, match="factor -2 must not be negative"):
        layer_of('type: "ImResize" imresize_param { factor: -2 }')


OPENPOSE = """layer { name: "d" type: "CPMData" top: "data" top: "label" data_param { batch_size: 3 }
    cpm_transform_param { crop_size_x: 368 crop_size_y: 320 stride: 8 num_parts: 56 np_in_lmdb: 17 } }"""
MACHINES = """layer { name: "d" type: "CPMData" top: "data" top: "label"
    cpmdata_param { batch_size: 3 backend: LMDB } transform_param { crop_size_x: 368 crop_size_y: 368 %s } }"""


def test_maps_of_joints_are_smaller_by_the_stride() -> None:
    net = net_of(OPENPOSE)
    assert [top.shape for top in net.nodes[0].tops] == [(3, 4, 320, 368), (3, 114, 40, 46)]
    assert "4 channels, and the crop's size, are assumed" in net.warnings[0].message
    train = net_of(OPENPOSE, phase="TRAIN")
    assert "4 channels are assumed" in train.warnings[0].message
    old = net_of(MACHINES % "stride: 4 num_parts: 3")
    assert [top.shape for top in old.nodes[0].tops] == [(3, 4, 368, 368), (3, 8, 92, 92)]
    assert net_of(MACHINES % "").nodes[0].tops[1].shape == (3, 30, 92, 92)


def test_the_images_can_be_given() -> None:
    net = net_of(OPENPOSE, input_shapes={"data": (2, 6, 64, 48)})
    assert net.nodes[0].tops[1].shape == (2, 114, 8, 6)
    assert not net.warnings
    with pytest.raises(MissingShapeError):
        net_of('layer { name: "d" type: "CPMData" top: "data" top: "label" }')
    with pytest.raises(InputError, match="stride must be positive"):
        net_of(OPENPOSE.replace("stride: 8", "stride: 0"))
