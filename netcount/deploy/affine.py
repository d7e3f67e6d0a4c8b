"""Layers that only multiply each channel by a factor and add a shift, and what these are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

from netcount.core.lazy_numpy import np
from netcount.graph.graph import Node
from netcount.layers.activation.power import Power
from netcount.layers.layer import Layer
from netcount.layers.normalization.batch_norm import BatchNorm
from netcount.layers.normalization.bias import Bias
from netcount.layers.normalization.bn import BN
from netcount.layers.normalization.scale import Scale

if TYPE_CHECKING:
    from netcount.kernels.run import Array

Values: TypeAlias = "tuple[Array, Array]"
"""A factor and a shift for each channel, in float64."""


class Affine(NamedTuple):
    """How one layer type acts on channels.

    Attributes:
        obstacle: Why a layer of it is more than a factor and a shift a channel; None where it is not.
        shifts: Whether its shift can differ from 0.
        values: Its factor and shift, of its blobs and the number of channels.
    """

    obstacle: Callable[[Layer, Node], str | None]
    shifts: Callable[[Layer], bool]
    values: Callable[[Layer, Sequence[Array], int], Values]


def _double(array: Array, channels: int) -> Array:
    return np.broadcast_to(np.asarray(array, np.float64).reshape(-1), (channels,))


def _batch_norm_obstacle(layer: Layer, node: Node) -> str | None:
    layer = cast("BatchNorm", layer)
    return None if layer.kept else "normalizes by the statistics of each batch (use_global_stats: false)"


def _batch_norm_values(layer: Layer, blobs: Sequence[Array], channels: int) -> Values:
    layer = cast("BatchNorm", layer)
    mean, variance = (_double(blob, channels) for blob in blobs[:2])
    factor = float(np.asarray(blobs[2]).reshape(-1)[0])
    kept = 1 / factor if factor else 0.0
    scale = 1 / np.sqrt(variance * kept + layer.eps)
    shift = -mean * kept * scale
    if layer.learned:
        more, bias = (_double(blob, channels) for blob in blobs[3:5])
        return scale * more, shift * more + bias
    return scale, shift


def _bn_obstacle(layer: Layer, node: Node) -> str | None:
    layer = cast("BN", layer)
    if len(node.tops) > 1:
        return "also gives the statistics"
    return None if layer.kept or layer.folded else "normalizes by the statistics of each batch"


def _bn_values(layer: Layer, blobs: Sequence[Array], channels: int) -> Values:
    layer = cast("BN", layer)
    slope, bias, *statistics = (_double(blob, channels) for blob in blobs)
    if layer.folded:
        return slope, bias
    mean, inverse = statistics
    if blobs[3].ndim == 4:
        inverse = 1 / np.sqrt(inverse + layer.eps)
    return slope * inverse, bias - mean * inverse * slope


def _broadcast_obstacle(layer: Layer, node: Node) -> str | None:
    layer = cast("Scale | Bias", layer)
    if len(node.bottoms) > 1:
        return "gets its values from another layer"
    axis, shape = layer.operand(node.bottom_shapes)
    return None if not shape or (axis == 1 and len(shape) == 1) else "has values for more than one axis"


def _scale_values(layer: Layer, blobs: Sequence[Array], channels: int) -> Values:
    factor, *shift = (_double(blob, channels) for blob in blobs)
    return factor, shift[0] if shift else np.zeros(channels)


def _bias_values(layer: Layer, blobs: Sequence[Array], channels: int) -> Values:
    return np.ones(channels), _double(blobs[0], channels)


def _power_obstacle(layer: Layer, node: Node) -> str | None:
    layer = cast("Power", layer)
    return "is no factor and shift (power_param)" if layer.power != 1 or layer.constant else None


def _power_values(layer: Layer, blobs: Sequence[Array], channels: int) -> Values:
    layer = cast("Power", layer)
    return np.full(channels, layer.scale), np.full(channels, layer.shift)


def _scale_shifts(layer: Layer) -> bool:
    layer = cast("Scale", layer)
    return layer.bias


def _power_shifts(layer: Layer) -> bool:
    layer = cast("Power", layer)
    return layer.shift != 0


def _always(layer: Layer) -> bool:
    return True


AFFINE: Mapping[type[Layer], Affine] = {
    BatchNorm: Affine(_batch_norm_obstacle, _always, _batch_norm_values),
    BN: Affine(_bn_obstacle, _always, _bn_values),
    Scale: Affine(_broadcast_obstacle, _scale_shifts, _scale_values),
    Bias: Affine(_broadcast_obstacle, _always, _bias_values),
    Power: Affine(_power_obstacle, _power_shifts, _power_values),
}
"""By class, exactly: what inherits from one of these computes something else."""
