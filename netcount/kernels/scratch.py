"""Memory for values that nobody keeps."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from threading import local
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np

if TYPE_CHECKING:
    from netcount.kernels.run import Array

COLUMN_ELEMENTS = 1 << 21
"""How large a column matrix may grow before it is made in parts, so that it stays in the cache."""

DEPTHWISE_ELEMENTS = 1 << 18
"""How large the column matrices of a chunk of depthwise channels may be, for the same reason."""

_KEPT = local()


def workspace(columns: int, line: int, image: Sequence[int], pad: Sequence[int], depthwise: bool) -> int:
    """Elements that a convolution keeps in scratch memory: its columns in parts, and a padded image.

    columns: of the whole column matrix; line: of a part of it that is one output row; image: C×*S;
    pad: zeros on each side of every spatial axis; depthwise: whether every group has one channel.
    """
    channels, *spatial = image
    padded = channels * prod(e + 2 * p for e, p in zip(spatial, pad, strict=True))
    if depthwise:
        return min(columns, 2 * DEPTHWISE_ELEMENTS) + padded
    return min(columns, max(COLUMN_ELEMENTS, line)) + padded * any(pad)


def scratch(name: str, shape: Sequence[int]) -> Array:
    """An array of `shape`, its values undefined; the next call with this name uses it again.

    A thread has its own.  Fresh memory costs more than the copy into it: the system hands it out
    page by page.  Arrays of more than COLUMN_ELEMENTS are not kept.
    """
    elements = prod(shape)
    kept: Array | None = getattr(_KEPT, name, None)
    if kept is None or kept.size < elements:
        kept = np.empty(elements, dtype=np.float32)
        if elements <= COLUMN_ELEMENTS:
            setattr(_KEPT, name, kept)
    return kept[:elements].reshape(shape)
