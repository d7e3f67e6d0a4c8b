"""BatchNorm and the like folded into the layers beside them, in the file's own text.

The net is folded in rounds: in each as many layers as do not touch each other, then the new text is read again.
Nothing is decided by what was planned earlier, and the text alone carries the result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from netcount.core.errors import InputError
from netcount.deploy.affine import AFFINE
from netcount.deploy.linear import LINEAR, has_bias
from netcount.graph.graph import Blob, Graph, Node
from netcount.graph.load import DEFAULTS, load_text
from netcount.graph.options import LoadOptions
from netcount.layers.activation.dropout import Dropout
from netcount.layers.bases import Source
from netcount.layers.normalization.scale import Scale
from netcount.layers.shape.split import Split
from netcount.prototxt.edit import Span
from netcount.prototxt.modernize import modernized
from netcount.prototxt.reader import defined
from netcount.prototxt.written import GONE, Block, Written, indent_at, retold, written

if TYPE_CHECKING:
    from netcount.kernels.run import Array

Weights = dict[str, "Sequence[Array]"]


class Step(NamedTuple):
    """A layer that is gone: folded into others, or dropped as it changes nothing (`into` is then empty)."""

    layer: str
    type: str
    into: tuple[str, ...]


class Left(NamedTuple):
    """A layer that stays, and why."""

    layer: str
    type: str
    reason: str


class Folded(NamedTuple):
    """A folded net.

    Attributes:
        text: Its prototxt.
        net: The net that the text describes.
        before: The net before.
        weights: Its blobs by layer name, where weights were given.
        steps: The layers that are gone, in the order in which they went.
        left: The layers that could not be folded.
    """

    text: str
    net: Graph
    before: Graph
    weights: Weights | None
    steps: tuple[Step, ...]
    left: tuple[Left, ...]


class _Plan(NamedTuple):
    """What one layer's going means for the others.

    Attributes:
        step: What is said of it.
        touched: All layers whose text or weights change, by index.
        renamed: New names for bottoms and tops: by layer, "bottom" or "top", and position.
        biased: Layers that get a bias.
    """

    step: Step
    touched: frozenset[int]
    renamed: Mapping[tuple[int, str, int], str]
    biased: tuple[Node, ...] = ()


def fold(
    text: str,
    file: str = "<text>",
    options: LoadOptions = DEFAULTS,
    weights: Mapping[str, Sequence[Array]] | None = None,
    *,
    same_lines: bool = False,
) -> Folded:
    """A net without the layers that can be folded into others, or that change nothing in phase TEST.

    >>> made = fold('''
    ... layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 dim: 8 dim: 9 } } }
    ... layer { name: "c" type: "Convolution" bottom: "x" top: "c"  # the comment stays
    ...   convolution_param { num_output: 4 kernel_size: 3 bias_term: false } }
    ... layer { name: "b" type: "BatchNorm" bottom: "c" top: "b" }
    ... ''')
    >>> [node.name for node in made.net.nodes], made.steps[0].into
    (['x', 'c'], ('c',))

    Args:
        text: A prototxt; V0 and V1 layers are brought into the current form first.
        file: What it is called in messages.
        options: How it is read; phase TEST.
        weights: Arrays by layer name.  Without them only what is exact for any weights is folded.
        same_lines: Leave every layer that stays on the line on which it was.

    Raises:
        InputError: The text is no net that could be built.
    """
    if options.phase != "TEST":
        raise InputError("a net is folded for phase TEST", argument="phase")
    before = load_text(text, options, file)
    text = defined(text, options.define)
    if before.nodes and before.nodes[-1].message.tree.source.text != text:
        raise InputError(f"{file} is a solver; fold the net that it names")
    options = options._replace(define={})
    current = modernized(text)
    if not (same_lines and current == text):
        text = current
    net = before
    held: Weights | None = dict(weights) if weights is not None else None
    steps: list[Step] = []
    while True:
        net = load_text(text, options, file)
        text, gone = _round(text, net, held, same_lines)
        if not gone:
            break
        steps += gone
    left = []
    for node in net.nodes:
        if type(node.layer) in AFFINE or isinstance(node.layer, _IDENTITIES):
            what = _planned(net, node, held)
            if isinstance(what, str):
                left.append(Left(node.name, node.type, what))
    return Folded(text, net, before, held, tuple(steps), tuple(left))


_IDENTITIES = (Dropout, Split)


def _round(text: str, net: Graph, weights: Weights | None, same_lines: bool) -> tuple[str, list[Step]]:
    """One round: the new text and what is gone; `weights` changes with it."""
    layers: dict[int, tuple[Written, Block]] = {}
    for field in written(text).of("layer"):
        for block in field.blocks:
            layers[field.start if len(field.blocks) == 1 else block.start] = field, block
    edits: dict[Span, str] = {}
    touched: set[int] = set()
    gone = []
    for node in net.nodes:
        if type(node.layer) not in AFFINE and not isinstance(node.layer, _IDENTITIES):
            continue
        plan = _planned(net, node, weights)
        if isinstance(plan, str) or not touched.isdisjoint(plan.touched):
            continue
        places = {index: layers.get(net.nodes[index].message.tree.offset) for index in plan.touched}
        if None in places.values() or len(places[node.index][0].blocks) != 1:  # type: ignore[index]
            continue  # an Input layer of the caller's, or layers written as a list
        touched |= plan.touched
        field, block = layers[node.message.tree.offset]
        lines = "\n" * text.count("\n", field.start, field.end) if same_lines else GONE
        edits[field.span] = lines
        for (index, kind, position), name in plan.renamed.items():
            _, block = layers[net.nodes[index].message.tree.offset]
            spans = [value for part in block.of(kind) for value in part.values]
            edits[spans[position]] = name  # type: ignore[index]
        for other in plan.biased:
            _, block = layers[other.message.tree.offset]
            _set_bias(text, block, LINEAR[type(other.layer)].param, edits)
        if weights is not None:
            _apply(net, node, plan, weights)
        gone.append(plan.step)
    return (retold(text, edits, tidy=not same_lines) if edits else text), gone


def _set_bias(text: str, layer: Block, param: str, edits: dict[Span, str]) -> None:
    """`bias_term: true`, where the layer had none."""
    for block in [inner for field in layer.of(param) for inner in field.blocks][:1]:
        for field in block.of("bias_term"):
            edits[field.span] = "bias_term: true"
            return
        at = block.fields[0].start if block.fields else block.end - 1
        indent = indent_at(text, at)
        edits[at, at] = "bias_term: true" + (" " if indent is None else f"\n{indent}")
        return
    edits[layer.end - 1, layer.end - 1] = f"{param} {{ bias_term: true }} "


def _planned(net: Graph, node: Node, weights: Weights | None) -> _Plan | str:
    """How a layer goes, or why it stays."""
    if isinstance(node.layer, _IDENTITIES):
        return _without(net, node)
    affine = AFFINE[type(node.layer)]
    obstacle = affine.obstacle(node.layer, node)
    if obstacle:
        return obstacle
    if _shares(net, node):
        return "shares its blobs with another layer"
    behind = _into_producer(net, node)
    if not isinstance(behind, str):
        return behind
    before = _into_readers(net, node, weights)
    return f"{behind}; {before}" if isinstance(before, str) else before


def _shares(net: Graph, node: Node) -> bool:
    """Whether a parameter blob of the layer is another's too."""
    if any(owner is not None for owner in node.owners):
        return True
    return any(owner is not None and owner.node == node.index for other in net.nodes for owner in other.owners)


