"""A net that nobody holds is gone at once: there is no circle in it for the collector to find."""

from __future__ import annotations

import gc

import pytest

import netcount
from tests.helpers import SAMPLES


@pytest.mark.parametrize("name", ["mobilenet_v1", "googlenet", "alexnet"])
def test_nothing_is_left_to_the_collector(name: str) -> None:
    netcount.load(SAMPLES / f"{name}.prototxt").analyze()  # what the first one imports and caches
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        netcount.load(SAMPLES / f"{name}.prototxt").analyze()
        assert gc.collect() == 0
    finally:
        if enabled:
            gc.enable()
