"""A net made wider or narrower: how many channels each convolution makes then."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import NamedTuple

from netcount.analysis.graph import is_pointwise
from netcount.errors import InputError
from netcount.layers.convolution import Convolution
from netcount.net import Blob, Net, Node


class Channels(NamedTuple):
    """What a convolution's num_output and group become."""

    made: int
    group: int


class Multiplier(NamedTuple):
    """The factor for numbers of channels, and the number they are rounded to a multiple of."""

    width: Fraction
    multiple: int = 1

    def scaled(self, channels: int) -> int:
        """`channels` times the factor, rounded to the nearest multiple, at least one of it.

        With a multiple above 1, no more than a tenth is lost: the next multiple is taken instead
        (the rule of MobileNet v2's reference code).

        >>> Multiplier(Fraction("0.35")).scaled(32), Multiplier(Fraction("0.35"), 8).scaled(32)
        (11, 16)
        """
        wanted = channels * self.width
        found = max(1, floor(wanted / self.multiple + Fraction(1, 2))) * self.multiple
        if self.multiple > 1 and found * 10 < wanted * 9:
            found += self.multiple
        return found


def planned(net: Net, multiplier: Multiplier, fixed: Collection[int]) -> dict[int, Channels]:
    """New channels for every convolution of `net`, by node; those in `fixed` make what they made.

    A channelwise convolution follows its input.  What is added up must have the same channels:
    where rounding or a fixed layer sets two branches apart, the convolutions of one follow the other.
    InputError, with the place, where groups, slices or reshapes in the file make it impossible.
    """
    overrides: dict[int, int] = {}
    for _ in net.nodes:
        attempt = _Attempt(net, multiplier, fixed, overrides)
        wanted = attempt.run()
        if not wanted:
            return attempt.planned
        overrides.update(wanted)
    raise InputError(f"{net.file}: no numbers of channels were found that all its sums agree on")


