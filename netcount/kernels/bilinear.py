"""Values between the positions of an image, each a mean of four neighbours weighed by their nearness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np

if TYPE_CHECKING:
    from netcount.kernels.run import Array


def sampled(image: Array, ys: Array, xs: Array) -> Array:
    """Values of C×H×W at the points (ys, xs), both of one shape *P -> C×*P; clamped to the image."""
    height, width = image.shape[1:]
    ys, xs = np.clip(ys, 0, height - 1), np.clip(xs, 0, width - 1)
    y0, x0 = np.floor(ys).astype(np.int64), np.floor(xs).astype(np.int64)
    y1, x1 = np.minimum(y0 + 1, height - 1), np.minimum(x0 + 1, width - 1)
    wy, wx = (ys - y0).astype(np.float32), (xs - x0).astype(np.float32)
    upper = image[:, y0, x0] * (1 - wx) + image[:, y0, x1] * wx
    lower = image[:, y1, x0] * (1 - wx) + image[:, y1, x1] * wx
    values: Array = upper * (1 - wy) + lower * wy
    return values
