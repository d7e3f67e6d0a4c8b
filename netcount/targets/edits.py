"""Small edits of a net that a target takes in place of a layer it does not, each tried on the target."""

from __future__ import annotations

from collections.abc import Iterator

from netcount.analysis.count import count
from netcount.core.errors import NetcountError
from netcount.graph.graph import Node
from netcount.graph.load import load_text
from netcount.graph.options import LoadOptions
from netcount.layers.convolution.convolution import Convolution
from netcount.layers.layer import Window
from netcount.targets.fit import STOPS, Edit, Fit, Target, fit

MOST_PARTS = 4
"""Groups that are written as convolutions of their own; of more, one convolution without groups."""


def edits(answer: Fit) -> list[Edit]:
    """The smallest known edit for each layer that stops the net or is left to the CPU, where that helps."""
    stopping, on_cpu = {*answer.layers(*STOPS)}, {*answer.layers("cpu")}
    nodes = [node for node in answer.counted.net.nodes if node.name in stopping | on_cpu]
    return [edit for node in nodes if (edit := _edit(node, answer, node.name in stopping)) is not None]


def _edit(node: Node, answer: Fit, stops: bool) -> Edit | None:
    row = answer.counted.layers[node.index]
    if node.type == "Dropout" and answer.counted.net.phase == "TEST":
        return Edit(node.name, row.line, "take it out: in phase TEST it changes nothing", 0, 0, True)
    for what, text, same in _proposals(node):
        cost = _tried(text, answer.target, answer.counted.net.batch, stops)
        if cost is not None:
            params, madds = cost
            return Edit(node.name, row.line, what, params - row.params, madds - row.madds, same)
    return None


def _tried(text: str, target: Target, batch: int | None, cpu: bool) -> tuple[int, int] | None:
    """Params and madds of a small net, where the target takes it (without its CPU, unless `cpu`)."""
    try:
        counted = count(load_text(text, LoadOptions.of(batch=batch or "net")))
        answer = fit(counted, target)
    except NetcountError:
        return None
    helps = answer.fits and (cpu or not answer.layers("cpu"))
    return (counted.totals.params, counted.totals.madds) if helps else None


def _proposals(node: Node) -> Iterator[tuple[str, str, bool]]:
    """What could stand in its place, the smallest change first: in words, as a net, and whether it is the same."""
    window = node.layer.window(node.bottom_shapes) if len(node.bottoms) == 1 else None
    if window is None or len(window.kernel) != 2 or len(node.top_shapes[0]) != 4:
        return
    if isinstance(node.layer, Convolution) and node.type == "Convolution":
        yield from _convolutions(node, node.layer, window)
    if node.type == "Pooling":
        yield from _poolings(node, window)


def _convolutions(node: Node, layer: Convolution, window: Window) -> Iterator[tuple[str, str, bool]]:
    made, bias = layer.num_output, layer.bias
    if not bias:
        yield "give it a bias of zeros", _net(node, [_convolution(node, window, made, True)]), True
    if window.group > 1:
        if window.group <= MOST_PARTS:
            what = f"unroll the {window.group} groups: Slice, {window.group} convolutions, Concat"
            yield what, _unrolled(node, window, made, bias), True
        whole = _convolution(node, window._replace(group=1), made, bias)
        yield "write it without groups, with zeros between them", _net(node, [whole]), True
    high, wide = window.kernel
    if high == wide and high % 2 and high > 3 and window.group == 1 and set(window.dilation) == {1}:
        number = (high - 1) // 2
        yield (
            f"write the {high}×{high} as {number} 3×3",
            _net(node, _small(node, window, made, bias, number)),
            False,
        )


def _small(node: Node, window: Window, made: int, bias: bool, number: int) -> list[str]:
    """As many 3×3 as see what the kernel sees; the stride stands in the last."""
    pads = [[min(1, max(0, pad - index)) for index in range(number)] for pad in window.pad]
    pads = [[*one[:-1], pad - sum(one[:-1])] for one, pad in zip(pads, window.pad, strict=True)]
    return [
        _convolution(
            node,
            Window((3, 3), window.stride if index == number - 1 else (1, 1), (high, wide), (1, 1)),
            made,
            bias,
        )
        for index, (high, wide) in enumerate(zip(*pads, strict=True))
    ]


def _convolution(node: Node, window: Window, made: int, bias: bool) -> str:
    fields = [
        f"num_output: {made}",
        f"group: {window.group}" if window.group > 1 else "",
        "" if bias else "bias_term: false",
        *(f"dilation: {extent}" for extent in window.dilation if set(window.dilation) != {1}),
        *(_pair(name, getattr(window, name)) for name in ("kernel", "stride", "pad")),
    ]
    return f'"{node.type}" convolution_param {{ {" ".join(field for field in fields if field)} }}'


def _pair(name: str, extents: tuple[int, ...]) -> str:
    high, wide = extents
    if high == wide:
        return f"{'kernel_size' if name == 'kernel' else name}: {high}"
    return f"{name}_h: {high} {name}_w: {wide}"


def _poolings(node: Node, window: Window) -> Iterator[tuple[str, str, bool]]:
    """An average over a plane in two steps, where its extent has two factors."""
    high, wide = window.kernel
    average = node.message.child("pooling_param").text("pool") == "AVE"
    if not average or high != wide or any(window.pad) or tuple(node.bottom_shapes[0][2:]) != window.kernel:
        return
    for first in range(high - 1, 1, -1):
        if high % first == 0:
            steps = [_average(first), _average(high // first)]
            what = f"average in two steps, {first}×{first} and {high // first}×{high // first}"
            yield what, _net(node, steps), True


def _average(extent: int) -> str:
    return f'"Pooling" pooling_param {{ pool: AVE kernel_size: {extent} stride: {extent} }}'


def _net(node: Node, layers: list[str]) -> str:
    """A net of the layer's bottom and a chain of layers."""
    lines = [_input(node)]
    for index, layer in enumerate(layers):
        lines.append(f'layer {{ name: "l{index}" bottom: "t{index}" top: "t{index + 1}" type: {layer} }}')
    return "\n".join(lines)


def _input(node: Node) -> str:
    dims = " ".join(f"dim: {extent}" for extent in node.bottom_shapes[0])
    return f'layer {{ name: "x" type: "Input" top: "t0" input_param {{ shape {{ {dims} }} }} }}'


def _unrolled(node: Node, window: Window, made: int, bias: bool) -> str:
    groups = range(window.group)
    one = _convolution(node, window._replace(group=1), made // window.group, bias)
    parts = "".join(f' top: "s{index}"' for index in groups)
    whole = "".join(f' bottom: "c{index}"' for index in groups)
    points = " ".join(
        f"slice_point: {node.bottom_shapes[0][1] // window.group * index}" for index in groups if index
    )
    return "\n".join(
        [
            _input(node),
            f'layer {{ name: "s" type: "Slice" bottom: "t0"{parts} slice_param {{ {points} }} }}',
            *(f'layer {{ name: "c{i}" bottom: "s{i}" top: "c{i}" type: {one} }}' for i in groups),
            f'layer {{ name: "c" type: "Concat"{whole} top: "c" }}',
        ]
    )
