"""Blocks of layers: found in the graph, by their names or by a pattern."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from os.path import commonprefix
from typing import NamedTuple

from netcount.analysis._support.kernels import KernelShare, shares_within
from netcount.analysis._support.names import block_of
from netcount.analysis._support.patterns import searched
from netcount.analysis._support.plain import Plain, plain_equivalent
from netcount.analysis._support.regions import Region, regions
from netcount.analysis._support.topology import is_pointwise, only_reader
from netcount.analysis.count import Count, totals_of
from netcount.analysis.rows import LayerRow, Totals
from netcount.graph.graph import Blob, Graph, Node


class Block(NamedTuple):
    """Some layers that belong together.

    rows: its layers, in the order of the file.  inputs: blobs it reads and does not make; outputs:
    blobs it makes that are read outside, or by nobody.  totals: the sums of its rows.  kernels: its
    madds and params by kernel size, as shares of the block's.  plain: the one convolution that
    would do the block's work, or why there is none.
    """

    name: str
    rows: tuple[LayerRow, ...]
    nodes: tuple[Node, ...]
    inputs: tuple[Blob, ...]
    outputs: tuple[Blob, ...]
    totals: Totals
    kernels: tuple[KernelShare, ...]
    plain: Plain | str


def blocks(count: Count, pattern: str | None = None) -> list[Block]:
    """The blocks of a net, in the order of their first layers.

    Without a pattern, names tell (`fire2/…`, `conv2_1/dw`, `res2a_branch2b`), and the graph: what lies
    between a fork and the sum or concatenation that closes it is a block, whatever its layers are
    called.  pattern: a regular expression that is searched for in layer names; its first group, or what
    it matches, names the block.  A block has two layers or more, at least one of them with params or
    madds.

    Layers that are left out join where the graph places them: between layers of one block, behind it
    and value by value (BatchNorm, Scale, ReLU), or joining its output with its own input (a shortcut).
    InputError for a pattern that is not a regular expression.
    """
    net = count.net
    return [
        _block(name, net, [count.layers[index] for index in indices], indices)
        for name, indices in members_of_blocks(count, pattern).items()
    ]


def members_of_blocks(count: Count, pattern: str | None = None) -> dict[str, list[int]]:
    """The layers of each of `blocks`, as indices, without what is worked out of a block."""
    net = count.net
    named = _by_pattern(net, pattern) if pattern else _with_regions(net, _by_name(net))
    members: dict[str, list[int]] = {}
    for index, name in sorted(_completed(net, named).items()):
        members.setdefault(name, []).append(index)
    rows = count.layers
    return {
        name: indices
        for name, indices in members.items()
        if len(indices) > 1 and any(rows[index].params or rows[index].madds for index in indices)
    }


def outside(count: Count, blocks_of_net: Iterable[Block]) -> list[LayerRow]:
    """The layers of no block."""
    taken = {node.index for block in blocks_of_net for node in block.nodes}
    return [row for index, row in enumerate(count.layers) if index not in taken]


def _by_pattern(net: Graph, pattern: str) -> dict[int, str]:
    names = {}
    matches = searched(pattern, [node.name for node in net.nodes])
    for index, match in enumerate(matches):
        whole, *groups = match or [None]
        name = next((part for part in groups if part), whole)
        if name:
            names[index] = name
    return names


def _by_name(net: Graph) -> dict[int, str]:
    """Blocks that hold a learned matrix or a window, and layers called exactly like one.

    A BatchNorm or Scale that names a block of its own belongs to what it stands behind.
    """
    names = [node.name for node in net.nodes if node.params]
    prefix = _common_folder(names)
    if not any(block_of(name.removeprefix(prefix)) for name in names):
        prefix = ""  # the net is one block
    told = {node.index: block_of(node.name.removeprefix(prefix)) for node in net.nodes}
    learning = [node for node in net.nodes if node.params and not is_pointwise(node)]
    normalized = {told[node.index] for node in net.nodes if node.params and is_pointwise(node)}
    learned = {told[node.index] for node in learning}
    learned |= normalized & {node.name.removeprefix(prefix) for node in learning}
    label_of = {}
    for node in net.nodes:
        name = told[node.index] or node.name.removeprefix(prefix)
        if name in learned and name is not None:
            label_of[node.index] = name
    return label_of


def _with_regions(net: Graph, named: dict[int, str]) -> dict[int, str]:
    """The blocks by name, and those that only the graph shows.

    A region whose learned layers bear one name is part of that block.  One whose layers bear several
    names, none of which is used outside it, is a block of its own, and so is one without any; where a
    name reaches out of it, names decide.
    """
    blocks = dict(named)
    users: dict[str, set[int]] = {}
    for index, name in named.items():
        users.setdefault(name, set()).add(index)
    for region in regions(net):
        inside = set(region.nodes)
        names = {named[index] for index in region.nodes if index in named and net.nodes[index].params}
        if len(names) == 1:
            (name,) = names
            blocks.update((index, name) for index in region.nodes if index not in named)
        elif all(users[name] <= inside for name in names):
            blocks.update(dict.fromkeys(region.nodes, _name_of(net, region, names, users)))
    return blocks


def _name_of(net: Graph, region: Region, names: Collection[str], taken: Collection[str]) -> str:
    """What the members' names have in common up to a sign or a number, else the name of the join."""
    learned = [net.nodes[index].name for index in region.nodes if net.nodes[index].params]
    shared = commonprefix([*learned, *names]).rstrip("_-/.")  # noqa: RUF071  names, not paths
    cut = any(name[len(shared) : len(shared) + 1].isdigit() for name in learned)  # conv1 of conv12
    if shared[-1:].isdigit() and shared not in taken and not cut:
        return shared
    return net.nodes[region.nodes[-1]].name


