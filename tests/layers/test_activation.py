from __future__ import annotations

import numpy as np

from netcount.layers.run import Run
from tests.helpers import layer_of


def clipped(text: str) -> list[float]:
    x = np.asarray([-3, 1, 8], dtype=np.float32)
    (top,) = layer_of(f'type: "Clip" {text}').forward([x], [], Run())
    return list(top)


def test_clip_takes_the_upper_bound_first() -> None:
    assert clipped("clip_param { min: -2 max: 6 }") == [-2, 1, 6]
    assert clipped("clip_param { min: 4 max: 2 }") == [4, 4, 4]


def test_clip_without_its_parameters_clips_to_0() -> None:
    assert clipped("") == [0, 0, 0]
