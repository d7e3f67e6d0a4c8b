"""The report of a run: every claim, what happened, and a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

from netcount.core.shape import Shape
from netcount.core.units import human, human_bytes, plural
from netcount.execute.verify import BlobCheck, Verification
from netcount.report.columns import Value
from netcount.report.document import shaped, subject
from netcount.report.formats.fit import BELOW, LEFT_OUT
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import heading, visible
from netcount.report.tabular import Csv, csv_text

if TYPE_CHECKING:
    from netcount.report import document_types as types


def reports(runs: Sequence[Verification]) -> list[Part]:
    """Several reports one below the other."""
    return [part for run in runs for part in [*report(run), ""]]


def report(run: Verification) -> list[Part]:
    """A row per top, and the verdict as the last line."""
    rows = []
    images = run.net.batch
    for layer in run.layers:
        seconds = f"{layer.seconds * 1e3:.2f}"
        speed = f"{layer.gmacs_per_second:.1f}" if layer.performed else ""
        madds = (human(layer.counted) if layer.counted else "", human(layer.performed) if layer.performed else "")
        for index, top in enumerate(layer.tops or (None,)):
            shapes = ("", "") if top is None else _shown(top, images)
            blob = "" if top is None else visible(top.name)
            mark = "" if layer.agrees else "DIFFERS"
            if top is not None and top.by_data and top.agrees and top.inferred != top.executed:
                mark = "by data"
            first = index == 0
            rows.append(
                (
                    visible(layer.name) if first else "",
                    blob,
                    *shapes,
                    *(madds if first else ("", "")),
                    seconds if first else "",
                    speed if first else "",
                    mark,
                )
            )
    titles = ("layer", "blob", "inferred", "executed", "counted", "performed", "ms", "GMAC/s", "")
    total = sum(layer.seconds for layer in run.layers)
    counted = sum(layer.counted for layer in run.layers)
    performed = sum(layer.performed for layer in run.layers)
    speed = f"{performed / total / 1e9:.1f}" if total and performed else ""
    footer = ("total", "", "", "", human(counted), human(performed), f"{total * 1e3:.2f}", speed, "")
    table = Table(
        titles,
        (False, False, True, True, True, True, True, True, False),
        tuple(rows),
        footer,
        shrink=((1, 8), (0, 12), (7, LEFT_OUT), (1, LEFT_OUT), (6, LEFT_OUT), (0, 8), (8, BELOW)),
        names=(0, 1),
    )
    return [
        heading(run.net.name, run.net.file),
        "",
        table,
        "",
        *_notes(run),
    ]


def _shown(top: BlobCheck, images: int | None) -> tuple[str, str]:
    """The shapes of a top, inferred and executed; in Caffe's order where only the batch tells them apart."""
    pair = (top.inferred.hwc(images), type(top.inferred)(top.executed).hwc(images))
    same = pair[0] == pair[1] and top.inferred != top.executed
    return (f"[{top.inferred}]", f"[{top.executed}]") if same else pair


def _notes(run: Verification) -> list[str]:
    lines = [f"memory needed: {visible(str(run.memory))}"]
    if run.peak:
        alive, where = human_bytes(run.peak.live_bytes), visible(run.peak.name)
        lines.append(f'activations alive at the peak, in-place tops counted once: {alive}, measured at "{where}"')
    if run.random_weights:
        how = "their fillers and, where the file names none, a scale that keeps values finite"
        lines.append(f"the weights are random, by {how if run.unfilled else 'their fillers'}")
    if run.extra_layers:
        names = ", ".join(visible(name) for name in run.extra_layers)
        lines.append(f"layers of the weights that the net does not have: {names}")
    if not run.net.complete:
        lines.append("a layer was only assumed: nothing is known of what it computes, and the run is incomplete")
    lines.append(verdict(run))
    return lines


def verdict(run: Verification) -> str:
    """One line: whether everything agrees, and what does not."""
    blobs = sum(len(layer.tops) for layer in run.layers)
    if run.agrees:
        madds = sum(layer.performed for layer in run.layers)
        return f"AGREES: {plural(blobs, 'shape')} and {plural(madds, 'madd')} as inferred"
    wrong = [layer for layer in run.layers if not layer.agrees]
    names = ", ".join(f'"{visible(layer.name)}" (line {layer.line})' for layer in wrong[:5])
    return f"DISAGREES in {len(wrong)} of {len(run.layers)} layers: {names}"


_FIELDS = (
    "file", "name", "type", "line", "blob", "inferred", "executed", "by_data", "madds_counted",
    "madds_performed", "seconds", "gmacs_per_second", "live_bytes", "agrees",
)  # fmt: skip


def verification_csv(runs: Sequence[Verification]) -> Csv:
    """A record a top; the figures of a layer stand in the record of its first one."""
    return csv_text(_FIELDS, (record for run in runs for record in _records(run)))


def _records(run: Verification) -> Iterator[list[Value]]:
    for layer in run.layers:
        figures: list[Value] = [
            layer.counted,
            layer.performed,
            layer.seconds,
            layer.gmacs_per_second,
            layer.live_bytes,
        ]
        for index, top in enumerate(layer.tops or (None,)):
            shapes: list[Value] = ["", "", "", ""]
            if top is not None:
                shapes = [top.name, _extents(top.inferred), _extents(top.executed), int(top.by_data)]
            yield [
                run.net.file,
                layer.name,
                layer.type,
                layer.line,
                *shapes,
                *("" if index else figure for figure in figures),
                int(layer.agrees),
            ]


def _extents(shape: Shape) -> str:
    return "x".join(map(str, shape)) or "scalar"


def documents(runs: Sequence[Verification]) -> list[types.Verification]:
    """The documents of several runs."""
    return [document(run) for run in runs]


def document(run: Verification) -> types.Verification:
    """The run for JSON."""
    return {
        "schema": "netcount/verification/1",
        **subject(run.net),
        "agrees": run.agrees,
        "complete": run.net.complete,
        "random_weights": run.random_weights,
        "extra_layers": list(run.extra_layers),
        "needed_bytes": run.memory.total_bytes,
        "memory": cast("types.RunMemory", run.memory._asdict()),
        "peak": {
            "layer": run.peak.name if run.peak else None,
            "line": run.peak.line if run.peak else None,
            "bytes": run.peak.live_bytes if run.peak else 0,
            "alive": [{**shaped(blob.name, blob.shape), "bytes": blob.bytes} for blob in run.alive],
        },
        "layers": [
            {
                "name": layer.name,
                "type": layer.type,
                "line": layer.line,
                "tops": [
                    {
                        "blob": top.name,
                        "inferred": list(top.inferred),
                        "executed": list(top.executed),
                        "by_data": top.by_data,
                    }
                    for top in layer.tops
                ],
                "madds_counted": layer.counted,
                "madds_performed": layer.performed,
                "seconds": layer.seconds,
                "gmacs_per_second": layer.gmacs_per_second,
                "live_bytes": layer.live_bytes,
                "agrees": layer.agrees,
            }
            for layer in run.layers
        ],
        "outputs": {name: list(array.shape) for name, array in run.outputs.items()},
    }
