"""PoolingND and Pooling3D: windows over more axes than two, by the rules of four forks."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import inputs, layer_of, net_of

X = np.sin(np.arange(2 * 3 * 5 * 7 * 6, dtype=np.float32) * 1.7).reshape(2, 3, 5, 7, 6)


def by_definition(method: str, window: tuple[Any, ...], made: tuple[int, ...]) -> Any:
    """Each window by itself."""
    kernel, stride, pad, dilation = window
    y = np.zeros((*X.shape[:2], *made), dtype=np.float64)
    for place in product(*map(range, made)):
        seen, size = [], 0
        for tap in product(*map(range, kernel)):
            at = [p * s - q + t * d for p, s, q, t, d in zip(place, stride, pad, tap, dilation, strict=True)]
            size += all(a < e + q for a, e, q in zip(at, X.shape[2:], pad, strict=True))
            if all(0 <= a < e for a, e in zip(at, X.shape[2:], strict=True)):
                seen.append(X[(slice(None), slice(None), *at)])
        y[(slice(None), slice(None), *place)] = (
            np.max(seen, axis=0) if method == "MAX" else np.sum(seen, axis=0) / size
        )
    return y


C3D = "kernel_size: 3 kernel_depth: 2 stride: 2 temporal_stride: 1"
CASES = [
    (f'type: "Pooling3D" pooling3d_param {{ {C3D} }}',
     "MAX", ((2, 3, 3), (1, 2, 2), (0, 0, 0), (1, 1, 1)), (4, 3, 3)),
    (f'type: "Pooling3D" pooling_param {{ pool: AVE {C3D} pad: 1 }}',
     "AVE", ((2, 3, 3), (1, 2, 2), (0, 1, 1), (1, 1, 1)), (4, 4, 4)),
    ('type: "Pooling3D" pooling_3d_param '
     "{ kernel_l: 3 kernel_h: 2 kernel_w: 3 stride: 2 pad_l: 1 pad_h: 0 pad_w: 1 }",
     "MAX", ((3, 2, 3), (2, 2, 2), (1, 0, 1), (1, 1, 1)), (3, 4, 4)),
    ('type: "PoolingND" pooling_nd_param { kernel_size: 2 stride: 2 pool: MAX }',
     "MAX", ((2, 2, 2), (2, 2, 2), (0, 0, 0), (1, 1, 1)), (3, 4, 3)),
    ('type: "PoolingND" pooling_nd_param { kernel_size: [3, 2, 1] stride: [2, 1, 5] pad: [1, 0, 0] pool: AVE }',
     "AVE", ((3, 2, 1), (2, 1, 5), (1, 0, 0), (1, 1, 1)), (3, 6, 2)),
    ('type: "Pooling" pooling_param { kernel_size: 2 dilation: 2 }',
     "MAX", ((2, 2, 2), (1, 1, 1), (0, 0, 0), (2, 2, 2)), (3, 5, 4)),
    ('type: "Pooling" pooling_param { kernel_size_3d: 2 stride_3d: [1, 2, 4] }',
     "MAX", ((2, 2, 2), (1, 2, 4), (0, 0, 0), (1, 1, 1)), (4, 4, 2)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "method", "window", "made"), CASES)
def test_shapes_values_and_what_the_windows_see(text: str, method: str, window: Any, made: Any) -> None:
    net = net_of(inputs(x=X.shape) + f'layer {{ name: "p" bottom: "x" top: "y" {text} }}')
    node = net.node("p")
    assert node.top_shapes == [(2, 3, *made)]
    (y,) = node.layer.forward([X], [], Run())
    np.testing.assert_allclose(y, by_definition(method, window, made), rtol=1e-5, atol=1e-6)
    ops = node.layer.ops([Shape(X.shape)], node.top_shapes)
    seen = ops.compares if method == "MAX" else ops.adds
    inside = [
        sum(0 <= w * s - p + t * d < e for w in range(o) for t in range(k))
        for o, e, k, s, p, d in zip(made, X.shape[2:], *window, strict=True)
    ]
    assert seen == 2 * 3 * np.prod(inside)
    assert net.analyze().layers[-1].params == 0


def test_a_mask_names_places_in_the_volume() -> None:
    layer = layer_of('type: "PoolingND" pooling_nd_param { kernel_size: 2 stride: 2 }', 1, 2)
    y, mask = layer.forward([X], [], Run())
    flat = X.reshape(2, 3, -1)
    assert (np.take_along_axis(flat, mask.reshape(2, 3, -1).astype(np.int64), 2) == y.reshape(2, 3, -1)).all()


def test_global_pooling_is_over_all_axes() -> None:
    for text in ('type: "PoolingND" pooling_param', 'type: "Pooling3D" pooling_3d_param'):
        (y,) = layer_of(f"{text} {{ pool: AVE global_pooling: true }}").forward([X], [], Run())
        np.testing.assert_allclose(y.reshape(2, 3), X.mean(axis=(2, 3, 4)), rtol=1e-4, atol=1e-6)


def test_caffes_pooling_still_wants_four_axes_and_says_what_to_assume() -> None:
    text = 'layer { name: "p" type: "Pooling" bottom: "x" top: "y" pooling_param { kernel_size: 2 } }'
    with pytest.raises(
        InputError,
        match=r'not 2×3×5×7×6; to pool over all .*, as some forks do, assume=\{"Pooling": "PoolingND"\}',
    ):
        net_of(inputs(x=X.shape) + text)


def test_v1_form_has_c3ds_fields_in_caffes_messages() -> None:
    net = net_of("""
input: "x" input_shape { dim: 2 dim: 3 dim: 5 dim: 7 dim: 6 }
layers { name: "c" type: CONVOLUTION3D bottom: "x" top: "c" blobs_lr: 1 blobs_lr: 2
  convolution_param { num_output: 4 kernel_size: 3 kernel_depth: 3 pad: 1 temporal_pad: 1 } }
layers { name: "p" type: POOLING3D bottom: "c" top: "p"
  pooling_param { pool: MAX kernel_size: 2 kernel_depth: 1 stride: 2 temporal_stride: 1 } }
""")
    assert net.node("c").top_shapes == [(2, 4, 5, 7, 6)]
    assert net.node("p").top_shapes == [(2, 4, 5, 4, 3)]
    assert net.analyze().totals.params == 4 * 3 * 27 + 4


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ('type: "Pooling3D" pooling3d_param { kernel_size: 2 }', "kernel_depth"),
        (f'type: "Pooling3D" pooling3d_param {{ {C3D} pad: 1 }}', "padding is for AVE"),
        ('type: "Pooling3D" pooling_3d_param { kernel_h: 2 }', "all of kernel_l, kernel_h, kernel_w"),
        ('type: "PoolingND" pooling_nd_param { stride: 2 }', "kernel_size must be positive"),
        ('type: "PoolingND" pooling_nd_param { kernel_size: [2, 2] }', "given 2 times for 3"),
        ('type: "PoolingND" pooling_nd_param { kernel_size: 9 }', "makes"),
        ('type: "PoolingND" pooling_param { kernel_size: 2 kernel_h: 2 kernel_w: 2 }', "exclude each other"),
    ],
)
def test_what_the_forks_refuse(text: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        layer_of(text).infer([Shape(X.shape)])
