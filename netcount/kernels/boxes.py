"""Boxes as arrays (…, 4) of x1, y1, x2, y2: overlap, suppression, and coding against priors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np

if TYPE_CHECKING:
    from netcount.kernels.run import Array


def overlaps(a: Array, b: Array, pixel: float = 0.0) -> Array:
    """Intersection over union, A×4 and B×4 -> A×B; `pixel` 1 where corners are whole pixels."""
    left_top = np.maximum(a[:, None, :2], b[None, :, :2])
    right_bottom = np.minimum(a[:, None, 2:], b[None, :, 2:])
    sides = np.maximum(right_bottom - left_top + pixel, 0)
    shared = sides[..., 0] * sides[..., 1]
    union = area(a, pixel)[:, None] + area(b, pixel)[None] - shared
    shares: Array = np.where(union > 0, shared / np.where(union > 0, union, 1), 0)
    return shares


def area(boxes: Array, pixel: float = 0.0) -> Array:
    """Width times height; 0 for a box turned inside out."""
    sides = np.maximum(boxes[..., 2:] - boxes[..., :2] + pixel, 0)
    areas: Array = sides[..., 0] * sides[..., 1]
    return areas


def suppressed(
    boxes: Array,
    scores: Array,
    threshold: float,
    *,
    pixel: float = 0.0,
    most: int | None = None,
    equal: bool = False,
) -> list[int]:
    """Indices of the boxes that stay, best first, at most `most`: each drops those that overlap it
    by more than `threshold`, with `equal` also those that overlap it by just as much."""
    kept: list[int] = []
    left = np.argsort(-scores, kind="stable")
    while len(left) and (most is None or len(kept) < most):
        best, left = int(left[0]), left[1:]
        kept.append(best)
        shares = overlaps(boxes[best : best + 1], boxes[left], pixel)[0]
        left = left[shares < threshold if equal else shares <= threshold]
    return kept


def suppressed_adaptively(boxes: Array, scores: Array, threshold: float, eta: float) -> list[int]:
    """As `suppressed`, with a threshold that each kept box multiplies by `eta` while it is above
    one half."""
    kept: list[int] = []
    for index in np.argsort(-scores, kind="stable").tolist():
        shares = overlaps(boxes[index : index + 1], boxes[kept])
        if not kept or float(shares.max()) <= threshold:
            kept.append(index)
            if threshold > 0.5:
                threshold *= eta
    return kept


def decoded(code: str, location: Array, priors: Array, variances: Array | None) -> Array:
    """Boxes from predictions relative to priors, each P×4; `code` is SSD's CodeType.

    variances: what scales the predictions, None where the targets were scaled already.
    """
    scaled = location if variances is None else location * variances
    size = priors[:, 2:] - priors[:, :2]
    if code == "CORNER":
        corners = priors + scaled
    elif code == "CORNER_SIZE":
        corners = priors + scaled * np.concatenate([size, size], axis=1)
    else:
        centre = (priors[:, :2] + priors[:, 2:]) / 2 + scaled[:, :2] * size
        half = np.exp(scaled[:, 2:]) * size / 2
        corners = np.concatenate([centre - half, centre + half], axis=1)
    return corners


def encoded(code: str, boxes: Array, priors: Array, variances: Array | None) -> Array:
    """What `decoded` would turn into the boxes: each P×4."""
    size = priors[:, 2:] - priors[:, :2]
    if code == "CORNER":
        offsets = boxes - priors
    elif code == "CORNER_SIZE":
        offsets = (boxes - priors) / np.concatenate([size, size], axis=1)
    else:
        move = (boxes[:, :2] + boxes[:, 2:] - priors[:, :2] - priors[:, 2:]) / 2 / size
        growth = np.log((boxes[:, 2:] - boxes[:, :2]) / size)
        offsets = np.concatenate([move, growth], axis=1)
    targets: Array = offsets if variances is None else offsets / variances
    return targets
