"""The JSON document of an analysis (schemas/analysis.json): a public contract, versioned by its `schema`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from netcount.analysis._support.kernels import KernelShare
from netcount.analysis.count import Count
from netcount.analysis.figures import LAYER, layer_figures, sums_of
from netcount.analysis.rows import LayerRow
from netcount.core.errors import Place, Warned
from netcount.core.opcount import OpCount
from netcount.graph.graph import Graph

if TYPE_CHECKING:
    from netcount.report import document_types as types

_LAYER = tuple((figure.key, figure.is_op_class) for figure in LAYER)


def document(count: Count) -> types.Analysis:
    """The analysis as plain values for JSON: exact integers, shapes as lists in Caffe's order."""
    net = count.net
    return {
        "schema": "netcount/analysis/1",
        **subject(net),  # type: ignore[typeddict-item]  # has no `estimate`, which is not required
        "convention": count.convention.name,
        "complete": net.complete,
        "warnings": [warning(warned) for warned in count.warnings],
        "layers": [layer(row) for row in count.layers],
        "totals": totals(sums_of(count.layers)),
        "kernels": [kernel(share) for share in count.kernels],
        "inputs": [shaped(net.blobs[i].name, net.blobs[i].shape) for i in net.inputs],
        "outputs": [shaped(net.blobs[i].name, net.blobs[i].shape) for i in net.outputs],
    }


def documents(counts: Iterable[Count]) -> Iterator[types.Analysis]:
    """The documents of several nets, each made when it is wanted."""
    return (document(count) for count in counts)


def subject(net: Graph) -> types.Subject:
    """Which net a document is about, and how many images its figures are for."""
    return {"net": net.name, "file": net.file, "phase": net.phase, "batch": net.batch}


def warning(warned: Warned) -> types.Warning:
    """A warning with the place it is about, if it is about one."""
    return {"place": place(warned.place), "message": warned.message}


def place(spot: Place | None) -> types.Place | None:
    """A position in a file, or null."""
    return {"file": spot.file, "line": spot.line, "column": spot.column} if spot else None


def operations(count: OpCount) -> types.Ops:
    """Operations by class."""
    return cast("types.Ops", count._asdict())


def kernel(share: KernelShare) -> types.Kernel:
    """The layers of one kernel size."""
    return cast("types.Kernel", share._asdict())


def layer(row: LayerRow) -> types.Layer:
    """One layer's row."""
    window = row.window
    values: dict[str, Any] = {
        "name": row.name,
        "type": row.type,
        "line": row.line,
        "bottoms": [shaped(blob.name, blob.shape) for blob in row.bottoms],
        "tops": [shaped(blob.name, blob.shape) for blob in row.tops],
        "blobs": [
            {"role": blob.role, "shape": list(blob.shape), "shared_with": blob.shared_with} for blob in row.blobs
        ],
        "kernel": list(window.kernel) if window else None,
        "stride": list(window.stride) if window else None,
        "pad": list(window.pad) if window else None,
        "dilation": list(window.dilation) if window else None,
        "group": window.group if window else None,
        "end_line": row.end_line,
        **figures(layer_figures(row)),
        "note": row.note,
    }
    return cast("types.Layer", values)


def totals(sums: Mapping[str, int]) -> types.Totals:
    """The sums over some layers, as `sums_of` gives them."""
    return cast("types.Totals", figures(sums))


def figures(values: Mapping[str, int]) -> dict[str, Any]:
    """The figures of a layer or of several together; those of op classes stand in `ops`."""
    numbers: dict[str, Any] = {}
    for key, is_op_class in _LAYER:
        if not is_op_class:
            numbers[key] = values[key]
        elif "ops" not in numbers:
            numbers["ops"] = {name: values[name] for name in OpCount._fields}
    return numbers


def shaped(blob: str, shape: tuple[int, ...]) -> types.Blob:
    """A blob's name and shape."""
    return {"blob": blob, "shape": list(shape)}
