"""Weights of a `.caffemodel` for a net, and weights of a net as a `.caffemodel`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from netcount.errors import InputError, NetcountError, raise_all
from netcount.lazy import np
from netcount.net import Net, Node
from netcount.prototxt import caffemodel, caffemodel_writer
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array


class Weights(NamedTuple):
    """Blobs by layer name, and the layers of the file that the net does not have."""

    blobs: dict[str, list[Array]]
    extra: tuple[str, ...]


def read_caffemodel(path: str | os.PathLike[str], net: Net) -> Weights:
    """The blobs of a `.caffemodel` that belong to the layers of `net`, matched by layer name.

    As in Caffe (Net::CopyTrainedLayersFrom) a shape has to agree; a blob of the old four axes may
    have leading ones.  Unlike Caffe, which then keeps random values, a missing layer is an error.
    Raises InputError with both shapes, all mistakes together.
    """
    problems: list[NetcountError] = []
    found: dict[str, list[Array]] = {}
    with caffemodel.open(path) as model:
        stored = {layer.name: layer for layer in reversed(model.layers) if layer.blobs}
        for node in net.nodes:
            if not any(owner is None for owner in node.owners):
                continue
            layer = stored.get(node.name)
            if layer is None:
                problems.append(_mistake(path, node, "has no layer of that name"))
            elif len(layer.blobs) != len(node.params):
                problems.append(_mistake(path, node, f"has {len(layer.blobs)} blobs, the net {len(node.params)}"))
            else:
                found[node.name] = _blobs(path, node, layer, problems)
        names = {node.name for node in net.nodes}
        extra = tuple(layer.name for layer in model.layers if layer.blobs and layer.name not in names)
        raise_all(problems)
    return Weights(found, extra)


def _blobs(
    path: str | os.PathLike[str],
    node: Node,
    layer: caffemodel.StoredLayer,
    problems: list[NetcountError],
) -> list[Array]:
    arrays: list[Array] = []
    for index, (blob, stored) in enumerate(zip(node.params, layer.blobs, strict=True)):
        if not fits(stored.shape, blob.shape):
            problems.append(
                _mistake(path, node, f"has {Shape(stored.shape)} for blob {index}, the net {blob.shape}")
            )
        else:
            arrays.append(stored.array().reshape(blob.shape))
    return arrays


def fits(stored: Sequence[int], wanted: Sequence[int]) -> bool:
    """Whether a stored shape is the wanted one, or the same with leading ones (old blobs have 4 axes).

    >>> fits((1, 1, 1, 96), (96,)), fits((96, 3), (3, 96)), fits((1, 1, 10, 20), (10, 20))
    (True, False, True)
    """
    if tuple(stored) == tuple(wanted):
        return True
    lead = len(stored) - len(wanted)
    return len(stored) == 4 and lead > 0 and tuple(stored) == (1,) * lead + tuple(wanted)


def _mistake(path: str | os.PathLike[str], node: Node, what: str) -> InputError:
    return InputError(f'{node.type} "{node.name}": {os.fspath(path)} {what}', node.place)


def write_caffemodel(path: str | os.PathLike[str], net: Net, weights: Mapping[str, Sequence[Array]]) -> None:
    """Write the blobs of `net` in Caffe's current binary format; the file is replaced whole.

    weights: arrays by layer name, one a blob; a layer whose blobs are all shared may be left out.
    Raises InputError for a missing blob or a wrong shape.
    """
    layers = []
    for node in net.nodes:
        if not node.params:
            continue
        given = weights.get(node.name)
        if given is None and all(owner is not None for owner in node.owners):
            continue
        arrays = [np.asarray(array, dtype=np.float32) for array in given or ()]
        if [array.shape for array in arrays] != [tuple(blob.shape) for blob in node.params]:
            wanted = ", ".join(str(blob.shape) for blob in node.params)
            got = ", ".join(str(Shape(array.shape)) for array in arrays) or "none"
            raise InputError(f'{node.type} "{node.name}" needs blobs {wanted}, the weights have {got}')
        layers.append((node.name, node.type, arrays))
    caffemodel_writer.write(path, net.name, layers)
