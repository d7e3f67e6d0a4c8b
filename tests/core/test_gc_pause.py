"""The garbage collector stays out of the way while a net is made, and is as before afterwards."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from netcount.core.gc_pause import paused


def test_what_was_made_is_not_looked_through_at_once() -> None:
    started: list[Any] = []

    def note(phase: str, info: dict[str, int]) -> None:
        started.append((phase, info))

    gc.collect()
    gc.callbacks.append(note)
    try:
        with paused():
            assert not gc.isenabled()
            kept = [[number] for number in range(100_000)]
        assert gc.isenabled()
        few = [[number] for number in range(10)]
    finally:
        gc.callbacks.remove(note)
    assert not started
    assert len(kept) + len(few) == 100_010
    assert not gc.get_freeze_count()


def test_what_the_caller_froze_stays_frozen() -> None:
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        with paused():
            pass
        assert gc.get_freeze_count() > frozen // 2, "a thread may let some go meanwhile; thawed would be none"
    finally:
        gc.unfreeze()


def test_a_collector_that_is_off_stays_off() -> None:
    gc.disable()
    try:
        with pytest.raises(KeyError), paused():
            raise KeyError
        assert not gc.isenabled()
    finally:
        gc.enable()
