"""What is done to the values of a convolution while they are still in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.kernels.run import Affine

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Pass

BLOCK_ELEMENTS = 1 << 19
"""How many values are finished at once, so that they stay in the cache between two passes."""


class Finish:
    """The bias of a convolution and the layers behind it, in as few passes as they take.

    What is affine one behind the other is one factor and one shift.

    Args:
        bias: C', or None.
        passes: Those of the layers behind it, in order.
        shape: The first axes of a block, which together are the C' channels; one more axis follows.
    """

    def __init__(self, bias: Array | None, passes: Sequence[Pass], shape: Sequence[int]) -> None:
        self._passes: list[Pass] = []
        waiting = Affine(None, bias)
        for step in passes:
            if isinstance(step, Affine):
                waiting = _composed(waiting, step)
                continue
            self._add(waiting, shape)
            self._passes.append(step)
            waiting = Affine(None, None)
        self._add(waiting, shape)

    def _add(self, affine: Affine, shape: Sequence[int]) -> None:
        if affine.factor is not None or affine.shift is not None:
            self._passes.append(Affine(*[None if part is None else part.reshape(*shape, 1) for part in affine]))

    def __bool__(self) -> bool:
        return bool(self._passes)

    def __call__(self, block: Array, part: slice = slice(None)) -> None:
        """Finish a block; `part` says which of its first axis it has."""
        for step in self._passes:
            if isinstance(step, Affine):
                if step.factor is not None:
                    block *= step.factor[part]
                if step.shift is not None:
                    block += step.shift[part]
            else:
                step(block)


def _composed(first: Affine, then: Affine) -> Affine:
    factor, shift = first.factor, first.shift
    if then.factor is not None:
        factor = then.factor if factor is None else factor * then.factor
        shift = None if shift is None else shift * then.factor
    if then.shift is not None:
        shift = then.shift if shift is None else shift + then.shift
    return Affine(factor, shift)
