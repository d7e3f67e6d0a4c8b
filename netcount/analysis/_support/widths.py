"""A net made wider or narrower: how many channels each convolution makes then."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction
from typing import NamedTuple, NoReturn

from netcount.core.errors import Advice, InputError
from netcount.graph.graph import Blob, Graph, Node
from netcount.layers.assumed import Assumed
from netcount.layers.convolution.convolution import Convolution
from netcount.layers.convolution.inner_product import InnerProduct


class Channels(NamedTuple):
    """What a layer's num_output and group become; a fully connected layer has one group."""

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
        wanted, whole = channels * self.width.numerator, self.width.denominator  # channels times the factor
        step = whole * self.multiple
        number = max(1, (2 * wanted + step) // (2 * step)) * self.multiple
        if self.multiple > 1 and number * whole * 10 < wanted * 9:
            number += self.multiple
        return number


class Widths:
    """A net that can be made wider or narrower; layers in `fixed` (by node) make what they made.

    dense: whether InnerProduct layers are scaled as convolutions are.
    """

    def __init__(self, net: Graph, fixed: Collection[int], dense: bool = False) -> None:
        self.net = net
        self.fixed = fixed
        self._dense = {node.index for node in net.nodes if dense and is_dense(node)}
        self._handing_on = {node.index for node in net.nodes if _hands_on(node)}

    def planned(self, multiplier: Multiplier) -> dict[int, Channels]:
        """New channels for every layer that is scaled, by node.

        A channelwise convolution follows its input.  What is added up must have the same channels:
        where rounding or a fixed layer sets two branches apart, the convolutions of one follow the other.
        InputError, with the place, where groups, slices or reshapes in the file make it impossible.
        """
        return _Plan(self.net, multiplier, self.fixed, self._dense, self._handing_on).made()


class _Plan:
    """Channels flowing through the net; `overrides` are convolutions that follow others in a sum."""

    def __init__(
        self,
        net: Graph,
        multiplier: Multiplier,
        fixed: Collection[int],
        dense: Collection[int],
        handing_on: Collection[int],
    ) -> None:
        self.net = net
        self.multiplier = multiplier
        self.fixed = fixed
        self.dense = dense
        self.handing_on = handing_on
        self.overrides: dict[int, int] = {}
        self.planned: dict[int, Channels] = {}
        self.channels: dict[int, int] = {}
        self.settled: set[int] = set()

    def made(self) -> dict[int, Channels]:
        """Go through the layers; back to the first convolution that has to be decided otherwise."""
        nodes = self.net.nodes
        at = returns = 0
        while at < len(nodes):
            node = nodes[at]
            at += 1
            if node.index in self.handing_on:
                self.channels[node.tops[0].index] = self._of(node.bottoms[0])
                continue
            if node.bottoms and len(node.bottoms[0].shape) < 2:
                continue
            wanted = self._joined(node)
            if wanted:
                self.overrides |= wanted
                at = min(wanted)
                returns += 1
                if returns > len(nodes):
                    raise InputError(
                        f"{self.net.file}: no numbers of channels were found that all its sums agree on"
                    )
                continue
            for top, made in zip(node.tops, self._made(node), strict=True):
                self.channels[top.index] = made
        return self.planned

    def _of(self, blob: Blob) -> int:
        return self.channels.get(blob.index, _channels(blob))

    def _made(self, node: Node) -> list[int]:
        layer = node.layer
        if isinstance(layer, Convolution):
            return [self._convolved(node, layer)] * len(node.tops)
        if node.index in self.dense:
            return [self._multiplied(node)]
        given = [self._of(blob) for blob in node.bottoms]
        before = [_channels(blob) for blob in node.bottoms]
        if given == before or layer.products(node.bottom_shapes, node.top_shapes):
            return [_channels(top) for top in node.tops]
        if isinstance(layer, Assumed) and layer.fixed:
            refuse_assumed(node, f"{given[0]} channels, not {before[0]}", self._kept(node.bottoms[0]))
        if _adds_channels(node):
            return [sum(given)]
        if node.type == "Slice":
            self._check_slice(node, given[0], before[0])
        if node.type == "Reshape" and _holds_channels(node):
            node.layer.refuse(
                f"its shape holds the number of channels of {node.bottoms[0].shape} as a constant",
                "reshape_param.shape",
                advice=self._kept(node.bottoms[0]),
            )
        return [_in_proportion(_channels(top), given[0], before[0]) for top in node.tops]

    def _convolved(self, node: Node, layer: Convolution) -> int:
        if node.bottoms[0].shape.axis(layer.axis_given) != 1:
            layer.refuse("its channels are not axis 1, so that its width stays", "convolution_param.axis")
        given, before = self._of(node.bottoms[0]), _channels(node.bottoms[0])
        made, group = layer.numbers(before)
        if _is_channelwise(node):
            if node.index in self.fixed and given != before:
                layer.refuse(
                    f"is to be kept at {made} channels, but it has one filter per channel and reads {given} now",
                    "convolution_param.group",
                    advice=self._kept(node.bottoms[0]),
                )
            channels = Channels(made // before * given, given)
        elif node.index in self.fixed:
            channels = Channels(made, group)
        else:
            wide = self.overrides.get(node.index) or self.multiplier.scaled(made)
            channels = Channels(wide, wide if group == made > 1 else group)  # one channel per group stays one
        for what, number in (("input channels", given), ("num_output", channels.made)):
            if number % channels.group:
                layer.refuse(
                    f"{number} {what} could not be divided by group {channels.group}",
                    "convolution_param.group",
                    advice=[Advice("multiple", str(channels.group), lead="round with")],
                )
        self.planned[node.index] = channels
        return channels.made

    def _multiplied(self, node: Node) -> int:
        """The outputs of a fully connected layer, whatever it reads."""
        made = _channels(node.tops[0])
        if node.index not in self.fixed:
            made = self.overrides.get(node.index) or self.multiplier.scaled(made)
        self.planned[node.index] = Channels(made, 1)
        return made

    def _joined(self, node: Node) -> dict[int, int]:
        """Which convolutions have to follow so that the bottoms agree again as they did before."""
        if len(node.bottoms) < 2 or _adds_channels(node) or any(len(b.shape) < 2 for b in node.bottoms):
            return {}
        alike = [blob for blob in node.bottoms if _channels(blob) == _channels(node.bottoms[0])]
        channels = {self._of(blob) for blob in alike}
        if len(channels) < 2:
            return {}
        free = {blob.index: self._deciders(blob) for blob in alike}
        settled = {self._of(blob) for blob in alike if free[blob.index] is None} or {
            self._of(blob) for blob in alike if not self.overrides.keys().isdisjoint(free[blob.index] or ())
        }
        if len(settled) > 1:
            shown = " and ".join(map(str, sorted(settled)))
            node.layer.refuse(f"would join {shown} channels, and no convolution is free to follow", "bottom")
        target = settled.pop() if settled else self._of(alike[0])
        return {index: target for blob in alike if self._of(blob) != target for index in free[blob.index] or ()}

    def _deciders(self, blob: Blob) -> set[int] | None:
        """The convolutions that set a blob's channels, all alike; None where one of them may not."""
        deciders: set[int] = set()
        passed: set[int] = set()
        waiting = [blob]
        while waiting:
            at = waiting.pop()
            node = self.net.nodes[at.producer]
            if node.index in passed:
                continue
            passed.add(node.index)
            through = _passing(node, at)
            if through and at.index not in self.settled:
                waiting += through
            elif self._is_free(node):
                deciders.add(node.index)
            else:
                self.settled.add(blob.index)
                return None
        return deciders

    def _is_free(self, node: Node) -> bool:
        """Whether the layer is one that is scaled, and may make any number of channels."""
        scaled = node.index in self.dense or (isinstance(node.layer, Convolution) and not _is_channelwise(node))
        return scaled and node.index not in self.fixed

    def _kept(self, blob: Blob) -> list[Advice]:
        """How a blob keeps the channels that it has in the file, where convolutions are free to."""
        names = [self.net.nodes[index].name for index in sorted(self._deciders(blob) or ())]
        leads = ["keep them with", *["and"] * len(names)]
        return [Advice("keep", name, lead=lead) for name, lead in zip(names, leads, strict=False)]

    def _check_slice(self, node: Node, given: int, before: int) -> None:
        sliced = [_channels(top) for top in node.tops] != [before] * len(node.tops)
        if sliced and node.message.child("slice_param").has("slice_point"):
            node.layer.refuse(
                f"its slice_point is for {before} channels, and there would be {given}",
                "slice_param.slice_point",
                advice=self._kept(node.bottoms[0]),
            )


def refuse_assumed(node: Node, read: str, kept: Sequence[Advice] = ()) -> NoReturn:
    """Refuse a net in which a layer whose shape or cost was given by hand would read something else."""
    follows = Advice("assume", "KNOWN_TYPE", node.type, "take it for a type that follows what it reads:")
    node.layer.refuse(
        f"what is assumed of it holds for the net as it is, and it would read {read}", advice=[*kept, follows]
    )


def _channels(blob: Blob) -> int:
    return blob.shape[1] if len(blob.shape) > 1 else 0


def is_dense(node: Node) -> bool:
    """Whether the layer is an InnerProduct whose outputs are axis 1 and the file's to say."""
    layer = node.layer
    if not isinstance(layer, InnerProduct) or layer.given or len(node.tops) != 1:
        return False
    return node.bottoms[0].shape.axis(layer.axis_given) == 1


def _hands_on(node: Node) -> bool:
    """Whether the layer makes of one bottom one top with its channels, however many they are."""
    return (
        len(node.bottoms) == len(node.tops) == 1
        and len(node.bottoms[0].shape) > 1
        and _channels(node.bottoms[0]) == _channels(node.tops[0]) > 0
        and not isinstance(node.layer, (Convolution, Assumed))
        and node.type not in ("Concat", "Slice", "Reshape")
        and not node.layer.products(node.bottom_shapes, node.top_shapes)
    )


def _is_channelwise(node: Node) -> bool:
    """Whether a convolution has a group of its own for each channel that it reads."""
    window = node.layer.window(node.bottom_shapes)
    return window is not None and window.depthwise


def _passing(node: Node, top: Blob) -> list[Blob]:
    """The bottoms whose channels per layer hands on to a top; none where it decides them itself."""
    layer = node.layer
    if isinstance(layer, Convolution):
        return list(node.bottoms) if _is_channelwise(node) and _channels(node.bottoms[0]) == _channels(top) else []
    if layer.products(node.bottom_shapes, node.top_shapes):
        return []
    return [blob for blob in node.value_bottoms if len(blob.shape) > 1 and _channels(blob) == _channels(top)]


def _adds_channels(node: Node) -> bool:
    """Whether the top has the channels of all bottoms behind each other."""
    return node.type == "Concat" and _channels(node.tops[0]) == sum(map(_channels, node.bottoms))


def _in_proportion(made: int, given: int, before: int) -> int:
    """What a layer makes of `given` channels that made `made` of `before`."""
    return made * given // before if before and made * given % before == 0 else made


def _holds_channels(node: Node) -> bool:
    """Whether a constant of a Reshape stands for channels: another axis would then give way silently."""
    dims: Sequence[int] = node.message.child("reshape_param").child("shape").integers("dim")
    (bottom,), (top,) = node.bottom_shapes, node.top_shapes
    if -1 not in dims or len(bottom) < 2:
        return False
    first = node.message.child("reshape_param").integer("axis")
    free = dims.index(-1) + (first if first >= 0 else len(bottom) + 1 + first)
    low, high = top.count(free + 1), top.count(free)
    channels_low, channels_high = bottom.count(2), bottom.count(1)
    around = low <= channels_low and channels_high <= high
    inside = channels_low <= low and high <= channels_high
    return not (around or inside)