def _takes(net: Graph, node: Node, other: Node) -> str | None:
    """Why `other` cannot take a factor and a shift of `node`."""
    linear = LINEAR.get(type(other.layer))
    if linear is None:
        return f'{other.type} "{other.name}" has no weights to take it'
    if type(node.layer) is type(other.layer) is Scale and node.index == other.index:
        return "it is itself"
    return linear.obstacle(other) or (f'"{other.name}" shares its weights' if _shares(net, other) else None)


def _into_producer(net: Graph, node: Node) -> _Plan | str:
    """Into the layer before it, which nobody else reads."""
    (bottom,) = node.bottoms
    producer = net.nodes[bottom.producer]
    why = _takes(net, node, producer)
    if why:
        return why
    if net.readers[bottom.index] != (node.index,):
        return f'"{bottom.name}" is read by other layers too'
    renamed = {}
    if node.tops[0].name != bottom.name:
        renamed[producer.index, "top", 0] = _name(node, "top", 0)
    step = Step(node.name, node.type, (producer.name,))
    biased = () if has_bias(producer) or not AFFINE[type(node.layer)].shifts(node.layer) else (producer,)
    return _Plan(step, frozenset({node.index, producer.index}), renamed, biased)


def _into_readers(net: Graph, node: Node, weights: Weights | None) -> _Plan | str:
    """Into all layers behind it, where no padding tells a shift from none."""
    (bottom,), (top,) = node.bottoms, node.tops
    readers = [net.nodes[index] for index in net.readers[top.index]]
    if not readers:
        return "no layer reads it"
    shifts = AFFINE[type(node.layer)].shifts(node.layer)
    if shifts and weights is not None:
        from netcount.core.lazy_numpy import np

        _, shift = AFFINE[type(node.layer)].values(node.layer, weights.get(node.name, ()), bottom.shape[1])
        shifts = bool(np.any(shift != 0))
    renamed = {}
    for reader in readers:
        why = _takes(net, node, reader)
        if why is None and shifts:
            why = LINEAR[type(reader.layer)].pads(reader)
        if why is None and top.name != bottom.name and _overwritten(net, bottom, reader.index):
            why = f'"{bottom.name}" is overwritten before "{reader.name}" reads it'
        if why is None and len(reader.bottoms) > 1:
            why = f'"{reader.name}" has several bottoms'
        if why:
            return why
        if top.name != bottom.name:
            renamed[reader.index, "bottom", 0] = _name(node, "bottom", 0)
            if reader.tops[0].name == top.name:  # in place: the name of the blob was its own output's too
                return f'"{reader.name}" works in place'
    biased = tuple(reader for reader in readers if shifts and not has_bias(reader))
    step = Step(node.name, node.type, tuple(reader.name for reader in readers))
    return _Plan(step, frozenset({node.index, *(reader.index for reader in readers)}), renamed, biased)


