"""A net at another width and resolution, as a prototxt in which only numbers have changed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from typing import NamedTuple

from netcount.analysis._support.resolutions import Resolution, image_inputs, input_edits, pool_edits
from netcount.analysis._support.topology import classifiers
from netcount.analysis._support.variants import Numbers, Variants
from netcount.analysis._support.widths import Channels, Multiplier, Widths, is_dense, refuse_assumed
from netcount.analysis.count import Count, count
from netcount.core.errors import Advice, Errors, InputError, NetcountError, Warned
from netcount.core.files import read_text
from netcount.core.gc_pause import undisturbed
from netcount.core.shape import Shape
from netcount.core.suggest import nearest
from netcount.graph.connect import Part
from netcount.graph.graph import Graph, Node
from netcount.graph.load import DEFAULTS, draft_text, load_text, name_of
from netcount.graph.options import LoadOptions
from netcount.layers.assumed import Assumed
from netcount.layers.convolution.convolution import Convolution
from netcount.layers.convolution.inner_product import InnerProduct
from netcount.layers.window import CONVOLUTION
from netcount.prototxt.edit import Span, edited, own_span
from netcount.prototxt.reader import defined
from netcount.prototxt.select import Phase
from netcount.prototxt.tree import Source
from netcount.prototxt.values import whole_number

MOST_KEPT = 1_000
"""Widths, and sizes, of which it is remembered what they change."""


class ChannelChange(NamedTuple):
    """A convolution, or a fully connected layer, whose channels changed."""

    layer: str
    line: int
    was: int
    now: int


class Rescaled(NamedTuple):
    """A rescaled net: its text, the net that the text describes, and the layers that changed.

    classifiers: the layers whose channels are the net's answer, and were left alone.
    notes: what a reader of the text has to know.  options: how the text is read.
    """

    text: str
    net: Graph
    before: Graph
    changes: tuple[ChannelChange, ...]
    classifiers: tuple[str, ...]
    notes: tuple[Warned, ...]
    options: LoadOptions


class Recipe(NamedTuple):
    """What a rescaler is made from: plain values that travel to another process.  As for `Rescaler`."""

    text: str
    file: str
    options: LoadOptions
    keep: tuple[str, ...]
    both_phases: bool
    dense: bool

    def rescaler(self) -> Rescaler:
        """A rescaler made from it."""
        text, file, options, keep, both_phases, dense = self
        return Rescaler(text, file, options, keep=keep, both_phases=both_phases, dense=dense)


class Rescaler:
    """A net that can be asked for at many widths and resolutions.

    text, file, options: as for `load_text`.  keep: names of layers that keep their channels.
    both_phases: whether layers of the other phase are changed too, where the file can be built in it.
    dense: whether InnerProduct layers are scaled too, but the classifiers.
    InputError as by `load`, or where `keep` names no layer that would be scaled.
    """

    recipe: Recipe
    net: Graph
    source: Source
    nets: list[Graph]
    keep: frozenset[str]
    classifiers: tuple[str, ...]

    def __init__(
        self,
        text: str,
        file: str = "<text>",
        options: LoadOptions = DEFAULTS,
        *,
        keep: Sequence[str] = (),
        both_phases: bool = True,
        dense: bool = False,
    ) -> None:
        self.recipe = Recipe(text, file, options, tuple(keep), both_phases, dense)
        self.options = options
        draft = draft_text(text, options, file)
        self.net = draft.graph()
        self.source = self._source(self.net)
        self.nets = [self.net]
        if both_phases:
            other: Phase = "TRAIN" if self.net.phase == "TEST" else "TEST"
            with suppress(NetcountError):  # the file is for one phase, or does not say enough for the other
                net = load_text(text, options._replace(phase=other), file)
                if self._source(net).text == self.source.text:
                    self.nets.append(net)
        self.keep = frozenset(keep)
        nodes = [node for net in self.nets for node in net.nodes]
        known = [n.name for n in nodes if isinstance(n.layer, Convolution) or (dense and is_dense(n))]
        for name in keep:
            if name not in known:
                hint = nearest(name, known)
                what = "convolution or InnerProduct layer" if dense else "convolution"
                raise InputError(f'{self.net.file}: no {what} is called "{name}"{hint}', argument="keep")
        answering = {net.nodes[index].message.tree.offset for net in self.nets for index in classifiers(net)}
        self.classifiers = tuple(n.name for n in self.net.nodes if n.message.tree.offset in answering)
        self._widths = [
            Widths(
                net,
                {n.index for n in net.nodes if n.message.tree.offset in answering or n.name in self.keep},
                dense,
            )
            for net in self.nets
        ]
        self._written: dict[int, dict[str, tuple[int, Span]]] = {}
        self._variants = None
        if len(self.nets) == 1 and self.source.text == defined(text, options.define):
            self._variants = Variants(draft, self.net, self.source)
        self._numbers: dict[Multiplier, dict[int, Numbers]] = {}
        self._reread: dict[Resolution, dict[int, Part]] = {}

    @classmethod
    def of_file(
        cls,
        path: str | os.PathLike[str],
        options: LoadOptions = DEFAULTS,
        *,
        keep: Sequence[str] = (),
        both_phases: bool = True,
        dense: bool = False,
    ) -> Rescaler:
        """As for the text of a file, or of standard input ("-")."""
        return cls(read_text(path), name_of(path), options, keep=keep, both_phases=both_phases, dense=dense)

    def _source(self, net: Graph) -> Source:
        """The text that the net's layers stand in (not a solver's that only names it)."""
        if not net.nodes:
            raise InputError(f"{net.file}: the net has no layers")
        return net.nodes[-1].message.tree.source

    def rescaled(
        self, width: Fraction | str = "1", resolution: Resolution | int | None = None, multiple: int = 1
    ) -> Rescaled:
        """The net with the channels of every layer that is scaled times `width`, on images of `resolution`.

        The classifiers (what feeds outputs or proposals with no learned layer in between) and `keep`
        make what they made, channelwise convolutions follow their input, and a pooling that covered
        the whole plane still does.  multiple: what channels are rounded to.
        InputError where a constant in the file makes it impossible.
        """
        multiplier, size = _checked(width, resolution, multiple)
        edits: dict[Span, str] = {}
        changes: dict[int, ChannelChange] = {}
        for net, widths in zip(self.nets, self._widths, strict=True):
            if multiplier.width != 1:
                self._widen(net, widths.planned(multiplier), edits, changes)
        given = self._given(size)
        if size is not None:
            edits |= self._size_edits(size)
        text = edited(self.source, edits)
        made, *_ = [self._built(text, given, net) for net in self.nets]
        notes = []
        if given != self.options.input_shapes:
            leads = ["give it with", *["and"] * len(given)]
            advice = [
                Advice("input_shapes", ",".join(map(str, shape)), name, lead)
                for (name, shape), lead in zip(given.items(), leads, strict=False)
            ]
            notes.append(Warned("the size of the images is not in the file", advice=tuple(advice)))
        ordered = tuple(changes[at] for at in sorted(changes))
        options = self.options._replace(input_shapes=given)
        return Rescaled(text, made, self.net, ordered, self.classifiers, tuple(notes), options)

    def counted(
        self, width: Fraction | str = "1", resolution: Resolution | int | None = None, multiple: int = 1
    ) -> Count:
        """What the net of `rescaled` costs, worked out without its text wherever that can be done.

        Arguments and errors as there. Where the shorter way finds anything wrong, the text decides.
        """
        multiplier, size = _checked(width, resolution, multiple)
        if self._variants is not None:
            with suppress(NetcountError), undisturbed():
                net = self._variants.built(self._numbers_at(multiplier), self._parts_at(size), self._given(size))
                _check_assumed(self.net, net)
                return count(net, known=self._variants.known)
        return count(self.rescaled(width, resolution, multiple).net)

    def _numbers_at(self, multiplier: Multiplier) -> dict[int, Numbers]:
        """The new numbers of each layer that has any."""
        if multiplier.width == 1:
            return {}
        numbers = self._numbers.get(multiplier)
        if numbers is None:
            plan = self._widths[0].planned(multiplier)
            new = {index: self._new_numbers(self.net.nodes[index], channels) for index, channels in plan.items()}
            numbers = {i: Numbers(_param_of(self.net.nodes[i]), fields) for i, fields in new.items() if fields}
            if len(self._numbers) >= MOST_KEPT:
                self._numbers.clear()
            self._numbers[multiplier] = numbers
        return numbers

    def _parts_at(self, size: Resolution | None) -> dict[int, Part]:
        """The layers of which the file tells the size, at another one."""
        if size is None or self._variants is None:
            return {}
        parts = self._reread.get(size)
        if parts is None:
            parts = self._variants.reread(self._size_edits(size))
            if len(self._reread) >= MOST_KEPT:
                self._reread.clear()
            self._reread[size] = parts
        return parts

    def _size_edits(self, size: Resolution) -> dict[Span, str]:
        edits: dict[Span, str] = {}
        for net in self.nets:
            edits |= input_edits(net, size, self.options.input_shapes)
            with self._refusing(net.phase):
                edits |= pool_edits(net, size)
        return edits

    def _widen(
        self, net: Graph, plan: Mapping[int, Channels], edits: dict[Span, str], changes: dict[int, ChannelChange]
    ) -> None:
        for index, channels in plan.items():
            node = net.nodes[index]
            written = self._written_in(node)
            for name, number in self._new_numbers(node, channels):
                _, span = written[name]
                if edits.setdefault(span, str(number)) != str(number):
                    node.layer.refuse(f"would need {edits[span]} in one phase and {number} in the other")
            was = node.tops[0].shape[1]
            if was != channels.made:
                tree = node.message.tree
                changes[tree.offset] = ChannelChange(node.name, tree.source.line(tree.offset), was, channels.made)

    def _new_numbers(self, node: Node, channels: Channels) -> tuple[tuple[str, int], ...]:
        """The fields in the text of a layer that get another number, and the number."""
        wanted = {"num_output": channels.made, "group": channels.group}
        written = self._written_in(node)
        return tuple([(name, wanted[name]) for name, (now, _) in written.items() if now != wanted[name]])

    def _written_in(self, node: Node) -> dict[str, tuple[int, Span]]:
        """The numbers of channels that a layer's text sets, and where they stand."""
        tree = node.message.child(_param_of(node)).tree
        written = self._written.get(tree.offset)
        if written is None:
            fields = {name: own_span(tree, name) for name in ("num_output", "group")}
            written = {name: (whole_number(one[0]), one[1]) for name, one in fields.items() if one is not None}
            self._written[tree.offset] = written
        return written

    def _given(self, size: Resolution | None) -> dict[str, Shape]:
        """The caller's input shapes, those of images with their new height and width."""
        given = dict(self.options.input_shapes)
        if size is None:
            return given
        images = {blob.name for blob in image_inputs(self.net)}
        for name, shape in given.items():
            if (name in images or (name == "" and len(images) == 1)) and len(shape) == 4:
                given[name] = Shape((*shape[:2], size.high, size.wide))
        return given

    def _built(self, text: str, given: Mapping[str, Shape], net: Graph) -> Graph:
        options = self.options._replace(input_shapes=given, phase=net.phase)
        with self._refusing(net.phase):
            made = load_text(text, options, self.source.file)
        _check_assumed(net, made)
        return made

    @contextmanager
    def _refusing(self, phase: str) -> Iterator[None]:
        """Says of an error that the rescaled net would be refused."""
        try:
            yield
        except NetcountError as problem:
            where = "" if phase == self.net.phase else f" in phase {phase}"
            what = f"rescaled, the net would be refused{where}: "
            if isinstance(problem, Errors):
                raise InputError(what + problem.message) from None
            raise problem.changed(what + problem.what) from None


