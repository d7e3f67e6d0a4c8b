"""How much arithmetic a layer does, by class of operation."""

from __future__ import annotations

from typing import NamedTuple


class OpCount(NamedTuple):
    """Exact numbers of operations for one forward pass over the whole batch.

    madds: products with learned matrices that are added to an accumulator; adds, muls, divs;
    compares (also max, min, sign tests); exps: transcendental functions (exp, log, pow, tanh, sqrt).

    >>> OpCount(madds=3) + OpCount(adds=2, madds=1)
    OpCount(madds=4, adds=2, muls=0, divs=0, compares=0, exps=0)
    """

    madds: int = 0
    adds: int = 0
    muls: int = 0
    divs: int = 0
    compares: int = 0
    exps: int = 0

    def __add__(self, other: OpCount) -> OpCount:  # type: ignore[override]
        return OpCount(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def others(self) -> int:
        """All operations that are not madds."""
        return self.adds + self.muls + self.divs + self.compares + self.exps


NOTHING = OpCount()
"""For layers that move or name data and compute nothing; they say so by returning this."""
