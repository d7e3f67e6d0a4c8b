"""Resizing of forks: extents from the files' own rules, values from the sources' arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import inputs, layer_of, net_of

X = np.sin(np.arange(2 * 4 * 5 * 7, dtype=np.float32) * 1.3).reshape(2, 4, 5, 7)


def made(text: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    names = [f"b{index}" for index in range(len(shapes))]
    blobs = "".join(f' bottom: "{name}"' for name in names)
    net = net_of(
        inputs(**dict(zip(names, shapes, strict=True))) + f'layer {{ name: "op"{blobs} top: "y" {text} }}'
    )
    (shape,) = net.node("op").top_shapes
    return tuple(shape)


def run(text: str, *bottoms: Any) -> Any:
    arrays = [np.asarray(bottom, dtype=np.float32) for bottom in bottoms]
    layer = layer_of(text, len(arrays))
    (y,) = layer.forward(arrays, [], Run())
    if layer.data_dependent([Shape(array.shape) for array in arrays]) is None:
        assert layer.infer([Shape(array.shape) for array in arrays]) == [y.shape]
    return y


@pytest.mark.parametrize(
    ("text", "shapes", "top"),
    [
        ('type: "Upsample" upsample_param { upsample_h: 26 upsample_w: 26 }', [(1, 4, 13, 13)], (1, 4, 26, 26)),
        ('type: "Upsample" upsample_param { scale_h: 2 scale_w: 3 }', [(1, 4, 13, 13)], (1, 4, 26, 39)),
        ('type: "Upsample" upsample_param { height_scale: 2 width_scale: 2 mode: NEAREST }',
         [(1, 4, 13, 13)], (1, 4, 26, 26)),
        ('type: "Upsample" upsample_param { height_scale: 1.5 width_scale: 2 mode: BILINEAR }',
         [(1, 4, 13, 13)], (1, 4, 19, 26)),
        ('type: "Upsample"', [(1, 16, 38, 38), (1, 16, 19, 19)], (1, 16, 38, 38)),
        ('type: "Upsample"', [(1, 16, 38, 38), (1, 16, 38, 38)], (1, 16, 76, 76)),
        ('type: "Resize" resize_param { height: 480 width: 640 interp_mode: 1 }',
         [(1, 3, 240, 320)], (1, 3, 480, 640)),
        ('type: "Resize" resize_param { is_pyramid_test: true out_height_scale: 2.0 out_width_scale: 1.5 }',
         [(1, 3, 5, 7)], (1, 3, 10, 10)),
        ('type: "Resize" resize_param { height_fac: 0.5 width_fac: 3 }', [(1, 3, 5, 7)], (1, 3, 2, 21)),
        ('type: "Resize" resize_param { resize_ratio: 2 }', [(1, 3, 5, 7)], (1, 3, 10, 14)),
        ('type: "Resize"', [(1, 3, 5, 7), (1, 9, 6, 4)], (1, 3, 6, 4)),
        ('type: "DeephiResize" deephi_resize_param { scale_h: 2 scale_w: 1.5 }', [(1, 3, 5, 7)], (1, 3, 10, 10)),
        ('type: "DeephiResize" deephi_resize_param { new_height: 4 new_width: 9 }', [(1, 3, 5, 7)], (1, 3, 4, 9)),
        ('type: "Resample" resample_param { height: 4 width: 9 }', [(1, 3, 5, 7)], (1, 3, 4, 9)),
        ('type: "Resample"', [(1, 3, 5, 7), (2, 1, 3, 8)], (1, 3, 3, 8)),
        ('type: "Downsample" downsample_param { top_height: 3 top_width: 2 }', [(1, 3, 5, 7)], (1, 3, 3, 2)),
        ('type: "Accum"', [(1, 3, 5, 7), (1, 2, 9, 4)], (1, 5, 9, 7)),
        ('type: "Accum" accum_param { have_reference: true }', [(1, 3, 5, 7), (1, 2, 9, 4)], (1, 3, 9, 4)),
        ('type: "Accum" accum_param { size_divisible_by: 64 }', [(1, 3, 65, 7)], (1, 3, 128, 64)),
        ('type: "PixelShuffle" pixel_shuffle_param { upscale_factor: 3 }', [(1, 36, 10, 12)], (1, 4, 30, 36)),
        ('type: "Unpooling" unpooling_param { output_h: 12 output_w: 16 }',
         [(1, 4, 6, 8), (1, 4, 6, 8)], (1, 4, 12, 16)),
        ('type: "Unpooling" unpooling_param { scale: 3 }', [(1, 4, 6, 8), (1, 4, 6, 8)], (1, 4, 18, 24)),
        ('type: "Unpooling" unpooling_param { unpool: MAX kernel_size: 2 stride: 2 unpool_size: 14 }',
         [(1, 4, 7, 7), (1, 4, 7, 7)], (1, 4, 14, 14)),
        ('type: "Unpooling" unpooling_param { kernel_size: 3 stride: 2 }', [(1, 4, 6, 8)], (1, 4, 13, 17)),
        ('type: "Unpooling" unpooling_param { kernel_size: 2 stride: 2 }', [(1, 4, 30, 40)], (1, 4, 60, 80)),
        ('type: "BilinearInterpolation"', [(1, 4, 5, 7), (1, 3, 9, 8)], (1, 4, 9, 8)),
        ('type: "BilinearInterpolation" bilinear_interpolation_param { interpolation_factor: 3 }',
         [(1, 4, 5, 7)], (1, 4, 15, 21)),
        ('type: "Combination" combination_param { xcoord: 0 xcoord: 44 ycoord: 0 ycoord: 44 }',
         [(1, 4, 44, 44), (1, 4, 22, 44)], (1, 4, 66, 88)),
    ],
)  # fmt: skip
def test_extents(text: str, shapes: list[tuple[int, ...]], top: tuple[int, ...]) -> None:
    assert made(text, *shapes) == top


def test_parts_of_a_plane_come_together_again() -> None:
    corners = "xcoord: 0 xcoord: 4 xcoord: 0 xcoord: 4 ycoord: 0 ycoord: 0 ycoord: 3 ycoord: 3"
    cut = layer_of(f'type: "Division" division_param {{ height: 3 width: 4 {corners} }}', 1, 4)
    plane = np.arange(2 * 3 * 6 * 8, dtype=np.float32).reshape(2, 3, 6, 8)
    parts = cut.forward([plane], [], Run())
    assert [part[0, 0, 0, 0] for part in parts] == [0, 4, 24, 28]
    assert (run(f'type: "Combination" combination_param {{ {corners} }}', *parts) == plane).all()


def test_a_value_stands_where_it_stood() -> None:
    y = run('type: "Upsample" upsample_param { upsample_h: 7 upsample_w: 21 }', X)
    rows, columns = [place * 5 // 7 for place in range(7)], [place // 3 for place in range(21)]
    assert (y == X[:, :, rows][..., columns]).all()
    y = run('type: "Upsample" upsample_param { height_scale: 2 width_scale: 3 mode: NEAREST }', X)
    assert (y == X.repeat(2, axis=2).repeat(3, axis=3)).all()


def test_dfpns_upsample_by_its_own_arithmetic() -> None:
    fine, coarse = np.zeros((1, 1, 4, 6), dtype=np.float32), np.arange(6, dtype=np.float32).reshape(1, 1, 2, 3)
    y = run('type: "Upsample"', fine, coarse)
    wanted = np.zeros((4, 6))
    for row in range(4):
        for column in range(6):
            at = [(place + 1) / 2 - 1 for place in (row, column)]
            low = [int(a) for a in at]
            for down in range(2):
                for right in range(2):
                    weight = 1.0
                    for a, start, step, extent in zip(at, low, (down, right), (2, 3), strict=True):
                        beyond = start + step > extent - 1
                        weight *= 0 if beyond else (a - start if step else 1 - (a - start))
                    wanted[row, column] += weight * coarse[0, 0, min(low[0] + down, 1), min(low[1] + right, 2)]
    np.testing.assert_allclose(y[0, 0], wanted, rtol=1e-5)


def test_resize_leaves_out_neighbours_beyond_the_edge() -> None:
    (row,) = run('type: "Resize" resize_param { height: 1 width: 4 }', np.array([[[[2, 6]]]]))[0, 0]
    assert row.tolist() == [2, 4, 6, 3]


def test_the_extents_can_be_values_of_a_second_bottom() -> None:
    y = run('type: "Resize"', X, [[3, 2, 9, 9]])
    assert y.shape == (2, 4, 2, 3)


def test_opencvs_pixels_are_squares() -> None:
    text = 'type: "DeephiResize" deephi_resize_param { new_height: 1 new_width: 4 resize_type: BILINEAR }'
    (row,) = run(text, np.array([[[[2, 6]]]]))[0, 0]
    assert row.tolist() == [2, 3, 5, 6]
    (row,) = run(
        'type: "DeephiResize" deephi_resize_param { scale_h: 1 scale_w: 1.5 }', np.arange(4).reshape(1, 1, 1, 4)
    )[0, 0]
    assert row.tolist() == [0, 0, 1, 2, 2, 3]


def test_resample_smooths_when_it_shrinks() -> None:
    line = np.arange(8).reshape(1, 1, 1, 8)
    (row,) = run('type: "Resample" resample_param { height: 1 width: 4 antialias: false }', line)[0, 0]
    assert row.tolist() == [0, 2, 4, 6]  # the other axis' factor, 1, says where a pixel is looked for
    (row,) = run('type: "Resample" resample_param { height: 1 width: 4 }', np.eye(8)[3].reshape(1, 1, 1, 8))[0, 0]
    assert row.tolist() == [0, 0.25, 0.25, 0]
    same = run('type: "Resample" resample_param { height: 5 width: 7 type: CUBIC }', X)
    np.testing.assert_allclose(same, X, rtol=1e-5, atol=1e-6)
    assert (run('type: "Resample" resample_param { height: 5 width: 7 type: NEAREST }', X) == X).all()


def test_downsample_passes_over_what_is_no_number() -> None:
    line = np.array([1, np.nan, 3, 4, np.nan], dtype=np.float32).reshape(1, 1, 1, 5)
    (row,) = run('type: "Downsample" downsample_param { top_height: 1 top_width: 3 }', line)[0, 0]
    assert row.tolist() == [1, pytest.approx((3 * 1 + 4 * 0.5) / 1.5), pytest.approx(np.nan, nan_ok=True)]
    assert run('type: "Downsample" downsample_param { top_height: 5 top_width: 7 }', X) is not None


def test_accum_keeps_the_corners() -> None:
    y = run('type: "Accum"', np.arange(4).reshape(1, 1, 2, 2), np.zeros((1, 2, 3, 3)))
    assert y[0, 0].tolist() == [[0, 0.5, 1], [1, 1.5, 2], [2, 2.5, 3]]


def test_pixels_come_from_neighbouring_channels() -> None:
    y = run('type: "PixelShuffle" pixelshuffle_param { upscale_factor: 2 }', X)
    for row in range(10):
        for column in range(14):
            assert (y[:, 0, row, column] == X[:, row % 2 * 2 + column % 2, row // 2, column // 2]).all()


def test_unpooling_undoes_the_pooling_that_made_the_mask() -> None:
    pool = layer_of('type: "Pooling" pooling_param { kernel_size: 2 stride: 2 }', 1, 2)
    top, mask = pool.forward([X], [], Run())
    y = run('type: "Unpooling" unpooling_param { output_h: 5 output_w: 7 }', top, mask)
    assert (y[y != 0] == X[y != 0]).all()
    assert (y != 0).sum() == top.size


@pytest.mark.parametrize(("method", "share"), [("AVE", 0.25), ("TILE", 1.0)])
def test_deconvnets_other_ways(method: str, share: float) -> None:
    text = f'type: "Unpooling" unpooling_param {{ unpool: {method} kernel_size: 2 stride: 2 unpool_size: 4 }}'
    y = run(text, np.array([[[[1, 2], [3, 4]]]]))
    assert (y[0, 0] == np.array([[1, 2], [3, 4]]).repeat(2, 0).repeat(2, 1) * share).all()
    ops = layer_of(text).ops([Shape((1, 1, 2, 2))], [Shape((1, 1, 4, 4))])
    assert (ops.adds, ops.divs) == (16, 16 if method == "AVE" else 0)


@pytest.mark.parametrize(
    ("text", "shapes", "match"),
    [
        ('type: "Upsample" upsample_param { scale_h: 2 }', [(1, 4, 5, 7)], "scale_h and scale_w"),
        ('type: "Upsample"', [(1, 4, 5, 7), (1, 4, 6, 3)], "must be as"),
        ('type: "Upsample" upsample_param { scale: 2 }', [(1, 4, 6, 8), (1, 4, 3, 4)], "must be as"),
        ('type: "Resize" resize_param { height: 3 }', [(1, 4, 5, 7)], "height and width"),
        ('type: "Resize" resize_param { height: 3 width: 2 }', [(1, 4, 5, 7), (1, 4, 5, 7)], "not both"),
        ('type: "DeephiResize" deephi_resize_param { scale_h: 2 }', [(1, 4, 5, 7)], "set together"),
        ('type: "Resample"', [(1, 4, 5, 7)], "height and width"),
        ('type: "Resample" resample_param { height: 2 width: 2 type: AREA }', [(1, 4, 5, 7)], "AREA"),
        ('type: "Downsample"', [(1, 4, 5, 7)], "top_height"),
        ('type: "Accum"', [(1, 4, 5, 7), (2, 4, 5, 7)], "images"),
        ('type: "PixelShuffle"', [(1, 4, 5, 7)], "positive upscale_factor"),
        ('type: "PixelShuffle" pixel_shuffle_param { upscale_factor: 3 }', [(1, 4, 5, 7)], "divided by 3×3"),
        ('type: "Unpooling" unpooling_param { scale: 2 }', [(1, 4, 5, 7)], "needs a pooling mask"),
        ('type: "Division" division_param { height: 2 width: 2 xcoord: 1 }', [(1, 4, 5, 7)], "needs an ycoord"),
        ('type: "Division" division_param { height: 2 xcoord: 1 ycoord: 1 }', [(1, 4, 5, 7)], "must be positive"),
        (
            'type: "Division" division_param { height: 2 width: 2 xcoord: 6 ycoord: 1 }',
            [(1, 4, 5, 7)],
            "2×2 from row 1 and column 6 on, ends outside 5×7×4",
        ),
        (
            'type: "Combination" combination_param { xcoord: 1 xcoord: 0 ycoord: 0 ycoord: 0 }',
            [(1, 4, 5, 7), (1, 4, 5, 7)],
            "5×7×4 ends outside the 5×7 that",
        ),
        ('type: "Combination" combination_param { xcoord: 0 ycoord: 0 }', [(1, 4, 5, 7)] * 2, "each of its 2"),
        (
            'type: "BilinearInterpolation" bilinear_interpolation_param { interpolation_factor: 0 }',
            [(1, 4, 5, 7)],
            "must be positive",
        ),
        ('type: "Unpooling" unpooling_param { scale: 2 }', [(1, 4, 5, 7), (1, 4, 5, 6)], "must be as"),
        ('type: "Unpooling" unpooling_param { kernel_size: 2 pad: 1 }', [(1, 4, 5, 7)], "no padding"),
    ],
)
def test_what_the_forks_refuse(text: str, shapes: list[tuple[int, ...]], match: str) -> None:
    with pytest.raises(InputError, match=match):
        made(text, *shapes)


@pytest.mark.parametrize(
    "text",
    [
        'type: "Resize" resize_param { height: 3 width: 2 interp_mode: NEAREST }',
        'type: "Upsample" upsample_param { height_scale: 2 width_scale: 2 mode: BILINEAR }',
    ],
)
def test_what_no_source_tells_is_not_run(text: str) -> None:
    with pytest.raises(InputError, match="inputs="):
        run(text, X)
