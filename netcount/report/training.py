"""What Caffe keeps in memory while it trains a net: a row per layer, the sums, and the largest batch that fits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from netcount.analysis.training import LayerTraining, Training, TrainingBatch, TrainingFits
from netcount.core.units import FLOAT_BYTES, human_bytes, percent, plural
from netcount.report import document
from netcount.report.formats.fit import LEFT_OUT
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import heading, visible
from netcount.report.tabular import Csv, csv_text

if TYPE_CHECKING:
    from netcount.report import document_types as types

NOT_COUNTED = (
    "not counted: buffers inside layers (masks, batches read ahead), cuDNN's workspaces, nets for testing"
)
FIELDS = ("name", "type", "line", "data_bytes", "diff_bytes", "weight_bytes", "column_bytes")


def training_report(training: Training, top: int | None = None) -> list[Part]:
    """The whole report; `top`: only the layers that keep most, in the order of the net."""
    net = training.counted.net
    parts: list[Part] = [
        heading(
            net.name,
            net.file,
            f"phase {net.phase}",
            f"batch {net.batch or 1}",
            f"trained by {training.solver.name} in float32",
        ),
        "",
        _table(training, top),
    ]
    if top is not None and top < len(training.layers):
        parts.append(f"{top} of {len(training.layers)} layers shown")
    parts += ["", *_sums(training)]
    if training.fit is not None:
        parts += ["", *_fit(training, training.fit)]
    return parts


def _table(training: Training, top: int | None) -> Table:
    kept = [layer.data + layer.diffs + layer.weights + layer.columns for layer in training.layers]
    order = sorted(range(len(kept)), key=lambda index: -kept[index])[:top]
    rows = tuple(_row(training, training.layers[index]) for index in sorted(order))
    return Table(
        ("layer", "output", "data", "diffs", "weights", "columns"),
        (False, True, True, True, True, True),
        rows,
        shrink=((0, 12), (1, LEFT_OUT), (0, 8), (5, LEFT_OUT)),
    )


def _row(training: Training, layer: LayerTraining) -> tuple[str, ...]:
    tops = layer.row.tops
    return (
        visible(layer.row.name),
        tops[0].shape.hwc(training.counted.net.batch) if tops else "",
        *(
            human_bytes(FLOAT_BYTES * elements) if elements else ""
            for elements in (layer.data, layer.diffs, layer.weights, layer.columns)
        ),
    )


def _sums(training: Training) -> list[str]:
    solver = training.solver
    history = plural(solver.history, "value")
    lines = [
        "Caffe keeps while it trains, in float32",
        f"  data          {human_bytes(training.data_bytes):>10}  one buffer per blob",
        f"  diffs         {human_bytes(training.diff_bytes):>10}  of the blobs that gradients pass",
        f"  weights       {human_bytes(training.weight_bytes):>10}",
        f"  their diffs   {human_bytes(training.weight_diff_bytes):>10}  of all weights, learned or not",
        f"  history       {human_bytes(training.history_bytes):>10}  {solver.name}: {history} a weight",
    ]
    if solver.update:
        place = "on a GPU" if solver.gpu else "on the CPU"
        lines.append(f"  update        {human_bytes(training.update_bytes):>10}  {solver.name} {place}")
    return [
        *lines,
        f"  columns       {human_bytes(training.column_bytes):>10}  a column matrix for each layer that needs one",
        f"  together      {human_bytes(training.total_bytes):>10}",
        NOT_COUNTED,
        f'Caffe\'s log says "Memory required for data: {training.log_bytes}" ({human_bytes(training.log_bytes)}): '
        "every top, in-place ones and the copies of Splits again, and no diffs",
    ]


def _fit(training: Training, fit: TrainingFits) -> list[str]:
    limit = human_bytes(fit.limit_bytes)
    answer = "fits" if fit.fits else "does not fit"
    batch = training.counted.net.batch or 1
    lines = []
    if fit.largest is not None:
        over = f"; {_batch(fit.over)}" if fit.over is not None else ", the largest that Caffe can have"
        lines.append(f"largest batch that fits in {limit}: {_batch(fit.largest)}{over}")
    elif fit.over is not None:
        lines.append(f"no batch fits in {limit}: {_batch(fit.over)}")
    share = percent(training.total_bytes, fit.limit_bytes)
    total = human_bytes(training.total_bytes)
    return [*lines, f"{answer}: batch {batch:,} needs {total}, {share} of {limit}"]


def _batch(batch: TrainingBatch) -> str:
    return f"{batch.images:,} ({human_bytes(batch.bytes)})"


def training_records(training: Training) -> Iterator[tuple[str | int, ...]]:
    """A record a layer, exact bytes, in the order of `FIELDS`."""
    for layer in training.layers:
        kept = (layer.data, layer.diffs, layer.weights, layer.columns)
        yield (layer.row.name, layer.row.type, layer.row.line, *(FLOAT_BYTES * elements for elements in kept))


def training_csv(training: Training) -> Csv:
    """A record a layer, exact bytes; diffs and history of weights are as large as these, or a multiple."""
    return csv_text(FIELDS, training_records(training))


def training_document(training: Training) -> types.Training:
    """The JSON document, versioned by its `schema`; all figures in bytes."""
    net, solver, fit = training.counted.net, training.solver, training.fit
    return {
        "schema": "netcount/training/1",
        **document.subject(net),
        "complete": net.complete,
        "solver": {"type": solver.name, "gpu": solver.gpu, "history": solver.history, "update": solver.update},
        "layers": [
            cast("types.LayerTraining", dict(zip(FIELDS, record, strict=True)))
            for record in training_records(training)
        ],
        "data_bytes": training.data_bytes,
        "diff_bytes": training.diff_bytes,
        "weight_bytes": training.weight_bytes,
        "weight_diff_bytes": training.weight_diff_bytes,
        "history_bytes": training.history_bytes,
        "update_bytes": training.update_bytes,
        "column_bytes": training.column_bytes,
        "total_bytes": training.total_bytes,
        "log_bytes": training.log_bytes,
        "fit": None
        if fit is None
        else {
            "limit_bytes": fit.limit_bytes,
            "fits": fit.fits,
            "largest": _batch_document(fit.largest),
            "over": _batch_document(fit.over),
        },
    }


def _batch_document(batch: TrainingBatch | None) -> types.TrainingBatch | None:
    return None if batch is None else {"images": batch.images, "bytes": batch.bytes}
