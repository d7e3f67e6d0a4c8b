"""What a net costs while it is trained: a row per layer, forward and backward."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcount.analysis.backward import Backward, LayerBackward
from netcount.core.opcount import OpCount
from netcount.core.units import human, percent, plural
from netcount.report.document import operations, subject, warning
from netcount.report.formats.fit import LEFT_OUT
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import heading, visible
from netcount.report.tabular import Csv, csv_text

if TYPE_CHECKING:
    from netcount.report import document_types as types

_FIELDS = (
    "name", "type", "line", "learned_params", "frozen_params", "forward_madds", "forward_others", "backward_madds",
    "backward_others",
)  # fmt: skip
UNKNOWN = "?"
"""In the place of a figure whose rule is not written down."""


def backward_report(backward: Backward, top: int | None = None) -> list[Part]:
    """The whole report; `top`: only the layers with most madds in both passes, in the order of the net."""
    net = backward.counted.net
    parts: list[Part] = [
        heading(net.name, net.file, f"phase {net.phase}", f"batch {net.batch or 1}", "forward and backward"),
        "",
        _table(backward, top),
    ]
    if top is not None and top < len(backward.layers):
        parts.append(f"{top} of {len(backward.layers)} layers shown")
    return [*parts, "", *_sums(backward)]


def _madds(layer: LayerBackward) -> int:
    return layer.row.madds + (layer.ops.madds if layer.ops is not None else 0)


def _table(backward: Backward, top: int | None) -> Table:
    order = sorted(range(len(backward.layers)), key=lambda index: -_madds(backward.layers[index]))[:top]
    whole = backward.forward.madds + backward.ops.madds
    shown = [backward.layers[index] for index in sorted(order)]
    return Table(
        (
            "layer",
            "output",
            "learned",
            "frozen",
            "forward",
            "backward",
            "share",
            "others",
            "others back",
        ),
        (False, True, True, True, True, True, True, True, True),
        tuple(_row(backward, layer, whole) for layer in shown),
        (
            f"total of {plural(len(backward.layers), 'layer')}",
            "",
            human(backward.learned),
            human(backward.frozen),
            human(backward.forward.madds),
            human(backward.ops.madds),
            percent(whole, whole),
            human(backward.forward.others),
            human(backward.ops.others),
        ),
        shrink=((0, 12), (1, LEFT_OUT), (7, LEFT_OUT), (8, LEFT_OUT), (0, 8)),
        heat=tuple(_madds(layer) / whole if whole else 0.0 for layer in shown),
    )


def _row(backward: Backward, layer: LayerBackward, whole: int) -> tuple[str, ...]:
    tops, back = layer.row.tops, layer.ops
    return (
        visible(layer.row.name),
        tops[0].shape.hwc(backward.counted.net.batch) if tops else "",
        _number(layer.learned),
        _number(layer.frozen),
        _number(layer.row.madds),
        UNKNOWN if back is None else _number(back.madds),
        percent(_madds(layer), whole) if _madds(layer) else "",
        _number(layer.row.ops.others),
        UNKNOWN if back is None else _number(back.others),
    )


def _number(value: int) -> str:
    return human(value) if value else ""


def _sums(backward: Backward) -> list[str]:
    forward, back = backward.forward.madds, backward.ops.madds
    times = f", {(forward + back) / forward:.2f} times the forward pass" if forward else ""
    return [
        f"madds of an iteration: {human(forward)} forward and {human(back)} backward, "
        f"{human(forward + back)} together{times}",
        f"params: {human(backward.learned)} learned, {human(backward.frozen)} frozen",
        f"other operations forward: {_others(backward.forward)}",
        f"other operations backward: {_others(backward.ops)}",
    ]


def _others(count: OpCount) -> str:
    names = [(name, number) for name, number in count._asdict().items() if name != "madds" and number]
    return ", ".join(f"{human(number)} {name}" for name, number in names) or "none"


def backward_csv(backward: Backward) -> Csv:
    """A record a layer, exact numbers; empty where a rule is not written down."""
    return csv_text(
        _FIELDS,
        (
            (
                layer.row.name,
                layer.row.type,
                layer.row.line,
                layer.learned,
                layer.frozen,
                layer.row.madds,
                layer.row.ops.others,
                "" if layer.ops is None else layer.ops.madds,
                "" if layer.ops is None else layer.ops.others,
            )
            for layer in backward.layers
        ),
    )


def backward_document(backward: Backward) -> types.Backward:
    """The JSON document, versioned by its `schema`."""
    return {
        "schema": "netcount/backward/1",
        **subject(backward.counted.net),
        "complete": backward.complete,
        "warnings": [warning(one) for one in backward.warnings],
        "layers": [
            {
                "name": layer.row.name,
                "type": layer.row.type,
                "line": layer.row.line,
                "learned_params": layer.learned,
                "frozen_params": layer.frozen,
                "needed": layer.needed,
                "forward": operations(layer.row.ops),
                "backward": None if layer.ops is None else operations(layer.ops),
            }
            for layer in backward.layers
        ],
        "totals": {
            "learned_params": backward.learned,
            "frozen_params": backward.frozen,
            "forward": operations(backward.forward),
            "backward": operations(backward.ops),
        },
    }
