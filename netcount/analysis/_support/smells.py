"""What in a net costs and does nothing, or is not what its writer can have meant: one rule a code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from math import gcd, prod
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from netcount.analysis._support.topology import classifiers, is_pointwise, only_reader, sets_channels
from netcount.analysis._support.upstream import Upstream
from netcount.analysis.count import Count
from netcount.core.errors import Place
from netcount.core.units import FLOAT_BYTES, plural
from netcount.graph.graph import Blob, Node
from netcount.layers.data.input import Input

Level: TypeAlias = Literal["note", "warning"]
"""A warning is a mistake or a waste; a note is advice that can be meant otherwise."""


class LintCode(NamedTuple):
    """A thing that is looked for.  about: what it is, in one sentence."""

    level: Level
    about: str


CODES: Mapping[str, LintCode] = MappingProxyType(
    {
        "dead-layer": LintCode(
            "warning", "A layer whose output nothing reads, though the net's answer is another."
        ),
        "dead-blob": LintCode("note", "One of several tops, or an input, that no layer reads."),
        "bias-before-batchnorm": LintCode("note", "A bias that the BatchNorm behind it takes off again."),
        "dropout-in-test": LintCode("note", "A Dropout in a net for use, where it hands on what it reads."),
        "unused-filler": LintCode("note", "A bias_filler without a bias."),
        "stride-skips": LintCode("note", "Windows smaller than their stride, which leave most of a blob unread."),
        "missing-nonlinearity": LintCode(
            "warning", "Two learned layers with nothing but linear layers between, and dearer than one layer."
        ),
        "doubled-nonlinearity": LintCode("warning", "A nonlinearity on values that it does not change, or twice."),
        "does-nothing": LintCode("note", "A layer that hands on what it reads, whatever the values."),
        "in-place-wrong": LintCode("warning", "A layer in place for which Caffe computes something else."),
        "channel-multiple": LintCode("note", "Channels that the target's array fills up to its next multiple."),
    }
)
"""By code, in the order in which they are documented."""


class LintFinding(NamedTuple):
    """One thing that was seen.

    Attributes:
        code: One of the codes.
        level: "warning" or "note".
        layer: Its name.
        type: Its type.
        place: Where it stands.
        message: What there is.
        write: What to write instead.
        params: Learned values that would be saved.
        madds: Multiply-adds that would be saved.
        bytes: Bytes of float32 blobs that would be saved.
        offset: Where the layer's message begins in its text, which tells layers of one name apart.
    """

    code: str
    level: Level
    layer: str
    type: str
    place: Place
    message: str
    write: str
    params: int = 0
    madds: int = 0
    bytes: int = 0
    offset: int = 0


Rule: TypeAlias = Callable[[Count, int], Iterator[LintFinding]]

BATCH_NORMS = frozenset({"BatchNorm", "BN"})
ANSWERS = frozenset({"Softmax", "Sigmoid", "ArgMax", "DetectionOutput", "Python", "Silence", "Parameter"})
"""Types whose tops are read outside of the net."""
LINEAR = frozenset({*BATCH_NORMS, "Scale", "Bias", "Dropout"})
UNLEARNED = frozenset({"ReLU", "PReLU", "ELU", "Pooling", "LRN", "Dropout", *BATCH_NORMS, "Scale", "Bias"})
"""What stands between learned layers, and is no answer where other outputs are."""
KEEPS_SIGN = frozenset({"Concat", "Slice", "Split", "Dropout", "LRN", "Flatten", "Reshape", "Permute", "Crop"})
NOT_NEGATIVE = frozenset({"Sigmoid", "Softmax", "AbsVal", "BNLL", "Exp"})
SAME_WHERE_POSITIVE = frozenset({"ReLU", "PReLU", "ELU", "AbsVal"})
TWICE = {
    "Sigmoid": ("Sigmoid", "SigmoidCrossEntropyLoss"),
    "Softmax": ("Softmax", "SoftmaxWithLoss"),
    "TanH": ("TanH",),
}
"""What takes another nonlinearity's result for raw values."""
BY_TOP = frozenset({"Sigmoid", "TanH", "ELU", "Softmax", "Exp", "LRN"})
"""Types whose backward pass reads their own top."""
FROM_OTHERS = frozenset({"Concat", "Slice", "Crop", "Permute", "Tile", "Reduction", "Interp", "Upsample"})
"""Types without a window whose values come from other positions."""