def _overwritten(net: Graph, blob: Blob, before: int) -> bool:
    """Whether the blob's name means a later version when layer `before` reads it."""
    return any(
        other.name == blob.name and other.index > blob.index and other.producer < before for other in net.blobs
    )


def _without(net: Graph, node: Node) -> _Plan | str:
    """A layer whose tops hold its bottom's values."""
    (bottom,) = node.bottoms
    step = Step(node.name, node.type, ())
    if not node.layer.passes_bottom:
        return "changes values"
    touched = {node.index}
    renamed: dict[tuple[int, str, int], str] = {}
    alone = net.readers[bottom.index] == (node.index,) and len(node.tops) == 1
    for position, top in enumerate(node.tops):
        if top.name == bottom.name:
            continue
        versions = [blob for blob in net.blobs if blob.name == top.name]
        if top.index in net.output_set or any(blob.index in net.output_set for blob in versions):
            older = [blob for blob in net.blobs if blob.name == bottom.name]
            source = net.nodes[older[0].producer]
            if not alone or isinstance(source.layer, Source):
                return f'"{top.name}" is an output of the net'
            _rename(net, older, _name(node, "top", position), renamed, touched, node)
            continue
        if len(versions) > 1 and not alone:
            return f'"{top.name}" is overwritten in place'
        last = max((reader for blob in versions for reader in net.readers[blob.index]), default=0)
        if _overwritten(net, bottom, last):
            return f'"{bottom.name}" is overwritten before all have read it'
        _rename(net, versions, _name(node, "bottom", 0), renamed, touched, node)
    return _Plan(step, frozenset(touched), renamed)


def _rename(
    net: Graph,
    versions: Sequence[Blob],
    name: str,
    renamed: dict[tuple[int, str, int], str],
    touched: set[int],
    gone: Node,
) -> None:
    """Everybody who makes or reads a blob calls it by another name."""
    wanted = {blob.index for blob in versions}
    for node in net.nodes:
        if node.index == gone.index:
            continue
        for kind, blobs in (("bottom", node.bottoms), ("top", node.tops)):
            for position, blob in enumerate(blobs):
                if blob.index in wanted:
                    renamed[node.index, kind, position] = name
                    touched.add(node.index)


def _name(node: Node, kind: str, position: int) -> str:
    """The name of a blob as the layer's text spells it."""
    names = [raw for field, raw, _ in node.message.tree.fields if field == kind and isinstance(raw, str)]
    return names[position]


def _apply(net: Graph, node: Node, plan: _Plan, weights: Weights) -> None:
    """The blobs of the layers that stay."""
    blobs = weights.pop(node.name, ())
    if not plan.step.into:
        return
    values = AFFINE[type(node.layer)].values(node.layer, blobs, node.bottoms[0].shape[1])
    for index in plan.touched - {node.index}:
        other = net.nodes[index]
        linear = LINEAR[type(other.layer)]
        change = linear.behind if index < node.index else linear.before
        made = change(other, weights[other.name], values)
        weights[other.name] = made if has_bias(other) or other in plan.biased else made[:1]
