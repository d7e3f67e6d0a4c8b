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
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():  # what the caller froze stays frozen
            gc.freeze()
            gc.unfreeze()
        gc.enable()
