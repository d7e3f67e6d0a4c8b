"""Normalize of two forks: with a learned scale, and with the norms as a second top."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import layer_of

X = np.random.default_rng(5).standard_normal((2, 6, 3, 5)).astype(np.float32)


@pytest.mark.parametrize(("norm", "roots"), [("L2", 30), ("L1", 0)])
def test_happynears_has_no_scale_and_tells_the_norms(norm: str, roots: int) -> None:
    layer = layer_of(f'type: "Normalize" normalize_param {{ normalize_type: "{norm}" }}', 1, 2)
    shapes = [Shape(X.shape)]
    assert layer.infer(shapes) == [X.shape, (2, 1, 3, 5)]
    assert layer.blobs(shapes) == []
    y, norms = layer.forward([X], [], Run())
    wanted: Any = np.sqrt((X * X).sum(axis=1) + 1e-6) if norm == "L2" else np.abs(X).sum(axis=1) + 1e-6
    np.testing.assert_allclose(norms[:, 0], wanted, rtol=1e-5)
    np.testing.assert_allclose(y, X / wanted[:, None], rtol=1e-5)
    ops = layer.ops(shapes, layer.infer(shapes))
    assert (ops.muls, ops.compares, ops.exps) == ((180, 0, 30) if roots else (0, 180, 0))


def test_a_second_top_or_normalize_param_means_happynears() -> None:
    assert layer_of('type: "Normalize"', 1, 2).infer([Shape((2, 6))]) == [(2, 6, 1, 1), (2, 1, 1, 1)]
    (y,) = layer_of('type: "Normalize" normalize_param { }').forward([X[:, :, 0, 0]], [], Run())
    assert y.shape == (2, 6, 1, 1)
    (blob,) = layer_of('type: "Normalize"').blobs([Shape(X.shape)])
    assert blob.shape == ()
    with pytest.raises(InputError, match="takes 1 top; only happynear's"):
        layer_of('type: "Normalize" norm_param { across_spatial: false }', 1, 2)
    with pytest.raises(InputError, match="normalize_type must be L1 or L2"):
        layer_of('type: "Normalize" normalize_param { normalize_type: "L3" }').forward([X], [], Run())
