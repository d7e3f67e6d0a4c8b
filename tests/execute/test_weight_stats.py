"""What weights hold, found piece by piece: the same as numpy finds at once."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from netcount.execute import weight_stats
from netcount.execute.weight_stats import _distinct, _gaps, _stats


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weight_stats, "_AT_ONCE", 7)


BLOBS = {
    "random": np.random.default_rng(1).standard_normal(1000),
    "few": np.random.default_rng(2).integers(-3, 3, 500),
    "zeros": np.zeros(50),
    "both zeros": np.array([0.0, -0.0, 1, -1] * 9),
    "not numbers": np.array([np.nan, np.inf, -np.inf, 0, -np.nan, 1] * 5),
    "only nan": np.full(20, np.nan),
    "extremes": np.array([3e38, -3e38, 1e-45, -1e-45, 1.5] * 4),
    "sparse": np.where(np.arange(400) % 37 == 5, 1.0, 0.0),
    "shape": np.arange(60).reshape(3, 4, 5),
}


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("name", BLOBS)
def test_pieces_find_what_numpy_finds(name: str) -> None:
    array = BLOBS[name].astype(np.float32)
    assert _distinct(array) == len(np.unique(array))
    places = np.flatnonzero(array)
    gaps, times = np.unique(np.diff(places, prepend=-1), return_counts=True)
    assert _gaps(array) == dict(zip(gaps.tolist(), times.tolist(), strict=True))
    finite = array[np.isfinite(array)]
    found = _stats("l", 0, "weight", array)
    assert found.nonfinite == array.size - finite.size
    assert (found.least, found.most) == ((finite.min(), finite.max()) if finite.size else (0, 0))


def test_a_large_blob_needs_little_more_than_itself() -> None:
    array = np.random.default_rng(3).standard_normal(12 * 2**20, dtype=np.float32)
    tracemalloc.start()
    try:
        distinct = _stats("l", 0, "weight", array).distinct
        assert tracemalloc.get_traced_memory()[1] < 2**26 + 2**25
    finally:
        tracemalloc.stop()
    assert 8_000_000 < distinct < array.size
