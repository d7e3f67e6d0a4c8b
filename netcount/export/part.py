"""Which layers of a net are exported, and their rules applied one after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from netcount.core.errors import Advice, InputError, NetcountError, raise_all
from netcount.export.ops import Inexpressible, Ops
from netcount.graph.graph import Graph, Node
from netcount.layers.bases import Source

G = TypeVar("G", bound=Ops)


def part_until(net: Graph, until: str | None) -> tuple[list[Node], list[int]]:
    """The layers that a blob needs, or all of them; and the blob versions that come out."""
    if until is None:
        return list(net.nodes), list(net.outputs)
    versions = [blob.index for blob in net.blobs if blob.name == until]
    if not versions:
        from netcount.core.suggest import nearest

        hint = nearest(until, {blob.name for blob in net.blobs})
        raise InputError(f'{net.file}: no blob is called "{until}"{hint}', argument="until")
    wanted = {versions[-1]}
    nodes = []
    for node in reversed(net.nodes):
        if not wanted.isdisjoint(blob.index for blob in node.tops):
            wanted |= {blob.index for blob in node.bottoms}
            nodes.append(node)
    return nodes[::-1], versions[-1:]


def is_source(node: Node) -> bool:
    """Whether the tops of a layer are inputs: data that somebody else gives."""
    from netcount.layers.data.dummy_data import DummyData
    from netcount.layers.data.parameter import Parameter

    layer = node.layer
    return isinstance(layer, Source) and not layer.computes and not isinstance(layer, (DummyData, Parameter))


def applied(
    graph: G,
    nodes: Sequence[Node],
    rule_of: Callable[[Node], Callable[[G, Node, list[str]], list[str]] | None],
    reason_of: Callable[[Node], str],
) -> dict[int, str]:
    """The rule of each layer applied.

    Args:
        graph: Where the ops go.
        nodes: The layers.
        rule_of: The rule of a layer.
        reason_of: Why a layer has none.

    Returns:
        The tensors of all blob versions.

    Raises:
        InputError: Some layers cannot be expressed; all of them are named.
    """
    tensors: dict[int, str] = {}
    problems: list[NetcountError] = []
    broken: set[int] = set()
    for node in nodes:
        graph.begin(node)
        try:
            rule = rule_of(node)
            if rule is None:
                raise Inexpressible(reason_of(node))
            if not broken.isdisjoint(blob.index for blob in node.bottoms):
                raise Inexpressible("")
            made = rule(graph, node, [tensors[blob.index] for blob in node.bottoms])
        except Inexpressible as why:
            broken |= {blob.index for blob in node.tops}
            if str(why):
                problems.append(
                    InputError(
                        f'{node.type} "{node.name}": {graph.form} cannot express it: {why}',
                        node.place,
                        advice=[Advice("until", "BLOB", lead="export the part before with")],
                    )
                )
            continue
        for blob, name in zip(node.tops, made, strict=True):
            tensors[blob.index] = graph.called(name, graph.names[blob.index], name in tensors.values())
    raise_all(problems)
    return tensors


def named_outputs(graph: Ops, tensors: Mapping[int, str], ends: Sequence[int]) -> list[tuple[int, str]]:
    """The blob versions that come out, each with the name of its tensor.

    Raises:
        InputError: There are none.
    """
    if not ends:
        raise InputError(f"{graph.net.file}: nothing comes out of the net")
    outputs = []
    for index in ends:
        name = tensors[index]
        if name != graph.spelled(graph.net.blobs[index].name) or index in graph.net.inputs:
            # an input that is an output too, or a blob whose name is the input's: it needs an op of its own
            other = graph.fresh(f"{graph.net.blobs[index].name}@output")
            graph.ops.append((graph.identity, [name], [other], {}))
            name = other
        outputs.append((index, name))
    return outputs
