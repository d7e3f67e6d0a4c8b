"""Whether a net fits a target: the verdict, what stands in the way, memories, and the estimated time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, cast

from netcount.analysis.count import Count
from netcount.core.units import human, human_bytes, percent, plural
from netcount.report.analysis import View, report
from netcount.report.columns import Value
from netcount.report.document import document, place, subject, warning
from netcount.report.formats.fit import BELOW
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.problems import Problem, incomplete
from netcount.report.formats.text import heading, listed, visible
from netcount.report.tabular import Csv, csv_text
from netcount.targets.estimate import CAVEAT, Estimate, LayerTime
from netcount.targets.fit import Compared, Finding, Fit, Held, Smaller, Target, WhatFits
from netcount.targets.profile import EFFECTS, Effect

if TYPE_CHECKING:
    from netcount.report import document_types as types

WORDS: dict[Effect, str] = {
    "refused": "refused",
    "wrong": "computed wrongly",
    "cpu": "on the CPU",
    "extra": "extra cost",
}
ABOUT: dict[Effect, str] = {
    "refused": "A layer that the target's tool-chain refuses, or that is over one of its memories.",
    "wrong": "A layer that the target's tool-chain takes and computes otherwise than Caffe.",
    "cpu": "A layer that the target leaves to its CPU.",
    "extra": "A layer that costs more on the target than its figures say.",
}
INCOMPLETE_TEXT = "incomplete: layers with assumed shapes are judged by their type alone"
_SHOWN = 8
_LEVELS: dict[Effect, Literal["error", "warning", "note"]] = {
    "refused": "error",
    "wrong": "error",
    "cpu": "warning",
    "extra": "note",
}


def title(target: Target) -> str:
    """A target in a heading."""
    profile = target.profile
    chosen = ", ".join(part for part in (target.precision, target.board.name if target.board else "") if part)
    return visible(f"{profile.name} ({profile.toolchain} {profile.version}{chosen and ', ' + chosen})")


def fit_report(fit: Fit, top: int | None = None) -> list[Part]:
    """The whole answer for people.  top: only so many layers of the estimate, the slowest."""
    net = fit.counted.net
    parts: list[Part] = [
        heading(net.name, net.file, f"phase {net.phase}", f"batch {net.batch or 1}", title(fit.target)),
        "",
        fit.verdict,
    ]
    if fit.findings:
        parts += ["", *_findings(fit.findings)]
    if fit.would_fit is not None:
        parts += ["", *_would_fit(fit.would_fit)]
    if fit.held:
        parts += ["", _memories(fit.held)]
    if fit.estimate is not None:
        parts += ["", *estimate_parts(fit.estimate, top)]
    if fit.compared:
        parts += ["", *_compared(fit.compared)]
    return [*parts, "", *_trust(fit)]


def _findings(findings: Sequence[Finding]) -> list[Part]:
    reasons: dict[tuple[str, str], int] = {}
    rows = []
    order = {effect: index for index, effect in enumerate(EFFECTS)}
    for finding in sorted(findings, key=lambda one: order[one.effect]):
        number = reasons.setdefault((finding.note, finding.source), len(reasons) + 1)
        rows.append(
            (
                WORDS[finding.effect],
                str(finding.place.line) if finding.layer is not None else "",
                visible(finding.layer if finding.layer is not None else "(the net)"),
                visible(finding.type),
                visible(finding.value),
                visible(finding.bound),
                f"[{number}]",
            )
        )
    table = Table(
        ("", "line", "layer", "type", "there is", "it takes", "why"),
        (False, True, False, False, False, False, False),
        tuple(rows),
        shrink=((2, 12), (5, BELOW), (4, BELOW), (6, BELOW)),
        names=(2,),
    )
    notes = [
        visible(f"[{number}] {'; '.join(text for text in reason if text) or 'the profile says no more'}")
        for reason, number in reasons.items()
    ]
    return [table, *notes]


def _would_fit(answer: WhatFits) -> list[Part]:
    if not answer.edits and not answer.rest:
        return ["it fits as it is"]
    parts: list[Part] = []
    if answer.edits:
        rows = tuple(
            (
                str(edit.line),
                visible(edit.layer),
                visible(edit.what),
                f"{edit.params:+,}",
                f"{edit.madds:+,}",
                "the same" if edit.same else "to be trained",
            )
            for edit in answer.edits
        )
        title = ("line", "layer", "what to write", "params", "madds", "computes")
        parts.append(Table(title, (True, False, False, True, True, False), rows, shrink=((2, 24), (1, 12))))
    if not answer.rest:
        return [*parts, "nothing else stops it; what the edits change is an estimate"]
    layers = [visible(name or "the file or the net") for name in answer.rest]
    parts.append(f"no edit is known for {listed(layers, _SHOWN)}")
    once = " once the edits are made" if answer.edits else ""
    for what, smaller in (("width", answer.width), ("resolution", answer.resolution)):
        if smaller is None:
            parts.append(f"no smaller {what} alone fits{once}")
        else:
            size = f"{float(smaller.width):g}" if what == "width" else "×".join(map(str, smaller.resolution or ()))
            parts.append(
                f"largest {what} that fits{once}: {size}, {human(smaller.params)} params, "
                f"{human(smaller.madds)} madds (netcount rescale writes it)"
            )
    return parts


def _memories(held: Sequence[Held]) -> Table:
    rows = [
        (
            visible(one.bank.name),
            human_bytes(one.bank.size),
            human_bytes(one.need),
            percent(one.need, one.bank.size),
            visible(f"{one.layer} (line {one.line})" if one.layer is not None else "the net"),
            "fits" if one.fits else f"over: {plural(one.over, 'layer')}" if one.layer is not None else "over",
        )
        for one in held
    ]
    return Table(
        ("memory", "holds", "at most needed", "", "by", ""),
        (False, True, True, True, False, False),
        tuple(rows),
        shrink=((4, BELOW),),
    )


def estimate_parts(estimate: Estimate, top: int | None = None) -> list[Part]:
    """The time a layer and in all, and what it rests on."""
    timed = [layer for layer in estimate.layers if layer.seconds]
    chosen = sorted(timed, key=lambda layer: -layer.seconds)[:top]
    shown = [layer for layer in timed if layer in chosen]
    rows = tuple(
        (
            visible(layer.name),
            str(layer.line),
            f"{layer.ms:.4f}",
            percent(int(layer.seconds * 10**12), int(estimate.seconds * 10**12)),
            _share(estimate.share(layer)),
            layer.bound or "",
        )
        for layer in shown
    )
    table = Table(
        ("layer", "line", "ms", "share", "utilisation", "bound by"),
        (False, True, True, True, True, False),
        rows,
        shrink=((0, 12), (5, BELOW)),
    )
    less = [f"{len(shown)} of {plural(len(timed), 'layer')} shown"] if len(shown) < len(timed) else []
    return [table, *less, "", *_sums(estimate)]


def _sums(estimate: Estimate) -> list[str]:
    speed = estimate.speed
    lines = [f"time {estimate.ms:.2f} ms an image, {_share(estimate.utilisation)} of the products used: {CAVEAT}"]
    if speed.cores > 1 and estimate.seconds:
        lines.append(
            f"{speed.cores} cores, an image each: {speed.cores / float(estimate.seconds):.1f} images a second"
        )
    by_memory = [layer for layer in estimate.layers if layer.bound == "memory"]
    share = sum(layer.seconds for layer in by_memory)
    if estimate.seconds:
        lines.append(
            f"bound by memory: {plural(len(by_memory), 'layer')}, "
            f"{percent(int(share * 10**12), int(estimate.seconds * 10**12))} of the time"
        )
    lines.append(f"multiply-adds over the peak would say {estimate.naive_ms:.2f} ms")
    lines.append(assumptions(estimate))
    if estimate.uncounted:
        lines.append(f"not in the time: {listed([visible(name) for name in estimate.uncounted], _SHOWN)}")
    return lines


def assumptions(estimate: Estimate) -> str:
    """What an estimate takes for granted, in one line."""
    speed, hardware = estimate.speed, estimate.speed.hardware
    known = [
        f"{estimate.peak // speed.clock_hz:,} products a cycle at {speed.clock_hz / 10**6:g} MHz",
        f"{speed.bandwidth / 10**9:g} GB a second" if speed.bandwidth else "memory without a bound",
        f"{hardware.weight_bits}-bit weights, {hardware.activation_bits}-bit activations",
        "layers one after the other, BatchNorm, Scale, ReLU, Concat and Softmax at no cost",
    ]
    return f"assumes {'; '.join(known)}"


def _compared(rows: Sequence[Compared]) -> list[Part]:
    table = Table(
        ("measured net", "board", "measured ms", "estimated ms", "off by"),
        (False, False, True, True, True),
        tuple(
            (
                visible(row.measured.net),
                visible(row.measured.board),
                f"{float(row.measured.ms):.2f}",
                f"{row.ms:.2f}",
                f"{row.error:+.1%}",
            )
            for row in rows
        ),
    )
    mean = sum(abs(row.error) for row in rows) / len(rows)
    return [table, f"off by {mean:.1%} on average of {plural(len(rows), 'measured time')}"]


def _share(share: float) -> str:
    return percent(round(share * 10**6), 10**6)


def _trust(fit: Fit) -> list[str]:
    profile = fit.target.profile
    lines = [
        f"rules read from {profile.toolchain} {profile.version}; reliability: {profile.reliability}",
        *(f"not checked: {text}" for text in profile.unchecked),
    ]
    if fit.unjudged:
        names = [f"{one.layer} (line {one.line}: {one.rule}, no {one.lacks})" for one in fit.unjudged]
        lines.append(f"not judged: {listed(names, _SHOWN)}")
    if not fit.complete:
        lines.append(INCOMPLETE_TEXT)
    return [visible(line) for line in lines]


def timed_reports(
    counts: Sequence[Count], estimates: Sequence[Estimate], target: Target, view: View
) -> list[Part]:
    """Reports of analyses, each with the estimated times below it."""
    parts: list[Part] = []
    for count, estimate in zip(counts, estimates, strict=True):
        parts += [""] if parts else []
        parts += [*report(count, view), "", title(target), "", *estimate_parts(estimate, view.top)]
    return parts


def timed_documents(counts: Sequence[Count], estimates: Sequence[Estimate]) -> Iterator[types.Analysis]:
    """The documents of analyses, each with its estimate."""
    for count, estimate in zip(counts, estimates, strict=True):
        yield {**document(count), "estimate": estimate_document(estimate)}


def message(fit: Fit, finding: Finding) -> str:
    """A finding in one line: `Convolution "conv1": kernel 11×11, the target takes 1..7; refused`."""
    what = f'{finding.type} "{finding.layer}"' if finding.layer is not None else "the net"
    wanted = f", {fit.target.profile.name} takes {finding.bound}" if finding.bound else ""
    note = f" ({finding.note})" if finding.note else ""
    source = f" [{finding.source}]" if finding.source else ""
    return f"{what}: {finding.value}{wanted}: {WORDS[finding.effect]}{note}{source}"


def problems(fit: Fit) -> list[Problem]:
    """The findings for CI services, at their lines."""
    id = fit.target.profile.id
    reports = [
        Problem(
            f"fit_{one.effect}",
            _LEVELS[one.effect],
            message(fit, one),
            one.place.file,
            one.place.line,
            one.place.column,
            "/".join((id, one.layer if one.layer is not None else "", one.rule)),
            ABOUT[one.effect],
        )
        for one in fit.findings
    ]
    if not fit.complete:
        reports.append(incomplete(INCOMPLETE_TEXT, fit.counted.net.file, id))
    return reports


def tally(fit: Fit) -> str:
    """The last line of a log."""
    return f"{fit.counted.net.file} on {fit.target.profile.name}: {fit.verdict}"


_FIELDS = ("target", "effect", "layer", "type", "line", "value", "bound", "rule", "note", "source")


def fit_csv(fit: Fit) -> Csv:
    """A record a finding."""
    return csv_text(_FIELDS, _records(fit))


def _records(fit: Fit) -> Iterator[list[Value]]:
    for finding in fit.findings:
        yield [
            fit.target.profile.id,
            finding.effect,
            finding.layer or "",
            finding.type,
            finding.place.line,
            finding.value,
            finding.bound,
            finding.rule,
            finding.note,
            finding.source,
        ]


def fit_document(fit: Fit) -> types.Fit:
    """The JSON document, versioned by its `schema`."""
    net = fit.counted.net
    return {
        "schema": "netcount/fit/1",
        **subject(net),
        "target": target_document(fit.target),
        "verdict": fit.verdict,
        "fits": fit.fits,
        "exit_code": fit.exit_code,
        "complete": fit.complete,
        "warnings": [warning(one) for one in fit.counted.warnings],
        "findings": [
            {
                "effect": finding.effect,
                "rule": finding.rule,
                "layer": finding.layer,
                "type": finding.type,
                "place": place(finding.place),
                "value": finding.value,
                "bound": finding.bound,
                "note": finding.note,
                "source": finding.source,
                "message": message(fit, finding),
            }
            for finding in fit.findings
        ],
        "memories": [
            {
                "name": held.bank.name,
                "bytes": held.bank.size,
                "needed_bytes": held.need,
                "layer": held.layer,
                "over": held.over,
                "fits": held.fits,
                "source": held.bank.source,
            }
            for held in fit.held
        ],
        "unjudged": [cast("types.Unjudged", one._asdict()) for one in fit.unjudged],
        "estimate": None if fit.estimate is None else estimate_document(fit.estimate),
        "would_fit": None if fit.would_fit is None else _would_fit_document(fit.would_fit),
        "measured": [
            {
                "net": row.measured.net,
                "board": row.measured.board or None,
                "measured_ms": float(row.measured.ms),
                "estimated_ms": row.ms,
                "source": row.measured.source,
            }
            for row in fit.compared
        ],
    }


def _would_fit_document(answer: WhatFits) -> types.WouldFit:
    return {
        "edits": [cast("types.Edit", edit._asdict()) for edit in answer.edits],
        "rest": list(answer.rest),
        "width": _smaller(answer.width),
        "resolution": _smaller(answer.resolution),
    }


def _smaller(net: Smaller | None) -> types.Smaller | None:
    if net is None:
        return None
    size = None if net.resolution is None else list(net.resolution)
    return {"width": float(net.width), "resolution": size, "params": net.params, "madds": net.madds}


def target_document(target: Target) -> types.FitTarget:
    """Which target, and how far its rules can be trusted."""
    profile = target.profile
    return {
        "id": profile.id,
        "name": profile.name,
        "vendor": profile.vendor,
        "toolchain": profile.toolchain,
        "version": profile.version,
        "precision": target.precision or None,
        "board": target.board.name if target.board else None,
        "reliability": profile.reliability,
        "sources": list(profile.sources),
        "unchecked": list(profile.unchecked),
    }


def estimate_document(estimate: Estimate) -> types.Estimate:
    """The estimated time; seconds as fractions of one."""
    return {
        "caveat": CAVEAT,
        "assumptions": assumptions(estimate),
        "ms": estimate.ms,
        "images_a_second": estimate.speed.cores / float(estimate.seconds) if estimate.seconds else None,
        "utilisation": min(1.0, estimate.utilisation),
        "naive_ms": estimate.naive_ms,
        "uncounted": list(estimate.uncounted),
        "layers": [_time(estimate, layer) for layer in estimate.layers],
    }


def _time(estimate: Estimate, layer: LayerTime) -> types.LayerTime:
    return {
        "name": layer.name,
        "type": layer.type,
        "line": layer.line,
        "cycles": layer.cycles,
        "bytes": layer.bytes,
        "ms": layer.ms,
        "utilisation": min(1.0, estimate.share(layer)),
        "bound": layer.bound,
    }
