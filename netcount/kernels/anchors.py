"""Anchors of region proposal networks: boxes around every cell, in whole pixels of the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np

if TYPE_CHECKING:
    from netcount.kernels.run import Array

RATIOS = (0.5, 1.0, 2.0)
"""Height to width, py-faster-rcnn's generate_anchors."""
SCALES = (8.0, 16.0, 32.0)


def anchors_of(base: float, ratios: Sequence[float], scales: Sequence[float]) -> Array:
    """Anchors (A×4) around the first cell: for each ratio of height to width every scale."""
    centre, anchors = (base - 1) / 2, []
    for ratio in ratios:
        wide = np.round(np.sqrt(base * base / ratio))
        high = np.round(wide * ratio)
        for scale in scales:
            half_w, half_h = (wide * scale - 1) / 2, (high * scale - 1) / 2
            anchors.append((centre - half_w, centre - half_h, centre + half_w, centre + half_h))
    return np.array(anchors, dtype=np.float32)


def shifted(base: Array, stride: int, extent: Sequence[int]) -> Array:
    """Anchors around every cell: (H·W·A)×4."""
    high, wide = extent
    x, y = np.meshgrid(np.arange(wide) * stride, np.arange(high) * stride)
    shifts = np.stack([x, y, x, y], axis=-1).reshape(-1, 1, 4)
    anchors: Array = (base + shifts).reshape(-1, 4).astype(np.float32)
    return anchors


def moved(anchors: Array, deltas: Array) -> Array:
    """Anchors moved by part of their sides and scaled by exponents; each B×4."""
    sides = anchors[:, 2:] - anchors[:, :2] + 1
    centres = anchors[:, :2] + sides / 2 + deltas[:, :2] * sides
    half = np.exp(deltas[:, 2:]) * sides / 2
    boxes: Array = np.concatenate([centres - half, centres + half], axis=1)
    return boxes


def moves(anchors: Array, boxes: Array) -> Array:
    """The deltas by which `moved` would bring the anchors onto the boxes; each B×4."""
    from_sides = anchors[:, 2:] - anchors[:, :2] + 1
    to_sides = boxes[:, 2:] - boxes[:, :2] + 1
    way = boxes[:, :2] + to_sides / 2 - anchors[:, :2] - from_sides / 2
    deltas: Array = np.concatenate([way / from_sides, np.log(to_sides / from_sides)], axis=1)
    return deltas
