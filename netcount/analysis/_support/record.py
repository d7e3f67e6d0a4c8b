"""A change as a flat record, the same for tables and for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from netcount.analysis.compare import Change, LayerFacts, changes, facts
from netcount.analysis.conventions import Convention, convention_named
from netcount.analysis.count import count
from netcount.analysis.figures import KEPT
from netcount.graph.graph import Graph
from netcount.graph.load import load_net

if TYPE_CHECKING:
    import pandas as pd

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


def compare(before: Any, after: Any, convention: str | Convention = "madds") -> pd.DataFrame:
    """A row a changed layer: kind, layer, type, fields, figures before and after.

    before, after: nets (`netcount.load`) or paths.  Unchanged layers are left out; `df.attrs` holds
    the totals of both under "before" and "after".
    """
    import pandas as pd

    rule = convention_named(convention)
    old, new = (facts(count(net if isinstance(net, Graph) else load_net(net), rule)) for net in (before, after))
    frame = pd.DataFrame.from_records([record(change) for change in changes(old, new)], columns=list(RECORD))
    frame.attrs.update(before=dict(old.totals), after=dict(new.totals))
    return frame


def record(change: Change) -> dict[str, Any]:
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
    found: dict[str, int] = {}
    for key in (figure.key for figure in KEPT if figure.key in before and figure.key in after):
        found |= {f"{key}_was": before[key], key: after[key], f"{key}_delta": after[key] - before[key]}
    return found


def field_text(change: Change) -> str:
    """The fields that differ: `convolution_param.num_output 96 -> 64`."""
    return "; ".join(
        f"{path} {'unset' if old is None else old} -> {'unset' if new is None else new}"
        for path, (old, new) in change.fields.items()
    )


def _shapes(layer: LayerFacts | None) -> str:
    """The shapes a layer makes in Caffe's order: `1x64x113x113`."""
    return " ".join("x".join(map(str, shape)) or "scalar" for shape in (layer.tops if layer else ()))
