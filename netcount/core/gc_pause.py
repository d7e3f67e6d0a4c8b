"""The garbage collector, set aside while many objects are made that all stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Collect no garbage inside, and go on as before behind.

    A net is a hundred objects a layer, none of them garbage.  Without this the collector looks at all of
    them again and again, and a layer of a net of 100,000 costs four times as much as one of 1,000.
    Behind, they are old objects at once: freezing and unfreezing moves them there without a look at each,
    which the collector would else take right away (a third of the time of ResNet-152).

    So it never finds out by itself how many of them became garbage, and that is done here: before a net is
    made, all old objects are looked through if since the last time a quarter as many were made.
    """
    if not gc.isenabled():
        yield
        return
    if _made.since_collected > max(_FEWEST, _made.kept // 4):
        _made.collect()
    gc.disable()
    before = gc.get_count()[0]
    try:
        yield
    finally:
        _made.since_collected += max(0, gc.get_count()[0] - before)
        if not gc.get_freeze_count():  # what the caller froze stays frozen
            gc.freeze()
            gc.unfreeze()
        gc.enable()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Collect no garbage inside, where most of what is made is gone behind; the rest is old objects at once.

    What was made is not told to `paused`: who keeps much of it looks for garbage when letting go of it.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()
        gc.enable()


_FEWEST = 200_000
"""Objects that are worth a look: those of a hundred nets of ten layers, or of one of two thousand."""


class _Made:
    """How many objects pauses have left since the last full collection, and how many that one left."""

    def __init__(self) -> None:
        self.since_collected = self.kept = 0

    def collect(self) -> None:
        gc.collect()
        self.since_collected = 0
        if not gc.get_freeze_count():
            gc.freeze()
            self.kept = gc.get_freeze_count()
            gc.unfreeze()


_made = _Made()
