"""Upsample of two forks and Interp: extents, values and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import examples, layer_of

X = Shape((2, 3, 5, 7))


def upsampled(param: str, bottoms: int = 2) -> Any:
    return layer_of(f'type: "Upsample" upsample_param {{ {param} }}', bottoms).infer([X] * bottoms)


@pytest.mark.parametrize(
    ("param", "extents"),
    [
        ("", (10, 14)),
        ("scale: 3", (15, 21)),
        ("scale_h: 2 scale_w: 4", (10, 28)),
        ("scale: 2 pad_out_h: true", (9, 14)),
        ("upsample_h: 11 upsample_w: 13 scale: 1", (11, 13)),
        ("upsample_h: 11 scale: 2", (10, 14)),
    ],
)
def test_segnets_extents(param: str, extents: tuple[int, int]) -> None:
    assert upsampled(param) == [(2, 3, *extents)]


@pytest.mark.parametrize(
    ("param", "said"),
    [
        ("scale: 1", "scale 1 must be more than 1"),
        ("scale: 2 scale_h: 2 scale_w: 2", "needs upsample_h and upsample_w"),
        ("scale_h: 2", "needs upsample_h and upsample_w"),
        ("scale_h: 2 scale_w: 1", "scale_w 1 must be more than 1"),
        ("upsample_h: 1 upsample_w: 9", "upsample_h 1 must be more than 1"),
        ("scale: 3 pad_out_w: true", "pad_out_w needs a scale of 2"),
    ],
)
def test_segnets_refusals(param: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        upsampled(param)


def test_the_other_forks_repeat_values_on_the_last_two_axes() -> None:
    assert upsampled("", 1) == [X]
    assert upsampled("scale: 3", 1) == [(2, 3, 15, 21)]
    layer = layer_of('type: "Upsample" upsample_param { scale: 2 }')
    assert layer.infer([Shape((2, 3))]) == [(4, 6)]
    (y,) = layer.forward([np.array([[1, 2]], dtype=np.float32)], [], Run())
    assert y.tolist() == [[1, 1, 2, 2]] * 2
    assert upsampled("upsample_h: 9 upsample_w: 11", 1) == [(2, 3, 9, 11)]


@pytest.mark.parametrize(
    ("param", "extents"),
    [
        ("height: 17 width: 5", (17, 5)),
        ("zoom_factor: 3", (13, 19)),
        ("shrink_factor: 2", (3, 4)),
        ("shrink_factor: 2 zoom_factor: 3", (7, 10)),
        ("height: 17 width: 5 zoom_factor: 3", (13, 19)),
        ("height: 17 width: 5 shrink_factor: 2", (3, 4)),
        ("height: 17 width: 5 shrink_factor: 2 zoom_factor: 3", (17, 5)),
        ("pad_beg: -1 pad_end: -1 zoom_factor: 3", (7, 13)),
    ],
)
def test_one_factor_comes_before_the_extents_and_both_behind(param: str, extents: tuple[int, int]) -> None:
    layer = layer_of(f'type: "Interp" interp_param {{ {param} }}')
    assert layer.infer([X]) == [(2, 3, *extents)]
    (y,) = layer.forward([np.zeros(X, dtype=np.float32)], [], Run())
    assert y.shape == (2, 3, *extents)


@pytest.mark.parametrize(
    ("param", "said"),
    [
        ("", "needs height and width"),
        ("height: 17", "needs height and width"),
        ("height: 17 width: 5 pad_beg: -5", "is cut to 0×2"),
        ("height: 0 width: 5", "must be positive"),
        ("zoom_factor: 0", "zoom_factor must be positive"),
        ("pad_end: 1 zoom_factor: 2", "pad_end must not be positive"),
    ],
)
def test_refused_interpolations(param: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        layer_of(f'type: "Interp" interp_param {{ {param} }}').infer([X])


def test_aligned_corners_keep_first_and_last_values() -> None:
    layer = layer_of('type: "Interp" interp_param { height: 3 width: 5 }')
    (y,) = layer.forward([np.array([[[[0, 8], [4, 12]]]], dtype=np.float32)], [], Run())
    np.testing.assert_allclose(y[0, 0], [[0, 2, 4, 6, 8], [2, 4, 6, 8, 10], [4, 6, 8, 10, 12]])


factor = st.one_of(st.none(), st.integers(1, 4))


@examples(150)
@given(
    extents=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    zoom=factor,
    shrink=factor,
    told=st.one_of(st.none(), st.tuples(st.integers(1, 9), st.integers(1, 9))),
    cut=st.tuples(st.integers(0, 2), st.integers(0, 2)),
)
def test_interpolation_executes_what_is_inferred(
    extents: tuple[int, int],
    zoom: int | None,
    shrink: int | None,
    told: tuple[int, int] | None,
    cut: tuple[int, int],
) -> None:
    fields = [f"pad_beg: {-cut[0]} pad_end: {-cut[1]}"]
    fields += [f"zoom_factor: {zoom}"] if zoom else []
    fields += [f"shrink_factor: {shrink}"] if shrink else []
    fields += [f"height: {told[0]} width: {told[1]}"] if told else []
    shape = Shape((2, 3, *extents))
    try:
        layer = layer_of(f'type: "Interp" interp_param {{ {" ".join(fields)} }}')
        (top,) = layer.infer([shape])
    except InputError:
        reject()
    if min(extents) <= sum(cut):
        reject()
    plane = np.add.outer(3 * np.arange(extents[0]), np.arange(extents[1])).astype(np.float32)
    (y,) = layer.forward([np.broadcast_to(plane, shape)], [], Run())
    assert y.shape == tuple(top)
    first, last = plane[cut[0], cut[0]], plane[extents[0] - 1 - cut[1], extents[1] - 1 - cut[1]]
    assert y[1, 2, 0, 0] == first
    if top[2] > 1 and top[3] > 1:
        assert y[1, 2, -1, -1] == pytest.approx(last, rel=1e-5, abs=1e-5)