def smells(counted: Count, multiple: int = 0) -> list[LintFinding]:
    """All that is seen, in the order of the file.  multiple: of the channels, for a target; 0: none."""
    findings = [finding for rule in RULES for finding in rule(counted, multiple)]
    return sorted(findings, key=lambda finding: (finding.place.line, finding.place.column, finding.code))


def _finding(
    code: str,
    node: Node,
    message: str,
    write: str,
    field: str = "",
    *,
    level: Level | None = None,
    params: int = 0,
    madds: int = 0,
    bytes: int = 0,
) -> LintFinding:
    own = node.message
    place, at = own.place(), own.tree.offset
    parts = field.split(".") if field else []
    for part in parts:
        if not own.has(part):
            break
        place = own.place(part)
        own = own.child(part) if part != parts[-1] else own
    chosen = CODES[code].level if level is None else level
    return LintFinding(code, chosen, node.name, node.type, place, message, write, params, madds, bytes, at)


def _bytes(blobs: Sequence[Blob]) -> int:
    return FLOAT_BYTES * sum(blob.shape.count() for blob in blobs if blob.overwrites is None)


def _measures(node: Node) -> bool:
    """Whether it is a loss or an accuracy."""
    return ".layers.loss." in f".{type(node.layer).__module__}."


def _trains(counted: Count) -> bool:
    """Whether the file is one that a net is trained or tested with: it has a loss, or reads a database."""
    nodes = counted.net.nodes
    return any(_measures(node) or (not node.bottoms and not isinstance(node.layer, Input)) for node in nodes)


def _dead_outputs(counted: Count) -> list[Node]:
    """The layers none of whose tops is read, where that cannot be meant."""
    net = counted.net
    outputs = net.output_set
    ends = [
        node for node in net.nodes if node.bottoms and node.tops and all(top.index in outputs for top in node.tops)
    ]
    open_ends = [node for node in ends if not _measures(node) and node.type not in ANSWERS]
    if any(_measures(node) for node in net.nodes):
        return [node for node in open_ends if not node.message.numbers("loss_weight")]
    suspects = [node for node in open_ends if node.type in UNLEARNED]
    return suspects if len(suspects) < len(ends) else []


def _dead_layer(counted: Count, multiple: int) -> Iterator[LintFinding]:
    net, dead = counted.net, _dead_outputs(counted)
    measured = any(map(_measures, net.nodes))
    ends = [node.index for node in dead]
    silenced = {node.index for node in net.nodes if node.type == "Silence"}
    outputs = net.output_set
    wanted = {node.index for node in net.nodes if not node.tops or not outputs.isdisjoint(_top_indices(node))}
    needed = _above(counted, wanted - set(ends) - silenced)
    producers = [[blob.producer for blob in node.bottoms] for node in net.nodes]
    upstream = Upstream(producers, partial(_own_costs, counted), needed)
    for node in dead:
        layers, params, madds, activation_bytes = upstream.sums(node.index)
        if not measured and params:
            continue  # what was learned for this output alone was learned for somebody
        names = ", ".join(f'"{top.name}"' for top in node.tops)
        more = f", for which alone {plural(layers - 1, 'more layer')} run" if layers > 1 else ""
        yield _finding(
            "dead-layer",
            node,
            f"no layer reads {names}{more}",
            "take it out, or put a Silence behind it if it has to be computed",
            params=params,
            madds=madds,
            bytes=activation_bytes,
        )


def _own_costs(counted: Count, index: int) -> tuple[int, int, int, int]:
    """Of one layer: 1, params, madds, bytes of its tops.  What only puts data in costs nothing."""
    node, row = counted.net.nodes[index], counted.layers[index]
    return (1, row.params, row.madds, _bytes(node.tops)) if node.bottoms else (0, 0, 0, 0)


def _top_indices(node: Node) -> list[int]:
    return [top.index for top in node.tops]


def _above(counted: Count, ends: set[int]) -> set[int]:
    """These nodes and all that they depend on."""
    nodes, seen, left = counted.net.nodes, set(ends), list(ends)
    while left:
        for blob in nodes[left.pop()].bottoms:
            if blob.producer not in seen:
                seen.add(blob.producer)
                left.append(blob.producer)
    return seen


