"""Values of figures as people read them."""

from __future__ import annotations

from netcount.analysis.figures import in_bytes
from netcount.core.units import human, human_bytes


def amount(figure: str, value: int) -> str:
    """A value of a figure, by its key: bytes in KiB, all else in k, M, G.

    >>> amount("weight_bytes", 4_941_984), amount("madds", 387_747_520)
    ('4.71 MiB', '387.75M')
    """
    return human_bytes(value) if in_bytes(figure) else human(value)


def signed(figure: str, value: int) -> str:
    """A difference of two values, with its sign."""
    return ("+" if value > 0 else "") + amount(figure, value)
