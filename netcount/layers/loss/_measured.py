"""What FlowNet2's losses share: differences that are no numbers count nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.shape import Shape
from netcount.layers.bases import legacy
from netcount.layers.layer import Layer

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Mask


def check_images(layer: Layer, bottoms: Sequence[Shape]) -> None:
    """Refuse what is not N×C×H×W, and a second bottom of another shape (Eltwise takes the difference)."""
    for index, bottom in enumerate(bottoms):
        legacy(layer, bottom, index)
        if bottom != bottoms[0] or not bottom:
            layer.refuse(
                f"{layer.named(index)} {bottom} must be as {layer.named(0)} {bottoms[0]}", "bottom", index
            )


def differences(bottoms: Sequence[Array]) -> tuple[Array, Mask]:
    """Bottom 0, less bottom 1 where there is one, without what is not a number; and where numbers were.

    Args:
        bottoms: One or two N×C×*S.
    """
    between = bottoms[0] - bottoms[1] if len(bottoms) > 1 else bottoms[0]
    numbers: Mask = ~np.isnan(between)
    return np.where(numbers, between, np.float32(0)), numbers


def divisor(numbers: Mask, by_entries: bool) -> float:
    """The number of images, or of positions that held numbers in all channels (on average)."""
    return float(numbers.sum()) / numbers.shape[1] if by_entries else len(numbers)


def over_channels(x: Array, mean: bool) -> Array:
    """N×C×*S -> N×*S: the sum, or the mean."""
    total: Array = x.sum(axis=1)
    return total / np.float32(x.shape[1]) if mean else total
