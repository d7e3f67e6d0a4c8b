"""What one execution lends to `forward` and measures of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from netcount.core.lazy_numpy import np

if TYPE_CHECKING:
    import numpy as numpy_types
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]
    Indices: TypeAlias = NDArray[numpy_types.int64]
    Mask: TypeAlias = NDArray[numpy_types.bool_]


class Affine(NamedTuple):
    """x · factor + shift, each C; None for 1 and for 0."""

    factor: Array | None
    shift: Array | None


Pass: TypeAlias = "Affine | Callable[[Array], object]"
"""A layer's work on a block of values, in place: affine by channel, or the same for all of them."""


class Run:
    """A pass through a net: the phase, a seeded generator, and the count of products done.

    after: what the layers behind a convolution do to its values, which it does for them.
    """

    __slots__ = ("after", "generator", "madds", "phase")
    after: Sequence[Pass]
    generator: numpy_types.random.Generator
    madds: int
    phase: str

    def __init__(self, seed: int = 0, phase: str = "TEST") -> None:
        self.phase = phase
        self.after = ()
        self.madds = 0
        self.generator = np.random.default_rng(seed)

    def gemm(self, a: Array, b: Array, out: Array | None = None) -> Array:
        """The matrix product of (…, M, K) and (…, K, N) -> (…, M, N), its M·N·K products counted."""
        result: Array = np.matmul(a, b, out=out)
        self.madds += int(result.size) * int(a.shape[-1])
        return result

    def performed(self, products: int) -> None:
        """Count products that were added to an accumulator in another way than `gemm`."""
        self.madds += int(products)
