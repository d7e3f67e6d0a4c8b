"""The JSON document of an analysis (schemas/analysis.json): a public contract, versioned by its `schema`."""

from __future__ import annotations

from typing import Any

from netcount.analysis.count import Count
from netcount.analysis.rows import LayerRow, Totals
from netcount.core.errors import Warned
from netcount.core.opcount import OpCount
from netcount.graph.graph import Graph

SCHEMA = "netcount/analysis/1"


def document(count: Count) -> dict[str, Any]:
    """The analysis as plain values for JSON: exact integers, shapes as lists in Caffe's order."""
    net = count.net
    return {
        "schema": SCHEMA,
        **subject(net),
        "convention": count.convention.name,
        "complete": net.complete,
        "warnings": [warning(found) for found in count.warnings],
        "layers": [layer(row) for row in count.layers],
        "totals": totals(count.totals),
        "kernels": [share._asdict() for share in count.kernels],
        "inputs": [shaped(net.blobs[i].name, net.blobs[i].shape) for i in net.inputs],
        "outputs": [shaped(net.blobs[i].name, net.blobs[i].shape) for i in net.outputs],
    }


def subject(net: Graph) -> dict[str, Any]:
    """Which net a document is about, and how many images its figures are for."""
    return {"net": net.name, "file": net.file, "phase": net.phase, "batch": net.batch}


def warning(found: Warned) -> dict[str, Any]:
    """A warning with the place it is about, if it is about one."""
    place = found.place._asdict() if found.place else None
    return {"place": place, "message": found.message}


def layer(row: LayerRow) -> dict[str, Any]:
    """One layer's row."""
    return {
        "name": row.name,
        "type": row.type,
        "line": row.line,
        "bottoms": [shaped(blob.name, blob.shape) for blob in row.bottoms],
        "tops": [shaped(blob.name, blob.shape) for blob in row.tops],
        "blobs": [
            {"role": blob.role, "shape": list(blob.shape), "shared_with": blob.shared_with} for blob in row.blobs
        ],
        "kernel": list(row.window.kernel) if row.window else None,
        "group": row.window.group if row.window else None,
        "params": row.params,
        "statistics": row.statistics,
        "madds": row.madds,
        "cost": row.cost,
        "ops": ops(row.ops),
        "activations": row.activations,
        "note": row.note,
    }


def totals(found: Totals) -> dict[str, Any]:
    """The sums over all layers."""
    return {
        "params": found.params,
        "statistics": found.statistics,
        "madds": found.madds,
        "cost": found.cost,
        "ops": ops(found.ops),
        "activations": found.activations,
        "weight_bytes": found.weight_bytes,
    }


def ops(found: OpCount) -> dict[str, int]:
    """The op classes by name."""
    return found._asdict()


def shaped(blob: str, shape: tuple[int, ...]) -> dict[str, Any]:
    """A blob's name and shape."""
    return {"blob": blob, "shape": list(shape)}