def _dead_blob(counted: Count, multiple: int) -> Iterator[LintFinding]:
    outputs = counted.net.output_set
    for node in counted.net.nodes:
        unread = [top for top in node.tops if top.index in outputs]
        an_input = isinstance(node.layer, Input)
        if not unread or not (an_input or node.type in ("Slice", "Split", "Pooling")):
            continue
        if not an_input and len(unread) == len(node.tops):
            continue  # a dead layer, or an answer
        if an_input and len(counted.net.nodes) == 1:
            continue
        names = ", ".join(f'"{top.name}"' for top in unread)
        write = "take the input out" if an_input else "leave this top out, or put a Silence behind it"
        yield _finding("dead-blob", node, f"no layer reads {names}", write, "top", bytes=_bytes(unread))


def _bias_before_batchnorm(counted: Count, multiple: int) -> Iterator[LintFinding]:
    for node in counted.net.nodes:
        bias = [
            blob for blob, owner in zip(node.params, node.owners, strict=True) if blob.role == "bias" and not owner
        ]
        if not bias or not sets_channels(node) or len(node.tops) != 1:
            continue
        reader = only_reader(counted.net, node.tops[0])
        if reader is None or reader.type not in BATCH_NORMS:
            continue
        yield _finding(
            "bias-before-batchnorm",
            node,
            f'{reader.type} "{reader.name}" (line {reader.place.line}) takes its mean off, and the bias with it',
            "bias_term: false; take trained biases off the mean",
            params=sum(blob.shape.count() for blob in bias),
        )


def _dropout_in_test(counted: Count, multiple: int) -> Iterator[LintFinding]:
    if counted.net.phase != "TEST" or _trains(counted):
        return
    for node in counted.net.nodes:
        if node.type == "Dropout":
            copied = _bytes(node.tops)
            does = "copies its bottom" if copied else "does nothing"
            yield _finding(
                "dropout-in-test",
                node,
                f"in TEST it {does}",
                "leave it out of a net for use, or include { phase: TRAIN } in one for both, in place",
                bytes=copied,
            )


def _unused_filler(counted: Count, multiple: int) -> Iterator[LintFinding]:
    for node in counted.net.nodes:
        for param in ("convolution_param", "inner_product_param", "scale_param"):
            own = node.message.child(param)
            if own.has("bias_filler") and not own.flag("bias_term"):
                yield _finding(
                    "unused-filler",
                    node,
                    "bias_filler fills nothing, as bias_term is false",
                    "take the bias_filler out, or bias_term: true",
                    f"{param}.bias_filler",
                )


def _stride_skips(counted: Count, multiple: int) -> Iterator[LintFinding]:
    net = counted.net
    outputs = net.output_set
    for blob in net.blobs:
        readers = [net.nodes[index] for index in net.readers[blob.index]]
        if not readers or blob.index in outputs:
            continue
        read = max(map(_read, readers))
        if read >= 0.5:
            continue
        first = readers[0]
        window = first.layer.window(first.bottom_shapes)
        assert window is not None  # who has none reads everything
        names = " and ".join(f'"{reader.name}"' for reader in readers[1:])
        also = f", as {names} {'does' if len(readers) == 2 else 'do'}" if names else ""
        yield _finding(
            "stride-skips",
            first,
            f"kernel {_by(window.kernel)} at stride {_by(window.stride)} reads {read:.0%} of "
            f'"{blob.name}"{also}; nothing reads the rest',
            "make the layers before it with that stride, or the kernel at least as large as the stride",
            madds=int(_madds_for(counted, blob) * (1 - read)),
        )


