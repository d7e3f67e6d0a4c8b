"""What a net needs in memory: a row per layer with a bar, the peak, and the size of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from netcount.analysis._support.modelsize import ModelSize
from netcount.analysis._support.tiling import ChainTiling, LayerTiling, Strips
from netcount.analysis._support.verdict import MemoryNeed, MemoryVerdict, OverBlob
from netcount.analysis.memory import Memory
from netcount.core.units import human, human_bytes, percent, plural
from netcount.report import document
from netcount.report.formats.fit import BELOW, LEFT_OUT
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import bar, heading, listed, visible
from netcount.report.tabular import Csv, csv_text
from netcount.report.weight_stats import stats_report

if TYPE_CHECKING:
    from netcount.report import document_types as types

MOST_BLOBS = 12
BAR_CELLS = 12
_FIELDS = ("name", "type", "line", "live_bytes", "scratch_bytes", "weight_bytes")


def memory_report(memory: Memory, top: int | None = None) -> list[Part]:
    """The whole report; `top`: only the layers with most in memory, in the order of the net."""
    net = memory.counted.net
    parts: list[Part] = [
        heading(
            net.name,
            net.file,
            f"phase {net.phase}" + (", a forward pass alone" if net.phase == "TRAIN" else ""),
            f"batch {net.batch or 1}",
            f"{memory.bits}-bit activations, {memory.weight_bits}-bit weights",
        ),
        "",
        _table(memory, top),
    ]
    if top is not None and top < len(memory.layers):
        parts.append(f"{top} of {len(memory.layers)} layers shown")
    parts += ["", *_peak_lines(memory), "", *_caffe_lines(memory)]
    if memory.model is not None:
        parts += ["", *size_lines(memory.model)]
    if memory.stats:
        parts += ["", *stats_report(memory.stats)]
    if memory.verdict is not None:
        parts += ["", *_verdict_parts(memory.verdict)]
    return parts


def _table(memory: Memory, top: int | None) -> Table:
    order = sorted(range(len(memory.layers)), key=lambda i: -memory.layers[i].live)[:top]
    most = max((memory.bytes_of(layer.live) for layer in memory.layers), default=0)
    rows = []
    for index in sorted(order):
        layer = memory.layers[index]
        live = memory.bytes_of(layer.live)
        rows.append(
            (
                visible(layer.row.name),
                layer.row.tops[0].shape.hwc(memory.counted.net.batch) if layer.row.tops else "",
                human_bytes(live),
                bar(live, most, BAR_CELLS) + (" peak" if index == memory.peak else ""),
                human_bytes(memory.bytes_of(layer.scratch)) if layer.scratch else "",
                human_bytes(memory.weight_bytes_of(layer)) if layer.weights else "",
            )
        )
    return Table(
        ("layer", "output", "alive", "", "scratch", "weights"),
        (False, True, True, False, True, True),
        tuple(rows),
        shrink=((0, 12), (1, LEFT_OUT), (0, 8), (4, LEFT_OUT)),
    )


def _peak_lines(memory: Memory) -> list[str]:
    if not memory.layers:
        return ["the net has no layers"]
    at, widest = memory.layers[memory.peak].row, memory.layers[memory.with_scratch]
    images = memory.counted.net.batch
    alive = [
        f"{visible(blob.name)} {blob.shape.hwc(images)} {human_bytes(memory.bytes_of(blob.shape.count()))}"
        for blob in memory.alive
    ]
    return [
        "an engine that reuses buffers needs",
        f"  activations  {human_bytes(memory.peak_bytes):>10}  at the peak, {visible(at.name)} (line {at.line}): "
        f"{listed(alive, MOST_BLOBS)}",
        f"  with im2col  {human_bytes(memory.working_bytes):>10}  at {visible(widest.row.name)} "
        f"(line {widest.row.line}), {human_bytes(memory.bytes_of(widest.scratch))} of it scratch",
        f"  weights      {human_bytes(memory.weight_bytes):>10}",
        f"  together     {human_bytes(memory.total_bytes):>10}",
    ]


def _caffe_lines(memory: Memory) -> list[str]:
    caffe = memory.caffe
    return [
        "Caffe keeps, in float32",
        f"  blobs        {human_bytes(caffe.blobs):>10}  one buffer per blob, to the end",
        f"  columns      {human_bytes(caffe.columns):>10}  a column matrix for each layer that needs one",
        f"  weights      {human_bytes(caffe.weights):>10}",
        f"  together     {human_bytes(caffe.total):>10}",
    ]


_PARTS = {"activations": "activations", "scratch": "scratch", "weights": "weights", "all": "together"}


def _verdict_parts(verdict: MemoryVerdict) -> list[Part]:
    """Each part held against the size, what is over it, and the answer."""
    limit = human_bytes(verdict.limit_bytes)
    rows = tuple(
        (
            _PARTS[need.what],
            human_bytes(need.bytes),
            percent(need.bytes, verdict.limit_bytes),
            _place(need),
            "fits" if need.fits else f"over by {human_bytes(need.bytes - verdict.limit_bytes)}",
        )
        for need in verdict.needs
    )
    parts: list[Part] = [
        Table(
            ("memory", "needed", f"of {limit}", "at", "verdict"),
            (False, True, True, False, False),
            rows,
            shrink=((3, BELOW),),
            names=(3,),
        )
    ]
    stays = next(need.bytes for need in verdict.needs if need.what == "weights")
    for need in verdict.needs:
        if need.over and not (need.what == "all" and stays > verdict.limit_bytes):  # every layer is over then
            layers = [f"{visible(one.name)} (line {one.line}) {human_bytes(one.bytes)}" for one in need.over]
            over = f"{_PARTS[need.what]} over {limit} in {plural(len(layers), 'layer')}"
            parts.append(f"{over}: {listed(layers, MOST_BLOBS)}")
    if verdict.blobs:
        parts.append(f"blobs over {limit} alone: {listed([_over(blob) for blob in verdict.blobs], MOST_BLOBS)}")
    if verdict.tilings:
        parts += ["", *_tiling_parts(verdict), ""]
    asked = verdict.asked
    answer = "fits" if asked.fits else "does not fit"
    return [*parts, f"{answer}: {_PARTS[asked.what]} {human_bytes(asked.bytes)} of {limit}"]


def _tiling_parts(verdict: MemoryVerdict) -> list[Part]:
    """The layers over the size, computed strip by strip."""
    limit = human_bytes(verdict.limit_bytes)
    rows = tuple(_tiling_row(one) for one in verdict.tilings if one.least is not None)
    cannot = [f"{visible(one.name)} (line {one.line}): {one.reason}" for one in verdict.tilings if one.reason]
    parts: list[Part] = []
    if rows:
        table = Table(
            ("by rows", "rows", "one needs", "most that fit", "strips", "need", "rows read", "halo", "read again"),
            (False, True, True, True, True, True, True, True, True),
            rows,
            shrink=((0, 12), (6, LEFT_OUT), (8, LEFT_OUT), (1, LEFT_OUT)),
        )
        parts = [table]
    if verdict.chains:
        table = Table(
            ("chain", "rows", "one needs", "most that fit", "strips", "need", "rows read", "halo", "madds again"),
            (False, True, True, True, True, True, True, True, True),
            tuple(_chain_row(one) for one in verdict.chains),
            shrink=((0, 12), (6, LEFT_OUT), (8, LEFT_OUT), (1, LEFT_OUT)),
        )
        parts += ["", "together, what lies between them never whole:", table]
    if cannot:
        parts.append(f"over {limit} and not computed by rows: {listed(cannot, MOST_BLOBS)}")
    return parts


def _tiling_row(tiling: LayerTiling) -> tuple[str, ...]:
    least, fitting = tiling.least, tiling.fitting
    return (
        visible(tiling.name),
        str(tiling.rows),
        human_bytes(least.bytes) if least is not None else "",
        *(
            ("none", "", "", "", "", "")
            if fitting is None
            else (
                str(fitting.rows),
                str(fitting.number),
                human_bytes(fitting.bytes),
                str(fitting.bottom_rows),
                str(fitting.halo),
                human_bytes(fitting.again_bytes),
            )
        ),
    )


def _chain_row(chain: ChainTiling) -> tuple[str, ...]:
    fitting = chain.fitting
    first, *_, last = chain.layers
    return (
        f"{visible(first)} to {visible(last)} ({plural(len(chain.layers), 'layer')})",
        str(chain.rows),
        human_bytes(chain.least.bytes),
        str(fitting.rows),
        str(fitting.number),
        human_bytes(fitting.bytes),
        str(fitting.bottom_rows),
        str(fitting.halo),
        human(fitting.again_madds),
    )


def _place(need: MemoryNeed) -> str:
    if need.what == "weights":
        return "the net"
    return f"{visible(need.layer)} (line {need.line})" if need.layer is not None else ""


def _over(blob: OverBlob) -> str:
    role = "" if blob.role == "activation" else f" {blob.role}"
    return f"{visible(blob.name)}{role} {blob.shape} {human_bytes(blob.bytes)}"


def size_lines(size: ModelSize) -> list[str]:
    """The estimate of a pruned and quantized model, part by part."""
    return [
        f"the model file, estimated for {size.bits}-bit values of which {percent_of(size.density)} are not 0",
        f"  values       {human_bytes(size.values):>10}  {plural(size.bits, 'bit')} each, "
        f"{plural(size.fillers, 'zero')} stored",
        f"  indices      {human_bytes(size.indices):>10}  distances of {plural(size.index_bits, 'bit')}",
        f"  codebooks    {human_bytes(size.codebooks):>10}  float32 values that the codes stand for",
        f"  others       {human_bytes(size.others):>10}  biases, scales, shifts and statistics in float32",
        f"  together     {human_bytes(size.total):>10}  {percent(size.total, size.dense)} of the "
        f"{human_bytes(size.dense)} of float32",
    ]


def percent_of(share: float) -> str:
    """A share in percent."""
    return percent(round(share * 10**6), 10**6)


def memory_csv(memory: Memory) -> Csv:
    """A record a layer, exact bytes; the size of the model and what weights hold have no place in it."""
    return csv_text(
        _FIELDS,
        (
            (
                layer.row.name,
                layer.row.type,
                layer.row.line,
                memory.bytes_of(layer.live),
                memory.bytes_of(layer.scratch),
                memory.weight_bytes_of(layer),
            )
            for layer in memory.layers
        ),
    )


def memory_document(memory: Memory) -> types.Memory:
    """The JSON document, versioned by its `schema`; all figures in bytes."""
    net = memory.counted.net
    return {
        "schema": "netcount/memory/1",
        **document.subject(net),
        "complete": net.complete,
        "bits": memory.bits,
        "weight_bits": memory.weight_bits,
        "layers": [
            {
                "name": layer.row.name,
                "type": layer.row.type,
                "line": layer.row.line,
                "live_bytes": memory.bytes_of(layer.live),
                "scratch_bytes": memory.bytes_of(layer.scratch),
                "weight_bytes": memory.weight_bytes_of(layer),
            }
            for layer in memory.layers
        ],
        "peak": {
            "layer": memory.layers[memory.peak].row.name if memory.layers else None,
            "line": memory.layers[memory.peak].row.line if memory.layers else None,
            "bytes": memory.peak_bytes,
            "alive": [
                {**document.shaped(blob.name, blob.shape), "bytes": memory.bytes_of(blob.shape.count())}
                for blob in memory.alive
            ],
        },
        "working": {
            "layer": memory.layers[memory.with_scratch].row.name if memory.layers else None,
            "bytes": memory.working_bytes,
        },
        "weight_bytes": memory.weight_bytes,
        "total_bytes": memory.total_bytes,
        "caffe": cast("types.CaffeMemory", {**memory.caffe._asdict(), "total": memory.caffe.total}),
        "model": _model(memory.model) if memory.model else None,
        "weights": [cast("types.WeightStats", row._asdict()) for row in memory.stats],
        "verdict": _verdict(memory.verdict) if memory.verdict else None,
    }


def _model(size: ModelSize) -> types.ModelSize:
    return cast("types.ModelSize", {**size._asdict(), "total": size.total})


def _strips(strips: Strips | None) -> types.Strips | None:
    return None if strips is None else cast("types.Strips", strips._asdict())


def _verdict(verdict: MemoryVerdict) -> types.MemoryVerdict:
    return {
        "limit_bytes": verdict.limit_bytes,
        "what": verdict.what,
        "fits": verdict.fits,
        "needs": [
            {
                "what": need.what,
                "bytes": need.bytes,
                "layer": need.layer,
                "line": need.line,
                "fits": need.fits,
                "over": [cast("types.OverLayer", layer._asdict()) for layer in need.over],
            }
            for need in verdict.needs
        ],
        "blobs": [
            {"name": blob.name, "role": blob.role, "shape": list(blob.shape), "bytes": blob.bytes}
            for blob in verdict.blobs
        ],
        "tilings": [
            {
                "name": tiling.name,
                "line": tiling.line,
                "rows": tiling.rows,
                "least": _strips(tiling.least),
                "fitting": _strips(tiling.fitting),
                "reason": tiling.reason or None,
            }
            for tiling in verdict.tilings
        ],
        "chains": [
            {
                "layers": list(chain.layers),
                "line": chain.line,
                "rows": chain.rows,
                "least": cast("types.Strips", chain.least._asdict()),
                "fitting": cast("types.Strips", chain.fitting._asdict()),
            }
            for chain in verdict.chains
        ],
    }
