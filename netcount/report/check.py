"""The result of a check: lines for people, and the JSON document, versioned by its `schema`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, cast

from netcount.analysis._support.record import field_text, record
from netcount.analysis.compare import LayerChange
from netcount.analysis.figures import FIGURES, SHARES, moved_by, sums_of
from netcount.budget.budget import Checked, Finding, exit_code
from netcount.budget.limits import FIT, LISTED
from netcount.core.errors import NetcountError
from netcount.core.exit_codes import BAD_INPUT, DONE, FAILED, INCOMPLETE
from netcount.core.units import percent, plural
from netcount.report.columns import Value
from netcount.report.comparison import shape_text
from netcount.report.document import place, totals, warning
from netcount.report.formats.amounts import amount
from netcount.report.formats.layout import Folded, Part, Table
from netcount.report.formats.problems import Problem, incomplete, unreadable
from netcount.report.formats.text import listed, visible
from netcount.report.tabular import Csv, csv_text

if TYPE_CHECKING:
    from netcount.report import document_types as types

STATUS = {DONE: "within", FAILED: "over", BAD_INPUT: "error", INCOMPLETE: "incomplete"}
INCOMPLETE_TEXT = (
    "incomplete: the cost of layers with assumed shapes is not counted, so that nothing can be "
    "promised (allow_incomplete = true accepts it)"
)
_CHANGES = 5
_MOST_TIMES = 10
_MOST_ROWS = 60
"""Limits on a page; of more only those that are broken."""
_MOST_NAMES = 10
_MOST_BLAMED = 20
"""Folds of a summary, which has to fit a comment."""


def amounts(figure: str, *values: int | Fraction) -> list[str]:
    """Values as people read them; exact ones where rounded ones would look equal and are not.

    >>> amounts("madds", 1_300_001, 1_300_000), amounts("madds", 1_400_000, 1_300_000)
    (['1,300,001', '1,300,000'], ['1.40M', '1.30M'])
    """
    shown = [_rounded(figure, value) for value in values]
    if len(set(shown)) < len(set(values)):
        return [_exact(figure, value) for value in values]
    return shown


def _rounded(figure: str, value: int | Fraction) -> str:
    if figure in SHARES:
        return percent(*Fraction(value).as_integer_ratio()) if value else "0.00%"
    return amount(figure, int(value))


def _exact(figure: str, value: int | Fraction) -> str:
    if figure in SHARES:
        return f"{float(value) * 100:.10g}% ({value})"
    return f"{int(value):,}"


def summary(net: Checked, finding: Finding) -> str:
    """One line: the net or layer, the figure, the limit, by how much."""
    limit = finding.limit
    where = f'{net.title}: layer "{finding.layer}"' if finding.layer is not None else net.title
    if limit.side == FIT:
        verdict, *_ = finding.notes
        return f"{where}: {limit.text}: {verdict}"
    if limit.side in LISTED:
        kinds = ", ".join(sorted({row.type for row, _ in finding.rows}))
        if finding.passed:
            return f"{where}: layer types keep to {limit.rule}"
        verb = "forbidden" if limit.side == "forbidden" else "not allowed"
        return f"{where}: {plural(int(finding.value), 'layer')} of a type that is {verb}: {kinds}"
    name = f"{limit.kernel} {limit.figure}" if limit.kernel else limit.figure
    over = finding.over
    value, bound = amounts(limit.figure, finding.value, finding.bound)
    if finding.passed:
        return f"{where}: {name} {value} keeps to {limit.rule} {limit.text}"
    by = _rounded(limit.figure, over)
    if by == "0.00%":
        by = _exact(limit.figure, over)
    of = "" if limit.figure in SHARES else _part(int(over), int(finding.bound))
    side = "under" if limit.side == "min" else "over"
    text = f"{where}: {name} {value} is {side} {limit.rule} {bound} by {by}{of}"
    if limit.side == "increase" and finding.base is not None:
        base, now = amounts(limit.figure, finding.base, finding.value)
        grown = _part(int(finding.value) - finding.base, finding.base)
        text = (
            f"{where}: {name} grew from {base} to {now}{grown and grown + ' of the baseline'}; "
            f"{limit.rule} is {limit.text}, exceeded by {by}"
        )
    return text


def _part(part: int, whole: int) -> str:
    """`, 2.50%`; nothing where there is no whole, a rounded zero, or so much that nobody thinks in percent."""
    shown = percent(part, whole if part <= _MOST_TIMES * whole else 0)
    return "" if shown in ("-", "0.00%") else f", {shown}"


def details(net: Checked, finding: Finding) -> list[str]:
    """The layers that changed since the baseline, causes first, and those that cost most of a figure."""
    figure = finding.limit.figure
    lines = list(finding.notes[1:])
    changed = [_changed(change, figure) for change in finding.changes[:_CHANGES]]
    if changed:
        lines.append("changed since the baseline:")
        lines += [f"  {net.file}:{text}" if text[0].isdigit() else f"  {text}" for text in changed]
        if len(finding.changes) > _CHANGES:
            lines.append(f"  and {len(finding.changes) - _CHANGES} more")
    if finding.layer is not None:
        return lines
    indent = "  " if changed and finding.rows else ""
    if indent:
        lines.append("most of it now:")
    for row, value in () if finding.limit.side == FIT else finding.rows:
        cost = "" if figure in ("types", "layers") else f"  {_amount(figure, value, finding)}"
        lines.append(f"{indent}{net.file}:{row.line}  {row.name} ({row.type}){cost}")
    return lines


def _amount(figure: str, value: int, finding: Finding) -> str:
    if figure in SHARES:
        return _rounded("madds", value)
    if FIGURES[figure].whole == "largest":
        return _exact(figure, value)
    return f"{_rounded(figure, value)}  {percent(value, int(finding.value))}"


def _changed(change: LayerChange, figure: str) -> str:
    key = moved_by(figure)
    layer = change.layer
    at = f"{layer.line}  " if change.after else ""
    was = f' (was "{change.before.name}")' if change.kind == "renamed" and change.before else ""
    told = "; ".join(text for text in (field_text(change), shape_text(change)) if text)
    return f"{at}{layer.name} {change.kind}{was}: {change.delta(key):+,} {key}{'  ' if told else ''}{told}"


def problems(nets: Sequence[Checked]) -> list[Problem]:
    """Everything that is broken, for CI services; rule ids are the limits' keys, whatever their values."""
    return [problem for net in nets for problem in _problems(net)]


