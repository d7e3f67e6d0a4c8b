"""A plan of a net's memory: every buffer with its place, how large the whole is, and what the least could be."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from netcount.analysis.arena import METHODS, Arena, ArenaBuffer
from netcount.core.units import human_bytes, percent
from netcount.report import document
from netcount.report.formats.fit import LEFT_OUT
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import heading, listed, visible
from netcount.report.tabular import Csv, csv_text

if TYPE_CHECKING:
    from netcount.graph.graph import Node
    from netcount.report import document_types as types

_FIELDS = ("name", "kind", "offset", "bytes", "first", "last", "first_layer", "last_layer")
_SHOWN = 4


def arena_report(arena: Arena, top: int | None = None) -> list[Part]:
    """The whole report; `top`: only the largest buffers, in the order in which they are made."""
    net = arena.counted.net
    order = sorted(range(len(arena.buffers)), key=lambda index: -arena.buffers[index].bytes)[:top]
    parts: list[Part] = [
        heading(
            net.name,
            net.file,
            f"phase {net.phase}",
            f"batch {net.batch or 1}",
            f"{arena.bits}-bit values, aligned to {arena.align} B",
        ),
        "",
        Table(
            ("buffer", "offset", "bytes", "from", "to"),
            (False, True, True, False, False),
            tuple(_row(arena, arena.buffers[index]) for index in sorted(order)),
            shrink=((0, 12), (4, LEFT_OUT), (3, LEFT_OUT)),
            names=(0, 3, 4),
        ),
    ]
    if top is not None and top < len(arena.buffers):
        parts.append(f"{top} of {len(arena.buffers)} buffers shown")
    return [*parts, "", *_sums(arena)]


def _row(arena: Arena, buffer: ArenaBuffer) -> tuple[str, ...]:
    nodes = arena.counted.net.nodes
    name = f"scratch of {buffer.name}" if buffer.kind == "scratch" else listed(list(buffer.blobs), _SHOWN)
    ends = [
        visible(nodes[index].name) if index < len(nodes) else "the end" for index in (buffer.first, buffer.last)
    ]
    return visible(name), f"{buffer.offset:,}", f"{buffer.bytes:,}", *ends


def _sums(arena: Arena) -> list[str]:
    words = {"size": "the largest first", "order": "as they are made"}
    lines = [f"the arena holds {arena.total_bytes:,} bytes ({human_bytes(arena.total_bytes)})"]
    for method in METHODS:
        chosen = ", the plan above" if method == arena.method else ""
        size = arena.sizes[method]
        lines.append(f"  placed {words[method]:<18} {size:>14,}  {_more(size, arena.bound_bytes)}{chosen}")
    lines += [
        f"  at least                  {arena.bound_bytes:>14,}  what one layer needs at once, aligned",
        f"  peak by liveness          {arena.peak_bytes:>14,}  the same without alignment",
    ]
    rows = arena.counted.layers
    loose = [row.name for row, node in zip(rows, arena.counted.net.nodes, strict=True) if _loose(node)]
    if loose:
        names = listed([visible(name) for name in loose], _SHOWN)
        lines.append(f"planned for the shapes shown, though they depend on the data: tops of {names}")
    if arena.limit_bytes is not None:
        limit = human_bytes(arena.limit_bytes)
        share = percent(arena.total_bytes, arena.limit_bytes)
        lines.append(
            f"{'fits' if arena.fits else 'does not fit'}: {human_bytes(arena.total_bytes)}, {share} of {limit}"
        )
    return lines


def _loose(node: Node) -> bool:
    return node.layer.data_dependent(node.bottom_shapes) is not None


def _more(size: int, bound: int) -> str:
    return "the least there can be" if size == bound else f"{percent(size - bound, bound)} above the least"


def arena_csv(arena: Arena) -> Csv:
    """A record a buffer, exact bytes."""
    nodes = arena.counted.net.nodes
    return csv_text(
        _FIELDS,
        (
            (
                buffer.name,
                buffer.kind,
                buffer.offset,
                buffer.bytes,
                buffer.first,
                buffer.last,
                nodes[buffer.first].name,
                nodes[buffer.last].name,
            )
            for buffer in arena.buffers
        ),
    )


def arena_document(arena: Arena) -> types.Arena:
    """The JSON document, versioned by its `schema`: buffers, and for each layer which of them it uses."""
    net = arena.counted.net
    return {
        "schema": "netcount/arena/1",
        **document.subject(net),
        "complete": net.complete,
        "bits": arena.bits,
        "align": arena.align,
        "total_bytes": arena.total_bytes,
        "method": arena.method,
        "sizes": cast("types.ArenaSizes", dict(arena.sizes)),
        "bound_bytes": arena.bound_bytes,
        "peak_bytes": arena.peak_bytes,
        "limit_bytes": arena.limit_bytes,
        "fits": arena.fits,
        "buffers": [
            cast("types.ArenaBuffer", {**buffer._asdict(), "blobs": list(buffer.blobs)})
            for buffer in arena.buffers
        ],
        "layers": [
            {
                "name": node.name,
                "type": node.type,
                "line": row.line,
                "bottoms": [arena.homes[blob.index] for blob in node.bottoms],
                "tops": [arena.homes[blob.index] for blob in node.tops],
                "scratch": arena.scratch[node.index],
            }
            for node, row in zip(net.nodes, arena.counted.layers, strict=True)
        ],
    }
