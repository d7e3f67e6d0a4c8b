"""Why a layer, or a block of layers, costs what it costs."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import NamedTuple

from netcount.analysis._support.alternatives import Alternative, alternatives
from netcount.analysis._support.priors import Priors, priors_of
from netcount.analysis._support.receptive import Field, fields
from netcount.analysis._support.topology import classifiers
from netcount.analysis.blocks import Block, blocks
from netcount.analysis.count import Count
from netcount.analysis.rows import LayerRow
from netcount.core.errors import Advice, InputError, Warned
from netcount.core.suggest import nearest
from netcount.graph.graph import Node
from netcount.layers.layer import Factors, Product


class Term(NamedTuple):
    """A parameter blob as a product of factors; `role` and `shared_with` as in the blob."""

    role: str
    factors: Factors
    elements: int
    shared_with: str | None


class LayerReasons(NamedTuple):
    """One layer: its row, its parameter blobs and products factor by factor, what else could be there."""

    row: LayerRow
    node: Node
    terms: tuple[Term, ...]
    products: tuple[Product, ...]
    alternatives: tuple[Alternative, ...]
    fields: tuple[Field, ...] = ()
    """Receptive fields of its first top, one for each input that it depends on."""
    priors: tuple[Priors, ...] = ()
    """Of a PriorBox what the heads of each detector that reads it need."""


class Explanation(NamedTuple):
    """What was asked about: one layer, or a block and the reasons of each of its layers."""

    counted: Count
    name: str
    block: Block | None
    layers: tuple[LayerReasons, ...]
    also: Warned | None
    """What else has this name, and how to ask for it."""


def explain(count: Count, name: str, *, pattern: str | None = None, kind: str | None = None) -> Explanation:
    """The reasons for the layer or block called `name`.

    kind: "layer" or "block" where a name is both; a block goes first.  pattern: as for `blocks`.
    InputError where nothing has that name, with the nearest that does.
    """
    by_name = {block.name: block for block in blocks(count, pattern)} if kind != "layer" else {}
    indices = [i for i, row in enumerate(count.layers) if row.name == name] if kind != "block" else []
    if name in by_name:
        block = by_name[name]
        layer = Advice("kind", "layer", lead="ask for it with")
        also = Warned("a layer has this name too", advice=(layer,)) if indices else None
        answering, seen = classifiers(count.net), fields(count.net)
        reasons = tuple(_reasons(count, node.index, answering, seen) for node in block.nodes)
        return Explanation(count, name, block, reasons, also)
    if not indices:
        known = [row.name for row in count.layers] + list(by_name)
        wanted = kind or "layer or block"
        file = count.net.file
        raise InputError(f'{file}: there is no {wanted} "{name}"{nearest(name, known)}')
    also = Warned(f"{len(indices)} layers have this name; this is the first") if len(indices) > 1 else None
    reasons = (_reasons(count, indices[0], classifiers(count.net), fields(count.net)),)
    return Explanation(count, name, None, reasons, also)


def every_reason(count: Count) -> Iterator[LayerReasons]:
    """The reasons of each layer, in the order of the file."""
    answering, seen = classifiers(count.net), fields(count.net)
    return (_reasons(count, index, answering, seen) for index in range(len(count.layers)))


def _reasons(
    count: Count, index: int, answering: Container[int], seen: Sequence[tuple[Field, ...]]
) -> LayerReasons:
    node, row = count.net.nodes[index], count.layers[index]
    products = node.layer.products(node.bottom_shapes, node.top_shapes)
    matrices = iter(products)
    terms = []
    for blob in row.blobs:
        product = next(matrices, None) if blob.role == "weight" and products else None
        factors = tuple((f"axis {axis}", extent) for axis, extent in enumerate(blob.shape))
        if product is not None and product.elements == blob.shape.count():
            factors = product.weights
        elif blob.role == "bias" and products and products[0].weights[-1][1] == blob.shape.count():
            factors = products[0].weights[-1:]
        terms.append(Term(blob.role, factors, blob.shape.count(), blob.shared_with))
    others = alternatives(count.net, node, answering)
    own = seen[node.tops[0].index] if node.tops else ()
    return LayerReasons(row, node, tuple(terms), tuple(products), tuple(others), own, priors_of(count.net, node))
