"""How long a net takes on a chip, estimated: products and bytes of each layer, the slower of the two.

A tiled roofline: an array that multiplies I input channels by O output channels at P pixels a cycle does a
convolution in g·⌈C/g/I⌉·⌈C'/g/O⌉·kh·kw·⌈H'/P⌉·W' cycles, however little of it the last tile fills.
"""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from math import prod
from typing import NamedTuple

from netcount.analysis.count import Count
from netcount.core.units import bytes_of
from netcount.graph.graph import Node
from netcount.targets.expressions import Absent, Machine
from netcount.targets.figures import LayerScope, Setting
from netcount.targets.profile import COMBINED, Array, Board, Hardware, Lanes, Profile

CAVEAT = "an estimate, not a measurement: typically within 15 %, up to −42 % seen"
_WINDOWS = frozenset({"Convolution", "Deconvolution", "DepthwiseConvolution", "ConvolutionDepthwise"})


class Speed(NamedTuple):
    """What an estimate needs: cycles a second, bytes a second, and the array."""

    hardware: Hardware
    clock_hz: int
    bandwidth: int | None
    board: str
    cores: int


class LayerTime(NamedTuple):
    """One layer: cycles of the array, bytes moved, seconds of each, and which of the two bounds it.

    cycles and bytes are 0 for layers that cost nothing here (fused or free ones).
    """

    name: str
    type: str
    line: int
    madds: int
    cycles: int
    bytes: int
    seconds: Fraction
    bound: str | None

    @property
    def ms(self) -> float:
        """Milliseconds."""
        return float(self.seconds * 1000)


class Estimate(NamedTuple):
    """All layers.  `utilisation`: of the products that the array could have made in that time."""

    layers: tuple[LayerTime, ...]
    speed: Speed
    uncounted: tuple[str, ...]
    """Layers on the CPU, and those that the estimate knows no formula for."""

    @property
    def seconds(self) -> Fraction:
        """The whole net, one core, one after the other."""
        return sum((layer.seconds for layer in self.layers), Fraction(0))

    @property
    def ms(self) -> float:
        """Milliseconds of the whole net."""
        return float(self.seconds * 1000)

    @property
    def peak(self) -> int:
        """Products a second, at most."""
        return self.speed.clock_hz * products_of(self.speed.hardware)

    @property
    def utilisation(self) -> float:
        """Multiply-adds that the net has, of those possible in that time."""
        possible = self.peak * self.seconds
        return float(sum(layer.madds for layer in self.layers) / possible) if possible else 0.0

    def share(self, layer: LayerTime) -> float:
        """A layer's utilisation."""
        possible = self.peak * layer.seconds
        return float(layer.madds / possible) if possible else 0.0

    @property
    def naive_ms(self) -> float:
        """Multiply-adds over the peak: what the estimate is better than."""
        return float(Fraction(1000 * sum(layer.madds for layer in self.layers), self.peak))


def products_of(hardware: Hardware) -> int:
    """Products a cycle, at most."""
    if hardware.products is not None:
        return hardware.products
    assert hardware.array is not None  # speed_of made sure
    return prod(hardware.array)


def speed_of(profile: Profile, board: Board | None = None) -> Speed | None:
    """The figures for an estimate; None where the profile (and board) lack what it needs."""
    hardware = profile.hardware
    clock = (board and board.clock_hz) or hardware.clock_hz
    bandwidth = (board and board.bandwidth) or hardware.bandwidth
    if clock is None or bandwidth is None or (hardware.array is None and not profile.cycles):
        return None
    if hardware.array is None and hardware.products is None:
        return None
    return Speed(hardware, clock, bandwidth, board.name if board else "", board.cores if board else 1)


def estimate(
    counted: Count, profile: Profile, speed: Speed, setting: Setting, on_cpu: Collection[str] = ()
) -> Estimate:
    """The time of every layer, and of the net on one core; layers on the CPU are left out and named."""
    timer = _Timer(counted, profile, speed, setting, on_cpu)
    layers = tuple(timer.layer(index) for index in range(len(counted.layers)))
    return Estimate(layers, speed, tuple(timer.uncounted))


