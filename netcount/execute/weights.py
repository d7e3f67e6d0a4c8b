"""Weights of a `.caffemodel` for a net, and weights of a net as a `.caffemodel`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from netcount.caffemodel import read as caffemodel
from netcount.caffemodel import write as caffemodel_writer
from netcount.core.errors import InputError, NetcountError, raise_all
from netcount.core.lazy_numpy import np
from netcount.core.shape import Shape
from netcount.graph.graph import Graph, Node
from netcount.layers.layer import ParamBlob

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class Weights(NamedTuple):
    """Blobs by layer name, and the layers of the file that the net does not have."""

    blobs: dict[str, list[Array]]
    extra: tuple[str, ...]


def read_caffemodel(path: str | os.PathLike[str], net: Graph) -> Weights:
    """The blobs of a `.caffemodel` that belong to the layers of `net`, matched by layer name.

    As in Caffe (Net::CopyTrainedLayersFrom) number and shapes of the blobs have to agree, and of two
    layers of one name in the file the last counts.  Unlike Caffe, which then keeps random values, a
    missing layer is an error.  Raises InputError with both shapes, all mistakes together.
    """
    problems: list[tuple[Node, int | None, str]] = []
    blobs: dict[str, list[Array]] = {}
    stored: dict[int, caffemodel.StoredLayer] = {}
    extra: dict[str, caffemodel.StoredLayer] = {}
    first = {node.name: node for node in reversed(net.nodes)} | named(net)
    with caffemodel.open(path) as model:
        for layer in model.layers:
            node = first.get(layer.name)
            if node is None:
                if layer.blobs:
                    extra[layer.name] = layer
            elif layer.blobs or node.params:
                stored[node.index] = layer
                blobs[node.name] = _blobs(node, layer, problems)
    missing = [node for node in net.nodes if node.name not in blobs and None in node.owners]
    if problems or missing:
        raise_all([*_told(path, net, stored, problems, missing, extra.values())])
    return Weights(blobs, tuple(extra))


def _told(
    path: str | os.PathLike[str],
    net: Graph,
    stored: Mapping[int, caffemodel.StoredLayer],
    problems: Sequence[tuple[Node, int | None, str]],
    missing: Sequence[Node],
    extra: Iterable[caffemodel.StoredLayer],
) -> Iterator[NetcountError]:
    """All differences, in the order of the net, each with its likely cause."""
    from netcount.execute.mismatch import Causes, renamed

    causes = Causes(net, stored)
    names = renamed(missing, extra)
    differences: list[tuple[Node, str]] = []
    for node, index, what in problems:
        cause = causes.of_number(node, stored[node.index]) if index is None else causes.of_shape(node, index)
        differences.append((node, f"{what}: {cause}" if cause else what))
    for node in missing:
        name = names.get(node.index)
        hint = f': its "{name}" has just such blobs; is it that one?' if name is not None else ""
        differences.append((node, f"has no layer of that name{hint}"))
    for node, what in sorted(differences, key=lambda one: one[0].index):
        yield _mistake(path, node, what)


def named(net: Graph) -> dict[str, Node]:
    """The layers with parameter blobs by name; InputError where one name stands for two of them."""
    by_name: dict[str, Node] = {}
    for node in net.nodes:
        if node.params and by_name.setdefault(node.name, node) is not node:
            line = by_name[node.name].place.line
            raise InputError(
                f'{node.type} "{node.name}": the layer in line {line} has that name too, so that weights '
                "by name cannot tell them apart",
                node.place,
            )
    return by_name


def by_node(net: Graph, weights: Mapping[str, Sequence[Array]]) -> list[Sequence[Array]]:
    """For each layer of the net what `weights` have under its name."""
    known = named(net)
    return [weights.get(node.name, ()) if node.name in known else () for node in net.nodes]


def _blobs(node: Node, layer: caffemodel.StoredLayer, problems: list[tuple[Node, int | None, str]]) -> list[Array]:
    if len(layer.blobs) != len(node.params):
        problems.append((node, None, f"has {len(layer.blobs)} blobs, the net {len(node.params)}"))
        return []
    arrays: list[Array] = []
    for index, (blob, stored) in enumerate(zip(node.params, layer.blobs, strict=True)):
        shape = form_of(stored.shape, blob, stored.legacy)
        if shape is not None:
            arrays.append(stored.array().reshape(shape))
        else:
            problems.append((node, index, f"has {Shape(stored.shape)} for blob {index}, the net {blob.shape}"))
    return arrays


def form_of(stored: Sequence[int], blob: ParamBlob, legacy: bool) -> Shape | None:
    """The shape of `blob`, or the form of a fork, that the stored shape is; None where it is neither."""
    return next((shape for shape in (blob.shape, *blob.forms) if fits(stored, shape, legacy)), None)


def fits(stored: Sequence[int], wanted: Sequence[int], legacy: bool) -> bool:
    """Whether a stored shape is the wanted one; old blobs have ones before it, up to 4 axes.

    Source: Blob::ShapeEquals (blob.cpp).

    >>> fits((96,), (96,), False), fits((1, 1, 1, 96), (96,), True), fits((1, 1, 1, 96), (96,), False)
    (True, True, False)
    """
    lead = 4 - len(wanted) if legacy else 0
    return tuple(stored) == (1,) * lead + tuple(wanted)


def _mistake(path: str | os.PathLike[str], node: Node, what: str) -> InputError:
    return InputError(f'{node.type} "{node.name}": {os.fspath(path)} {what}', node.place)


def write_caffemodel(path: str | os.PathLike[str], net: Graph, weights: Mapping[str, Sequence[Array]]) -> None:
    """Write the blobs of `net` in Caffe's current binary format; the file is replaced whole.

    weights: arrays by layer name, one per blob; a layer whose blobs are all shared may be left out.
    Raises InputError for a missing blob or a wrong shape.
    """
    caffemodel_writer.write(path, net.name, checked_blobs(net, weights))


def caffemodel_bytes(
    path: str | os.PathLike[str], net: Graph, weights: Mapping[str, Sequence[Array]]
) -> Iterator[bytes | memoryview]:
    """What `write_caffemodel` writes, piece by piece; `path` is for messages."""
    return caffemodel_writer.pieces(path, net.name, checked_blobs(net, weights))


def checked_blobs(net: Graph, weights: Mapping[str, Sequence[Array]]) -> list[tuple[str, str, list[Array]]]:
    """The layers of one's own weights with their blobs, which are of the net's shapes.

    Raises:
        InputError: A layer lacks blobs, or has some of other shapes.
    """
    layers = []
    for node in named(net).values():
        given = weights.get(node.name)
        if given is None and all(owner is not None for owner in node.owners):
            continue
        arrays = [np.asarray(array, dtype=np.float32) for array in given or ()]
        if len(arrays) != len(node.params) or any(
            form_of(array.shape, blob, legacy=False) is None
            for array, blob in zip(arrays, node.params, strict=True)
        ):
            wanted = ", ".join(str(blob.shape) for blob in node.params)
            got = ", ".join(str(Shape(array.shape)) for array in arrays) or "none"
            raise InputError(f'{node.type} "{node.name}" needs blobs {wanted}, the weights have {got}')
        layers.append((node.name, node.type, arrays))
    return layers