def _problems(net: Checked) -> Iterator[Problem]:
    for mistake in net.problems:
        yield unreadable(mistake, net.file, net.label)
    for finding in net.findings:
        if not finding.passed:
            limit = finding.limit
            key = "/".join(part for part in (net.label, limit.kernel, finding.layer) if part)
            text = "\n".join(map(visible, [summary(net, finding), *details(net, finding)]))
            level: Literal["error", "warning"] = "error" if finding.level == "error" else "warning"
            yield Problem(limit.rule, level, text, net.file, finding.line, 0, key, _about(limit.rule))
    if net.incomplete:
        yield incomplete(f"{net.title}: {INCOMPLETE_TEXT}", net.file, net.label)


def _about(name: str) -> str:
    if name == FIT:
        return "fit: the targets a net has to fit."
    if name.endswith("_types"):
        return f"The layer types a net may have: {name}."
    figure = name.removeprefix("max_increase_").removeprefix("max_").removeprefix("min_")
    about = f"share of the net's {SHARES[figure].key}" if figure in SHARES else FIGURES[figure].meaning
    return f"{name}: a limit on the {about}."


def report(nets: Sequence[Checked]) -> list[Part]:
    """The whole result for people, as `lines`."""
    return [*lines(nets)]


def lines(nets: Sequence[Checked]) -> list[str]:
    """The whole result for people."""
    texts: list[str] = []
    for net in nets:
        if net.error is not None:
            continue  # said on standard error, as every command does
        broken = [item for item in net.findings if not item.passed]
        for item in broken:
            label = "FAIL" if item.level == "error" else "warn"
            place = f"   [{item.limit.place}]" if item.limit.place else ""
            texts.append(visible(f"{label}  {summary(net, item)}{place}"))
            texts += [visible(f"        {line}") for line in details(net, item)]
        if net.counted is not None:
            texts += [visible(f"note  {net.title}: assumed: {note}") for note in net.counted.net.assumptions]
            texts += [visible(f"warn  {net.title}: {note}") for note in net.counted.warnings]
        if net.incomplete:
            texts.append(visible(f"FAIL  {net.title}: {INCOMPLETE_TEXT}"))
        kept = f"{len(net.findings) - len(broken)} of {plural(len(net.findings), 'limit')} kept"
        if net.exit_code == DONE:
            noted = len(net.counted.warnings) if net.counted else 0
            rest = f"; {len(broken)} broken at level warn" if broken else ""
            rest += f"; {plural(noted, 'warning')}" if noted else ""
            texts.append(visible(f"{'pass' if rest else 'ok  '}  {net.title}: {kept}{rest}"))
        elif len(broken) < len(net.findings):
            texts.append(visible(f"      {net.title}: {kept}"))
        texts += [visible(f"        {line}") for line in headroom(net)]
    return [*texts, tally(nets)]