def _read(node: Node) -> float:
    """Which part of its bottom a layer's windows touch, by kernel, dilation and stride."""
    window = node.layer.window(node.bottom_shapes)
    if window is None or node.type not in (
        "Convolution",
        "Pooling",
        "ConvolutionDepthwise",
        "DepthwiseConvolution",
    ):
        return 1.0
    parts = []
    axes = zip(
        node.top_shapes[0][-len(window.kernel) :], window.kernel, window.stride, window.dilation, strict=True
    )
    for extent, kernel, stride, dilation in axes:
        touched = min(kernel, stride // gcd(stride, dilation))
        parts.append(touched / stride if extent > 1 else 1.0)
    return prod(parts)


def _madds_for(counted: Count, blob: Blob) -> int:
    """Madds of the layers that make a blob for nobody else, back to the first that mixes positions."""
    madds, left = 0, [blob]
    while left:
        node = counted.net.nodes[left.pop().producer]
        if len(node.tops) != 1 or not node.bottoms:
            continue
        if is_pointwise(node) or node.type == "Eltwise":
            bottoms = {bottom.index: bottom for bottom in node.bottoms}.values()
            left += [bottom for bottom in bottoms if only_reader(counted.net, bottom) is not None]
        else:
            madds += counted.layers[node.index].madds
    return madds


def _by(extents: Sequence[int]) -> str:
    return "×".join(map(str, extents))


def _missing_nonlinearity(counted: Count, multiple: int) -> Iterator[LintFinding]:
    net = counted.net
    for node in net.nodes:
        if not _plain_product(node):
            continue
        at = following = node
        while (reader := only_reader(net, at.tops[0])) is not None and len(at.tops) == 1:
            following = reader
            if reader.type not in LINEAR or len(reader.bottoms) != 1:
                break
            at = reader
        if following is at or not _plain_product(following):
            continue
        both = counted.layers[node.index].madds + counted.layers[following.index].madds
        one = _merged_madds(node, following)
        if one is None or one > both:
            continue
        yield _finding(
            "missing-nonlinearity",
            following,
            f'nothing but linear layers stands between it and "{node.name}" (line {node.place.line}): one layer '
            f"computes the same with {one:,} madds, not {both:,}",
            f'a ReLU behind "{node.name}", or one layer for both',
            madds=both - one,
        )


def _plain_product(node: Node) -> bool:
    if node.type not in ("Convolution", "InnerProduct") or len(node.bottoms) != 1 or len(node.tops) != 1:
        return False
    window = node.layer.window(node.bottom_shapes)
    return window is None or window.group == 1


def _merged_madds(first: Node, second: Node) -> int | None:
    """The madds of the one layer that computes what the two do; None where that is not one layer of these."""
    (x,), (middle,), (y,) = first.bottom_shapes, first.top_shapes, second.top_shapes
    if second.type == "InnerProduct":
        if 0 in (len(x), len(y)) or x[0] != middle[0] or middle[0] != y[0]:
            return None
        return x.count() * y.count(1)
    one, two = first.layer.window(first.bottom_shapes), second.layer.window(second.bottom_shapes)
    if one is None or two is None or len(one.kernel) != len(two.kernel):
        return None
    axis = len(x) - len(one.kernel) - 1
    axes = zip(one.kernel, one.dilation, one.stride, two.kernel, two.dilation, strict=True)
    kernel = [
        1 + dilation * (near - 1) + far_dilation * (far - 1) * stride
        for near, dilation, stride, far, far_dilation in axes
    ]
    return x[axis] * y.count(axis) * prod(kernel) * y.count(0, axis)


def _doubled_nonlinearity(counted: Count, multiple: int) -> Iterator[LintFinding]:
    net = counted.net
    positive: set[int] = set()
    for node in net.nodes:
        bottoms = node.value_bottoms
        makers = [net.nodes[blob.producer] for blob in bottoms[:1]]
        before = makers[0] if makers else None
        if bottoms and node.type in SAME_WHERE_POSITIVE and bottoms[0].index in positive:
            why = f'"{bottoms[0].name}" has no negative values'
            if before is not None and before.type == node.type:
                why += f': "{before.name}" (line {before.place.line}) is one already'
            row = counted.layers[node.index]
            write = "take it out"
            yield _finding("doubled-nonlinearity", node, why, write, params=row.params, bytes=_bytes(node.tops))
        elif before is not None and node.type in TWICE.get(before.type, ()):
            write = f'take "{before.name}" out'
            if node.type == "SoftmaxWithLoss":
                write += ", as the loss takes raw scores and has a Softmax of its own"
            elif node.type == "SigmoidCrossEntropyLoss":
                write += ", as the loss takes raw scores and has a Sigmoid of its own"
            why = f'it reads what "{before.name}" (line {before.place.line}), a {before.type}, makes'
            yield _finding("doubled-nonlinearity", node, why, write, bytes=_bytes(before.tops))
        if _not_negative(node, [blob.index in positive for blob in bottoms]):
            positive.update(_top_indices(node))


def _not_negative(node: Node, bottoms: Sequence[bool]) -> bool:
    """Whether no value of its tops is below zero.  bottoms: whether none of each bottom is."""
    if node.type in NOT_NEGATIVE:
        return True
    if node.type == "ReLU":
        return not node.message.child("relu_param").number("negative_slope") or bottoms == [True]
    if not bottoms or not all(bottoms):
        return False
    if node.type == "Eltwise":
        return all(part >= 0 for part in node.message.child("eltwise_param").numbers("coeff"))
    return node.type in (KEEPS_SIGN | {"Pooling"})


def _does_nothing(counted: Count, multiple: int) -> Iterator[LintFinding]:
    for node in counted.net.nodes:
        why = ""
        if node.type == "Pooling" and len(node.tops) == 1:
            window = node.layer.window(node.bottom_shapes)
            if window and {*window.kernel, *window.stride} == {1} and not any(window.pad):
                own = node.message.child("pooling_param")
                why = "" if own.flag("global_pooling") else "a 1×1 pooling at stride 1 hands on what it reads"
        elif node.type == "Power":
            own = node.message.child("power_param")
            if (own.number("power"), own.number("scale"), own.number("shift")) == (1, 1, 0):
                why = "power 1, scale 1 and shift 0 hand on what it reads"
        elif node.type == "Concat" and len(node.bottoms) == 1:
            why = "one bottom is joined with nothing"
        if why:
            read, made = node.bottoms[0].name, node.tops[0].name
            instead = f'let its readers read "{read}"' if read != made else "take it out"
            yield _finding(
                "does-nothing", node, why, instead, bytes=_bytes(node.tops) if node.type != "Concat" else 0
            )


def _in_place_wrong(counted: Count, multiple: int) -> Iterator[LintFinding]:
    net = counted.net
    for node in net.nodes:
        if not node.tops or node.tops[0].overwrites is None:
            continue
        bottom = node.bottoms[0]
        apart = "give the top a name of its own"
        if why := _wrong_forward(node):
            yield _finding("in-place-wrong", node, f'works in place on "{bottom.name}": {why}', apart, "top")
            continue
        maker = net.nodes[bottom.producer]
        changes = node.type not in ("Split", "Reshape", "Flatten")
        if net.phase == "TRAIN" and changes and maker.type in BY_TOP:
            across = maker.message.child("lrn_param").text("norm_region") if maker.type == "LRN" else ""
            if across != "WITHIN_CHANNEL":
                whose = f'{maker.type} "{maker.name}" (line {maker.place.line})'
                why = f"the gradient of {whose} is computed from its top, which this layer overwrites"
                yield _finding("in-place-wrong", node, why, apart, "top")


def _wrong_forward(node: Node) -> str:
    """Why Caffe computes something else in place; empty where it does not."""
    if node.type == "Eltwise":
        own = node.message.child("eltwise_param").text("operation")
        return "" if own == "PROD" else f"Caffe clears the top before it {'adds' if own == 'SUM' else 'compares'}"
    if node.type == "LRN":
        within = node.message.child("lrn_param").text("norm_region") == "WITHIN_CHANNEL"
        return (
            ""
            if within
            else "Caffe writes the powers of the sums over the values that they are to be multiplied with"
        )
    mixes = node.layer.window(node.bottom_shapes) is not None or bool(
        node.layer.products(node.bottom_shapes, node.top_shapes)
    )
    if mixes or node.type in FROM_OTHERS:
        return "values are overwritten before they are read for others"
    return ""


def _channel_multiple(counted: Count, multiple: int) -> Iterator[LintFinding]:
    if multiple < 2:
        return
    answering = classifiers(counted.net)
    for node in counted.net.nodes:
        param = {"Convolution": "convolution_param", "InnerProduct": "inner_product_param"}.get(node.type, "")
        if not param or node.index in answering or not sets_channels(node):
            continue
        channels = node.message.child(param).integer("num_output")
        over = -channels % multiple
        if over:
            madds = counted.layers[node.index].madds
            yield _finding(
                "channel-multiple",
                node,
                f"num_output {channels} is no multiple of {multiple}: the target computes {channels + over}",
                f"num_output: {channels + over}, which costs the same there"
                + (f", or {channels - multiple + over}" if channels > multiple else ""),
                f"{param}.num_output",
                madds=madds * over // channels,
            )


RULES: tuple[Rule, ...] = (
    _dead_layer,
    _dead_blob,
    _bias_before_batchnorm,
    _dropout_in_test,
    _unused_filler,
    _stride_skips,
    _missing_nonlinearity,
    _doubled_nonlinearity,
    _does_nothing,
    _in_place_wrong,
    _channel_multiple,
)