def _param_of(node: Node) -> str:
    """The message that holds the number of a layer's channels."""
    return "inner_product_param" if isinstance(node.layer, InnerProduct) else CONVOLUTION


def _check_assumed(before: Graph, after: Graph) -> None:
    """Refuse a net of which nobody knows what it would be: shapes and costs given by hand do not follow."""
    for old, new in zip(before.nodes, after.nodes, strict=True):
        layer = new.layer
        if isinstance(layer, Assumed) and layer.fixed:
            for was, now in zip(old.bottom_shapes, new.bottom_shapes, strict=True):
                if was != now:
                    refuse_assumed(new, f"{now}, not {was}")


def _checked(
    width: Fraction | str, resolution: Resolution | int | None, multiple: int
) -> tuple[Multiplier, Resolution | None]:
    factor = Fraction(width)
    if factor <= 0 or multiple < 1:
        raise InputError(f"a width is a factor above 0 and a multiple at least 1, not {width} and {multiple}")
    size = Resolution(resolution, resolution) if isinstance(resolution, int) else resolution
    return Multiplier(factor, multiple), size


def rescale(
    text: str,
    file: str = "<text>",
    options: LoadOptions = DEFAULTS,
    *,
    width: Fraction | str | float = 1,
    resolution: Resolution | int | None = None,
    multiple: int = 1,
    keep: Sequence[str] = (),
) -> Rescaled:
    """A net at another width and resolution; `text` of the result is its prototxt.

    >>> made = rescale('''
    ... input: "data" input_shape { dim: 1 dim: 3 dim: 9 dim: 11 }  # comments stay
    ... layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
    ...         convolution_param { num_output: 8 kernel_size: 3 } }
    ... layer { name: "fc" type: "InnerProduct" bottom: "conv1" top: "fc"
    ...         inner_product_param { num_output: 5 } }
    ... ''', width=0.5)
    >>> [tuple(change) for change in made.changes], made.classifiers
    ([('conv1', 3, 8, 4)], ('fc',))

    The rules, options and errors are those of `Rescaler`.
    """
    return Rescaler(text, file, options, keep=keep).rescaled(Fraction(str(width)), resolution, multiple)