class _Attempt:
    """One pass over the net with some convolutions' channels decided before."""

    def __init__(
        self, net: Net, multiplier: Multiplier, fixed: Collection[int], overrides: Mapping[int, int]
    ) -> None:
        self.net = net
        self.multiplier = multiplier
        self.fixed = fixed
        self.overrides = overrides
        self.planned: dict[int, Channels] = {}
        self.channels: dict[int, int] = {}

    def run(self) -> dict[int, int]:
        """Go through the layers; what has to be decided otherwise, or nothing."""
        for node in self.net.nodes:
            if any(len(blob.shape) < 2 for blob in node.bottoms[:1]):
                continue
            wanted = self._joined(node)
            if wanted:
                return wanted
            for top, made in zip(node.tops, self._made(node), strict=True):
                self.channels[top.index] = made
        return {}

    def _of(self, blob: Blob) -> int:
        return self.channels.get(blob.index, _channels(blob))

    def _made(self, node: Node) -> list[int]:
        layer = node.layer
        if isinstance(layer, Convolution):
            return [self._convolved(node, layer)] * len(node.tops)
        given = [self._of(blob) for blob in node.bottoms]
        before = [_channels(blob) for blob in node.bottoms]
        if not given or given == before or layer.products(node.bottom_shapes, node.top_shapes):
            return [_channels(top) for top in node.tops]
        if node.type == "Concat":
            (top,) = node.tops
            return [sum(given) if _channels(top) == sum(before) else given[0]]
        if node.type == "Slice":
            self._check_slice(node, given[0], before[0])
        if node.type == "Reshape":
            _check_reshape(node)
        return [_in_proportion(_channels(top), given[0], before[0]) for top in node.tops]

    def _convolved(self, node: Node, layer: Convolution) -> int:
        given, before = self._of(node.bottoms[0]), _channels(node.bottoms[0])
        made, group = layer.numbers(before)
        if group == before and group > 1:
            if node.index in self.fixed and given != before:
                layer.refuse(
                    f"is to be kept at {made} channels, but it has one filter a channel and reads {given} now",
                    "convolution_param.group",
                )
            found = Channels(made // before * given, given)
        elif node.index in self.fixed:
            found = Channels(made, group)
        else:
            wide = self.overrides.get(node.index) or self.multiplier.scaled(made)
            found = Channels(wide, wide if group == made > 1 else group)  # one channel a group stays one
        for what, number in (("input channels", given), ("num_output", found.made)):
            if number % found.group:
                layer.refuse(
                    f"{number} {what} could not be divided by group {found.group}; "
                    f"rounding to a multiple of {found.group} would help (--round {found.group})",
                    "convolution_param.group",
                )
        self.planned[node.index] = found
        return found.made

    def _joined(self, node: Node) -> dict[int, int]:
        """Which convolutions have to follow so that the bottoms agree again as they did before."""
        if len(node.bottoms) < 2 or node.type == "Concat" or any(len(b.shape) < 2 for b in node.bottoms):
            return {}
        alike = [blob for blob in node.bottoms if _channels(blob) == _channels(node.bottoms[0])]
        found = {self._of(blob) for blob in alike}
        if len(found) < 2:
            return {}
        free = {blob.index: self._deciders(blob) for blob in alike}
        settled = {self._of(blob) for blob in alike if free[blob.index] is None} or {
            self._of(blob) for blob in alike if (free[blob.index] or set()) & set(self.overrides)
        }
        if len(settled) > 1:
            shown = " and ".join(map(str, sorted(settled)))
            node.layer.refuse(f"would join {shown} channels, and no convolution is free to follow", "bottom")
        target = settled.pop() if settled else self._of(alike[0])
        return {index: target for blob in alike if self._of(blob) != target for index in free[blob.index] or ()}

    def _deciders(self, blob: Blob) -> set[int] | None:
        """The convolutions that set a blob's channels, all alike; None where one of them may not."""
        node = self.net.nodes[blob.producer]
        layer = node.layer
        if isinstance(layer, Convolution):
            before = _channels(node.bottoms[0])
            made, group = layer.numbers(before)
            if group == before == made and group > 1:
                return self._deciders(node.bottoms[0])
            return None if node.index in self.fixed or group == before > 1 else {node.index}
        if node.type == "Eltwise":
            parts = [self._deciders(bottom) for bottom in node.bottoms]
            known = [part for part in parts if part is not None]
            return set().union(*known) if len(known) == len(parts) else None
        if is_pointwise(node) or (node.type == "Pooling" and len(node.bottoms) == 1):
            return self._deciders(node.bottoms[0])
        return None

    def _check_slice(self, node: Node, given: int, before: int) -> None:
        sliced = [_channels(top) for top in node.tops] != [before] * len(node.tops)
        if sliced and node.message.child("slice_param").has("slice_point"):
            node.layer.refuse(
                f"its slice_point is for {before} channels, and there would be {given}", "slice_param.slice_point"
            )


def _channels(blob: Blob) -> int:
    return blob.shape[1] if len(blob.shape) > 1 else 0


def _in_proportion(made: int, given: int, before: int) -> int:
    """What a layer makes of `given` channels that made `made` of `before`."""
    return made * given // before if before and made * given % before == 0 else made


def _check_reshape(node: Node) -> None:
    """Refused where a constant stands for the channels: then another axis would give way silently."""
    dims: Sequence[int] = node.message.child("reshape_param").child("shape").integers("dim")
    (bottom,), (top,) = node.bottom_shapes, node.top_shapes
    if -1 not in dims or len(bottom) < 2:
        return
    first = node.message.child("reshape_param").integer("axis")
    free = dims.index(-1) + (first if first >= 0 else len(bottom) + 1 + first)
    low, high = top.count(free + 1), top.count(free)
    channels_low, channels_high = bottom.count(2), bottom.count(1)
    around = low <= channels_low and channels_high <= high
    inside = channels_low <= low and high <= channels_high
    if not (around or inside):
        node.layer.refuse(
            f"its shape holds the number of channels of {bottom} as a constant", "reshape_param.shape"
        )