def headroom(net: Checked) -> list[str]:
    """What every limit that is kept leaves; of one for layers the tightest of them tells."""
    groups: dict[int, list[Finding]] = {}
    for finding in net.findings:
        if finding.left is not None:
            groups.setdefault(id(finding.limit), []).append(finding)
    lines = []
    for group in groups.values():
        tightest = min(group, key=_share_left)
        limit, left = tightest.limit, tightest.left or 0
        value, bound = amounts(limit.figure, tightest.value, tightest.bound)
        name = f"{limit.rule} {limit.kernel}".rstrip()
        where = f', tightest of {len(group)} at "{tightest.layer}"' if tightest.layer is not None else ""
        share = percent(*_share_left(tightest).as_integer_ratio()) if tightest.bound else ""
        part = f" ({share})" if share and limit.figure not in SHARES else ""
        lines.append(f"{name}: {value} of {bound}, {_rounded(limit.figure, left)} left{part}{where}")
    return lines


def _share_left(finding: Finding) -> Fraction:
    return Fraction(finding.left or 0) / Fraction(finding.bound) if finding.bound else Fraction(finding.left or 0)


def tally(nets: Sequence[Checked]) -> str:
    """How many nets came out how."""
    counts = dict.fromkeys(("within budget", "with warnings only", "over", "incomplete", "with errors"), 0)
    words = {FAILED: "over", INCOMPLETE: "incomplete", BAD_INPUT: "with errors"}
    checked = [net for net in nets if net.is_net]
    for net in checked:
        quiet = all(finding.passed for finding in net.findings) and not (net.counted and net.counted.warnings)
        kept = "within budget" if quiet else "with warnings only"
        counts[words.get(net.exit_code, kept)] += 1
    told = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
    text = f"{plural(len(checked), 'net')}: {told}" if checked else "no net is checked"
    return text if len(checked) == len(nets) else f"{text}; the budgets have errors"


def parts(nets: Sequence[Checked]) -> list[Part]:
    """A summary for a page, or a comment on a pull request: what was, what is, what may be and what is left.

    Nets that are as they were in the baseline, and within budget, are named in one line; which layers are to
    blame is folded.
    """
    still = [net for net in nets if _unchanged(net)]
    shown = [net for net in nets if net not in still]
    findings = [(net, finding) for net in shown for finding in net.findings]
    before = any(finding.base is not None for _, finding in findings)
    layers = any(finding.layer is not None for _, finding in findings)
    rows = [_page_row(net, finding) for net, finding in findings[:_MOST_ROWS]]
    rows += [_page_row(*pair) for pair in findings[_MOST_ROWS:] if not pair[1].passed]
    rows += [
        ("error", visible(net.title), "", visible(str(problem)), "", "", "", "", "")
        for net in shown
        for problem in net.problems
    ]
    columns = [0, 1, *([2] if layers else []), 3, *([4] if before else []), 5, *([6] if before else []), 7, 8]
    titles = ("", "net", "layer", "limit", "before", "now", "change", "allowed", "left")
    result: list[Part] = [f"netcount check: {tally(nets)}", ""]
    if rows:
        result.append(
            Table(
                tuple(titles[column] for column in columns),
                tuple(column >= 4 for column in columns),
                tuple(tuple(row[column] for column in columns) for row in rows),
            )
        )
    if len(rows) < len(findings):
        result.append(f"and {len(findings) - len(rows)} more limits that are kept")
    result += _blame(findings)
    result += [visible(f"{net.title}: {INCOMPLETE_TEXT}") for net in nets if net.incomplete]
    if still:
        result.append(
            f"as in the baseline, and within budget: {listed([net.title for net in still], _MOST_NAMES)}"
        )
    return result


def _blame(findings: Sequence[tuple[Checked, Finding]]) -> Iterator[Part]:
    """What broke which limit; the layers to blame are folded, and stand once where they broke several."""
    titles: dict[tuple[str, ...], list[str]] = {}
    for net, finding in findings:
        if not finding.passed:
            lines = tuple(visible(line.strip()) for line in details(net, finding))
            titles.setdefault((net.title, *lines), []).append(visible(summary(net, finding)))
    for number, (key, texts) in enumerate(titles.items()):
        if number == _MOST_BLAMED:
            yield f"and {len(titles) - number} more, which the table names"
            return
        *above, last = texts
        yield from above
        yield Folded(last, key[1:]) if key[1:] else last


def _unchanged(net: Checked) -> bool:
    """Whether a net keeps every limit at the figures of the baseline."""
    held = [finding for finding in net.findings if finding.base is not None]
    same = all(finding.passed and finding.base in (None, finding.value) for finding in net.findings)
    return bool(held) and same and not (net.problems or net.incomplete or (net.counted and net.counted.warnings))


