"""What in a net costs and does nothing: a line a finding, what it costs, what to write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from netcount.analysis._support.smells import CODES, LintFinding
from netcount.analysis.lint import Lint
from netcount.core.units import human, human_bytes
from netcount.report.columns import Value
from netcount.report.document import place, subject, warning
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.problems import Problem, incomplete
from netcount.report.formats.text import heading, visible
from netcount.report.tabular import Csv, csv_text

if TYPE_CHECKING:
    from netcount.report import document_types as types

INCOMPLETE_TEXT = "incomplete: what assumed layers cost and do is not known"


def cost(finding: LintFinding) -> str:
    """What it costs, in words; empty where it costs nothing."""
    parts = [f"{human(finding.params)} params"] if finding.params else []
    parts += [f"{human(finding.madds)} madds"] if finding.madds else []
    parts += [human_bytes(finding.bytes)] if finding.bytes else []
    return ", ".join(parts)


def message(finding: LintFinding) -> str:
    """A finding in one line: `Convolution "conv1": …; costs 64 params; write bias_term: false [code]`."""
    costs = f"; costs {cost(finding)}" if cost(finding) else ""
    what = f'{finding.type} "{finding.layer}": {finding.message}'
    return f"{what}{costs}; to do: {finding.write} [{finding.code}]"


def _head(answer: Lint) -> list[Part]:
    net = answer.counted.net
    target = [f"channels for {answer.target}"] if answer.target else []
    return [heading(net.name, net.file, f"phase {net.phase}", f"batch {net.batch or 1}", *target), ""]


def lint_page(answer: Lint) -> list[Part]:
    """The whole answer as a table, for a page or Markdown."""
    rows = tuple(
        (
            str(one.place.line),
            one.level,
            one.code,
            visible(one.layer),
            visible(one.type),
            visible(one.message),
            cost(one),
            visible(one.write),
        )
        for one in answer.findings
    )
    titles = ("line", "", "code", "layer", "type", "what there is", "costs", "to do")
    table: list[Part] = [Table(titles, (True, *(False,) * 7), rows), ""] if rows else []
    return [*_head(answer), *table, *_tail(answer)]


def _tail(answer: Lint) -> list[Part]:
    return [answer.verdict, *([] if answer.complete else [INCOMPLETE_TEXT])]


def lint_report(answer: Lint) -> list[Part]:
    """The whole answer for people, as compilers write it."""
    parts = _head(answer)
    for finding in answer.findings:
        where = f"{finding.place}: {finding.level} {finding.code}"
        parts += [visible(where), visible(f'  {finding.type} "{finding.layer}": {finding.message}')]
        if cost(finding):
            parts.append(f"  costs: {cost(finding)}")
        parts += [visible(f"  to do: {finding.write}"), ""]
    return [*parts, *_tail(answer)]


def problems(answer: Lint) -> list[Problem]:
    """The findings for CI services, at their lines."""
    reports = [
        Problem(
            f"lint_{one.code}",
            one.level,
            message(one),
            one.place.file,
            one.place.line,
            one.place.column,
            one.layer,
            CODES[one.code].about,
        )
        for one in answer.findings
    ]
    if not answer.complete:
        reports.append(incomplete(INCOMPLETE_TEXT, answer.counted.net.file, ""))
    return reports


def tally(answer: Lint) -> str:
    """The last line of a log."""
    return f"{answer.counted.net.file}: {answer.verdict}"


FIELDS = ("code", "level", "layer", "type", "line", "message", "write", "params", "madds", "bytes")


def lint_csv(answer: Lint) -> Csv:
    """A record a finding."""
    return csv_text(FIELDS, lint_records(answer))


def lint_records(answer: Lint) -> Iterator[list[Value]]:
    """A record a finding, in the order of `FIELDS`."""
    for one in answer.findings:
        yield [one.place.line if key == "line" else getattr(one, key) for key in FIELDS]


def lint_document(answer: Lint) -> types.Lint:
    """The JSON document, versioned by its `schema`."""
    return {
        "schema": "netcount/lint/1",
        **subject(answer.counted.net),
        "verdict": answer.verdict,
        "exit_code": answer.exit_code,
        "complete": answer.complete,
        "target": answer.target or None,
        "ignored": answer.ignored,
        "warnings": [warning(one) for one in answer.counted.warnings],
        "findings": [
            {
                "code": one.code,
                "level": one.level,
                "layer": one.layer,
                "type": one.type,
                "place": place(one.place),
                "message": one.message,
                "write": one.write,
                "params": one.params,
                "madds": one.madds,
                "bytes": one.bytes,
            }
            for one in answer.findings
        ],
    }
