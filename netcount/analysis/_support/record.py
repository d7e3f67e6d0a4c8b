"""A change as a flat record, the same for tables and for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netcount.analysis.compare import LayerChange, LayerFacts
from netcount.analysis.figures import KEPT

RECORD = (
    "change",
    "layer",
    "was",
    "type",
    "line",
    "line_was",
    "fields",
    "tops_was",
    "tops",
    *(f"{figure.key}{end}" for figure in KEPT for end in ("_was", "", "_delta")),
)


def record(change: LayerChange) -> dict[str, Any]:
    """A change as a flat record of exact values, with the keys of RECORD."""
    before, after = change.before, change.after
    return {
        "change": change.kind,
        "layer": after.name if after else "",
        "was": before.name if before else "",
        "type": change.layer.type,
        "line": after.line if after else 0,
        "line_was": before.line if before else 0,
        "fields": field_text(change),
        "tops_was": _shapes(before),
        "tops": _shapes(after),
        **beside(
            {figure.key: before.figures.get(figure.key, 0) if before else 0 for figure in KEPT},
            {figure.key: after.figures.get(figure.key, 0) if after else 0 for figure in KEPT},
        ),
    }


def beside(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """The kept figures before and after, and by how much they grew: params_was, params, params_delta."""
    columns: dict[str, int] = {}
    for key in (figure.key for figure in KEPT if figure.key in before and figure.key in after):
        columns |= {f"{key}_was": before[key], key: after[key], f"{key}_delta": after[key] - before[key]}
    return columns


def field_text(change: LayerChange) -> str:
    """The fields that differ: `convolution_param.num_output 96 -> 64`."""
    return "; ".join(
        f"{path} {'unset' if old is None else old} -> {'unset' if new is None else new}"
        for path, (old, new) in change.fields.items()
    )


def _shapes(layer: LayerFacts | None) -> str:
    """The shapes a layer makes in Caffe's order: `1x64x113x113`."""
    return " ".join("x".join(map(str, shape)) or "scalar" for shape in (layer.tops if layer else ()))
