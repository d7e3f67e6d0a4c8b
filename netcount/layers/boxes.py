"""Boxes as arrays (…, 4) of x1, y1, x2, y2: overlap and non-maximum suppression."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcount.lazy import np

if TYPE_CHECKING:
    from netcount.layers.run import Array


def overlap(box: Array, others: Array, pixel: float = 0.0) -> Array:
    """Intersection over union of one box with others; `pixel` 1 where corners are whole pixels."""
    left_top = np.maximum(box[:2], others[:, :2])
    right_bottom = np.minimum(box[2:], others[:, 2:])
    sides = np.maximum(right_bottom - left_top + pixel, 0)
    shared = sides[:, 0] * sides[:, 1]
    union = area(box, pixel) + area(others, pixel) - shared
    return np.where(union > 0, shared / np.where(union > 0, union, 1), 0)


def area(boxes: Array, pixel: float = 0.0) -> Array:
    """Width times height; 0 for a box turned inside out."""
    sides = np.maximum(boxes[..., 2:] - boxes[..., :2] + pixel, 0)
    return sides[..., 0] * sides[..., 1]


def suppressed(boxes: Array, scores: Array, threshold: float, eta: float = 1.0, pixel: float = 0.0) -> list[int]:
    """Indices of the boxes that stay, best first: each drops those that overlap it by more than
    `threshold`, which shrinks by `eta` while it is above one half."""
    kept: list[int] = []
    for index in np.argsort(-scores, kind="stable").tolist():
        if not kept or float(overlap(boxes[index], boxes[kept], pixel).max()) <= threshold:
            kept.append(index)
            if eta < 1 and threshold > 0.5:
                threshold *= eta
    return kept
