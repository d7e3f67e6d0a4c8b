"""The fillers' arithmetic (Caffe's include/caffe/filler.hpp).  Loaded only when blobs are filled."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, sqrt
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.shape import Shape
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array

    Generator = np.random.Generator


def _constant(message: Message, shape: Shape, generator: Generator) -> Array:
    return np.full(shape, message.number("value"), dtype=np.float32)


def _uniform(message: Message, shape: Shape, generator: Generator) -> Array:
    return _between(message.number("min"), message.number("max"), shape, generator)


def _gaussian(message: Message, shape: Shape, generator: Generator) -> Array:
    """Normal values; with `sparse`, each is kept with probability sparse by the extent of axis 0."""
    values = np.asarray(generator.standard_normal(shape, dtype=np.float32))
    values *= np.float32(message.number("std"))
    values += np.float32(message.number("mean"))
    sparse = message.integer("sparse")
    if sparse >= 0:
        for row in values.reshape(shape[0], shape.count(1)):
            row *= generator.random(row.shape, dtype=np.float32) < sparse / shape[0]
    return values


def _positive_unitball(message: Message, shape: Shape, generator: Generator) -> Array:
    """Positive values whose sum over all axes but the first is 1."""
    rows = generator.random((shape[0], shape.count(1)), dtype=np.float32)
    rows /= rows.sum(axis=1, keepdims=True)
    return rows.reshape(shape)


def _gaussian_unitball(message: Message, shape: Shape, generator: Generator) -> Array:
    """Normal values, each row of all axes but the first scaled to the length 1."""
    rows = generator.standard_normal((shape[0], shape.count(1)), dtype=np.float32)
    rows /= np.sqrt(np.square(rows).sum(axis=1, keepdims=True) + np.float32(1e-12))
    return rows.reshape(shape)


def _fan(message: Message, shape: Shape) -> float:
    """Inputs an output (FAN_IN), outputs an input (FAN_OUT), or the mean of both (AVERAGE)."""
    fan_in = shape.count(1)
    fan_out = shape.count() // shape[1] if len(shape) > 1 else shape.count()
    norm = message.text("variance_norm")
    return {"FAN_IN": fan_in, "FAN_OUT": fan_out, "AVERAGE": (fan_in + fan_out) / 2}[norm]


def _xavier(message: Message, shape: Shape, generator: Generator) -> Array:
    """Uniform with variance 1 / fan (Glorot and Bengio 2010)."""
    scale = sqrt(3 / _fan(message, shape))
    return _between(-scale, scale, shape, generator)


def _msra(message: Message, shape: Shape, generator: Generator) -> Array:
    """Normal with variance 2 / fan (He et al. 2015)."""
    values = generator.standard_normal(shape, dtype=np.float32)
    values *= np.float32(sqrt(2 / _fan(message, shape)))
    return values


def _bilinear(message: Message, shape: Shape, generator: Generator) -> Array:
    """The weights of a bilinear interpolation, the same in every channel."""
    extent = shape[3]
    factor = ceil(extent / 2)
    line = 1 - np.abs(np.arange(extent) / factor - (extent - 1) / (2 * factor))
    return np.broadcast_to(np.outer(line, line).astype(np.float32), shape).copy()


def _between(least: float, most: float, shape: Shape, generator: Generator) -> Array:
    values = generator.random(shape, dtype=np.float32)
    values *= np.float32(most - least)
    values += np.float32(least)
    return values


FILLS: dict[str, Callable[[Message, Shape, Generator], Array]] = {
    "constant": _constant,
    "uniform": _uniform,
    "gaussian": _gaussian,
    "gaussian_unitball": _gaussian_unitball,
    "positive_unitball": _positive_unitball,
    "xavier": _xavier,
    "msra": _msra,
    "bilinear": _bilinear,
}
"""By type: the parameters, the shape and a generator -> the blob (float32)."""
