"""Interpolation: the extents that are executed are the inferred ones, and values on a plane stay on it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from netcount.errors import InputError
from netcount.layers.run import Run
from netcount.shape import Shape
from tests.helpers import layer_of

factor = st.one_of(st.none(), st.integers(1, 4))


@settings(max_examples=150, deadline=None)
@given(
    extents=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    zoom=factor,
    shrink=factor,
    told=st.one_of(st.none(), st.tuples(st.integers(1, 9), st.integers(1, 9))),
    cut=st.tuples(st.integers(0, 2), st.integers(0, 2)),
)
def test_executed_is_inferred(
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