def _common_folder(names: Sequence[str]) -> str:
    """What all names have before a slash in common: it tells no blocks apart."""
    folders = {name.rpartition("/")[0] for name in names}
    shared = min(folders, default="").split("/")
    while shared and not all(f"{name}/".startswith("/".join(shared) + "/") for name in folders):
        shared.pop()
    return "/".join([*shared, ""]) if shared and shared[0] and len(names) > 1 else ""


def _completed(net: Graph, named: dict[int, str]) -> dict[int, str]:
    """`named` with the layers that the graph places in a block."""
    names = dict(named)
    reading = [{names[reader] for reader in readers if reader in names} for readers in net.readers]
    changed = True
    while changed:
        changed = False
        for node in net.nodes:
            if node.index in names or not node.bottoms or not node.tops:
                continue
            if node.params and not is_pointwise(node):
                continue
            name = _home(net, node, names, reading)
            if name is not None:
                names[node.index] = name
                for blob in node.bottoms:
                    reading[blob.index].add(name)
                changed = True
    return names


def _home(net: Graph, node: Node, labels: dict[int, str], reading: list[set[str]]) -> str | None:
    """The block that a layer without params is part of, going by what it reads and who reads it.

    reading: for each blob the blocks of the layers that read it.
    """
    makers = [labels.get(blob.producer) for blob in node.bottoms]
    names = {name for name in makers if name is not None}
    after = {labels.get(reader) for top in node.tops for reader in net.readers[top.index]}
    if len(names) == 1:
        (name,) = names
        others = [blob for blob, maker in zip(node.bottoms, makers, strict=True) if maker != name]
        between = not others and after == {name}
        in_place = not others and node.tops[0].overwrites is not None
        shortcut = bool(others) and all(name in reading[blob.index] for blob in others)
        behind = not others and is_pointwise(node) and only_reader(net, node.bottoms[0]) is node
        return name if between or in_place or shortcut or behind else None
    for name in sorted(names):  # two blocks side by side: it joins the later one with a shortcut around it
        rest = [blob for blob, maker in zip(node.bottoms, makers, strict=True) if maker != name]
        if all(name in reading[blob.index] for blob in rest):
            return name
    return None


def _block(name: str, net: Graph, rows: list[LayerRow], indices: list[int]) -> Block:
    nodes = [net.nodes[index] for index in indices]
    inside = set(indices)
    inputs: dict[int, Blob] = {}
    outputs: dict[int, Blob] = {}
    for node in nodes:
        for blob in node.bottoms:
            if blob.producer not in inside:
                inputs.setdefault(blob.index, blob)
        for blob in node.tops:
            readers = net.readers[blob.index]
            if not readers or any(reader not in inside for reader in readers):
                outputs.setdefault(blob.index, blob)
    ends = tuple(inputs.values()), tuple(outputs.values())
    return Block(
        name,
        tuple(rows),
        tuple(nodes),
        *ends,
        totals_of(rows),
        tuple(shares_within(name, rows)),
        plain_equivalent(nodes, *ends),
    )
