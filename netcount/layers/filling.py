"""The fillers' arithmetic (Caffe's include/caffe/filler.hpp).  Loaded only when blobs are filled."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import TYPE_CHECKING

from netcount.lazy import np
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array

    Generator = np.random.Generator


def _constant(message: Message, shape: Shape, generator: Generator) -> Array:
    return np.full(shape, message.number("value"), dtype=np.float32)


def _uniform(message: Message, shape: Shape, generator: Generator) -> Array:
    least, most = message.number("min"), message.number("max")
    return _spread(least, most, shape, generator)


def _gaussian(message: Message, shape: Shape, generator: Generator) -> Array:
    """Normal values; `sparse` keeps that many inputs an output on average."""
    values = generator.standard_normal(shape, dtype=np.float32)
    values = values * np.float32(message.number("std")) + np.float32(message.number("mean"))
    sparse = message.integer("sparse")
    if sparse >= 0:
        outputs = shape[0] if shape else 1
        kept = generator.random(shape, dtype=np.float32) < sparse / outputs
        values = values * kept
    return np.asarray(values, dtype=np.float32)


def _positive_unitball(message: Message, shape: Shape, generator: Generator) -> Array:
    values = generator.random(shape, dtype=np.float32)
    rows = values.reshape(shape[0] if shape else 1, -1)
    rows /= rows.sum(axis=1, keepdims=True)
    return values


def _fan(message: Message, shape: Shape) -> float:
    fan_in = shape.count() / (shape[0] if shape else 1)
    fan_out = shape.count() / (shape[1] if len(shape) > 1 else 1)
    norm = message.text("variance_norm")
    return {"FAN_IN": fan_in, "FAN_OUT": fan_out, "AVERAGE": (fan_in + fan_out) / 2}[norm]


def _xavier(message: Message, shape: Shape, generator: Generator) -> Array:
    scale = sqrt(3.0 / _fan(message, shape))
    return _spread(-scale, scale, shape, generator)


def _msra(message: Message, shape: Shape, generator: Generator) -> Array:
    std = np.float32(sqrt(2.0 / _fan(message, shape)))
    return generator.standard_normal(shape, dtype=np.float32) * std


def _bilinear(message: Message, shape: Shape, generator: Generator) -> Array:
    """The weights of a bilinear interpolation, the same in every channel."""
    height, width = shape[2:]
    factor = -(-width // 2)
    centre = (2 * factor - 1 - factor % 2) / (2.0 * factor)
    x = 1 - np.abs(np.arange(width) / factor - centre)
    y = 1 - np.abs(np.arange(height) / factor - centre)
    return np.broadcast_to(np.outer(y, x).astype(np.float32), shape).copy()


def _spread(least: float, most: float, shape: Shape, generator: Generator) -> Array:
    values = generator.random(shape, dtype=np.float32)
    return values * np.float32(most - least) + np.float32(least)


FILLS: dict[str, Callable[[Message, Shape, Generator], Array]] = {
    "constant": _constant,
    "uniform": _uniform,
    "gaussian": _gaussian,
    "positive_unitball": _positive_unitball,
    "xavier": _xavier,
    "msra": _msra,
    "bilinear": _bilinear,
}