def _page_row(net: Checked, finding: Finding) -> tuple[str, ...]:
    """State, net, layer, limit, before, now, change, what is allowed, and what is left of it."""
    limit, base = finding.limit, finding.base
    typed = limit.side in LISTED
    value, bound = amounts(limit.figure, finding.value, finding.bound)
    state = "ok" if finding.passed else "over" if finding.level == "error" else "warn"
    if limit.side == "min" and state == "over":
        state = "under"
    was = "" if base is None else _rounded(limit.figure, base)
    change = "" if base is None else _share_of(int(finding.value) - base, base)
    return (
        state,
        visible(net.title),
        visible(finding.layer or ""),
        f"{limit.rule} {limit.kernel}".rstrip(),
        was,
        plural(int(finding.value), "layer") if typed else value,
        change,
        visible(limit.text) if typed else bound,
        _left(finding),
    )


def _left(finding: Finding) -> str:
    """The headroom of a limit, below zero where it is broken."""
    if finding.limit.side in LISTED or finding.limit.side == FIT:
        return ""
    if finding.passed:
        return "" if finding.left is None else _rounded(finding.limit.figure, finding.left)
    by = _rounded(finding.limit.figure, finding.over)
    return f"-{_exact(finding.limit.figure, finding.over) if by == '0.00%' else by}"


def _share_of(part: int, whole: int) -> str:
    """By how many percent a figure grew; nothing where it did not."""
    return f"{'+' if part > 0 else ''}{percent(part, whole)}" if part and whole else ""


_FIELDS = (
    "net", "file", "status", "rule", "kernel", "layer", "line", "level", "passed", "value", "limit", "over",
    "left", "base", "message",
)  # fmt: skip


def check_csv(nets: Sequence[Checked]) -> Csv:
    """A record a limit, exact values; a net that cannot be counted has one for each error."""
    return csv_text(_FIELDS, (record for net in nets for record in _records(net)))


def _records(net: Checked) -> Iterator[list[Value]]:
    head: list[Value] = [net.label, net.file, STATUS[net.exit_code]]
    for problem in net.problems:
        yield [*head, "", "", "", problem.place.line if problem.place else "", *[""] * 7, str(problem)]
    for finding in net.findings:
        limit = finding.limit
        yield [
            *head,
            limit.rule,
            limit.kernel,
            finding.layer or "",
            finding.line,
            finding.level,
            int(finding.passed),
            _plain(finding.value),
            _plain(finding.bound),
            _plain(finding.over),
            "" if finding.left is None else _plain(finding.left),
            "" if finding.base is None else finding.base,
            summary(net, finding),
        ]


def document(nets: Sequence[Checked]) -> types.CheckResult:
    """The JSON document (schemas/check.json): exact integers, shares as fractions."""
    code = exit_code(nets)
    return {
        "schema": "netcount/check/1",
        "ok": code == DONE,
        "exit_code": code,
        "errors": [_problem(problem) for net in nets if not net.is_net for problem in net.problems],
        "nets": [_net(net) for net in nets if net.is_net],
    }


def _net(net: Checked) -> types.CheckedNet:
    counted = net.counted
    return {
        "net": net.label,
        "file": net.file,
        "status": STATUS[net.exit_code],
        "complete": counted.net.complete if counted else False,
        "assumptions": [warning(note) for note in counted.net.assumptions] if counted else [],
        "totals": totals(sums_of(counted.layers)) if counted else None,
        "warnings": [warning(note) for note in counted.warnings] if counted else [],
        "errors": [_problem(problem) for problem in net.problems],
        "checks": [_finding(net, finding) for finding in net.findings],
    }


def _problem(problem: NetcountError) -> types.Error:
    return {"place": place(problem.place), "message": problem.message}


def _finding(net: Checked, finding: Finding) -> types.Check:
    limit = finding.limit
    return {
        "rule": limit.rule,
        "kernel": limit.kernel or None,
        "layer": finding.layer,
        "line": finding.line,
        "level": finding.level,
        "passed": finding.passed,
        "value": _plain(finding.value),
        "limit": _plain(finding.bound),
        "over": _plain(finding.over),
        "left": None if finding.left is None else _plain(finding.left),
        "base": finding.base,
        "written": limit.text,
        "place": place(limit.place),
        "message": summary(net, finding),
        "layers": [
            {"name": row.name, "type": row.type, "line": row.line, "value": value} for row, value in finding.rows
        ],
        "changes": [cast("types.Change", record(change)) for change in finding.changes],
    }


def _plain(value: int | Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)