class _Timer:
    """Times the layers of one net."""

    def __init__(
        self, counted: Count, profile: Profile, speed: Speed, setting: Setting, on_cpu: Collection[str]
    ) -> None:
        self.counted, self.profile, self.speed, self.setting = counted, profile, speed, setting
        self.on_cpu = on_cpu
        self.uncounted: list[str] = []

    def layer(self, index: int) -> LayerTime:
        row, node = self.counted.layers[index], self.counted.net.nodes[index]
        skipped = row.name in self.on_cpu
        cycles = None if skipped else self.cycles(node)
        if cycles is None:
            if row.madds or skipped:
                self.uncounted.append(row.name)
            cycles = 0
        moved = self.bytes(node) if cycles else 0
        compute = Fraction(cycles, self.speed.clock_hz)
        load = Fraction(moved, self.speed.bandwidth) if self.speed.bandwidth else Fraction(0)
        seconds = max(compute, load) + COMBINED[self.speed.hardware.combine] * min(compute, load)
        bound = ("products" if compute >= load else "memory") if seconds else None
        return LayerTime(row.name, row.type, row.line, row.madds, cycles, moved, seconds, bound)

    def cycles(self, node: Node) -> int | None:
        """By a formula of the profile, or by its array; None where it says nothing about such a layer."""
        if not node.bottoms or not node.tops:
            return None
        machine = Machine(LayerScope(self.counted.net, node, self.setting), f'layer "{node.name}"')
        for formula in self.profile.cycles:
            if formula.types and node.type not in formula.types:
                continue
            try:
                if formula.when is None or machine.holds(formula.when):
                    return machine.number(formula.value)
            except Absent:
                continue
        hardware = self.speed.hardware
        return None if hardware.array is None else array_cycles(node, hardware)

    def bytes(self, node: Node) -> int:
        """Weights, and what is read and written, unless that stays on the chip."""
        hardware = self.speed.hardware
        weights = bytes_of(sum(blob.shape.count() for blob in node.params), hardware.weight_bits)
        multiple = hardware.array.outputs if hardware.array else 1
        blobs = [
            bytes_of(_rounded(blob.shape, multiple), hardware.activation_bits)
            for blob in (*node.value_bottoms, *node.tops)
        ]
        room = hardware.sram or 0
        if hardware.keeps == "blob":
            blobs = [size for size in blobs if size > room]
        if hardware.traffic == "weights" or sum(blobs) <= room:
            return weights
        return weights + sum(blobs)


def _rounded(shape: tuple[int, ...], multiple: int) -> int:
    """Elements with the channels rounded up."""
    if len(shape) < 2:
        return prod(shape)
    n, c, *spatial = shape
    return n * -(-c // multiple) * multiple * prod(spatial)


def array_cycles(node: Node, hardware: Hardware) -> int | None:
    """Cycles of an array for a layer; 0 for what costs nothing, None for an unknown kind with products."""
    array = hardware.array
    assert array is not None  # its caller made sure
    bottom, top = node.bottoms[0].shape, node.tops[0].shape
    images = top[0] if top else 1
    window = node.layer.window(node.bottom_shapes)
    if node.type in _WINDOWS or (window is not None and node.params):
        if window is None or len(top) != 4 or len(window.kernel) != 2:
            return None
        return images * _convolution(bottom, top, window.kernel, window.group, window.depthwise, hardware)
    if node.type == "InnerProduct" and node.params:
        return images * -(-prod(bottom[1:]) // array.inputs) * -(-prod(top[1:]) // array.outputs)
    if node.type == "Pooling" and window is not None and len(top) == 4:
        lanes = hardware.pool or Lanes(array.outputs, 1)
        return images * -(-top[1] // lanes.channels) * prod(window.kernel) * -(-top[2] * top[3] // lanes.pixels)
    if node.type == "Eltwise":
        plane = prod(top[2:]) if len(top) > 2 else 1
        return images * -(-(top[1] if len(top) > 1 else 1) // array.outputs) * plane * len(node.bottoms)
    return None if node.layer.products(node.bottom_shapes, node.top_shapes) else 0


def _convolution(
    bottom: tuple[int, ...],
    top: tuple[int, ...],
    kernel: tuple[int, ...],
    group: int,
    depthwise: bool,
    hardware: Hardware,
) -> int:
    array = hardware.array or Array(1, 1, 1)
    taps, (high, wide) = prod(kernel), top[2:]
    if depthwise:
        lanes = hardware.depthwise or Lanes(array.outputs, array.pixels)
        return -(-top[1] // lanes.channels) * taps * -(-high // lanes.pixels) * wide
    tiles = -(-(bottom[1] // group) // array.inputs) * -(-(top[1] // group) // array.outputs)
    return group * tiles * taps * -(-high // array.pixels) * wide
