"""A survey of many nets: a row a net, in any format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netcount.analysis.survey import Survey, SurveyRow
from netcount.core.errors import InputError
from netcount.core.suggest import unknown
from netcount.core.units import human, human_bytes, plural
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import visible
from netcount.report.tabular import csv_text

SCHEMA = "netcount/survey/1"
KEYS = SurveyRow._fields
_TEXTS = ("file", "net", "phase", "error")


def check_column(key: str | None) -> None:
    """InputError for a column that a survey does not have."""
    if key is not None and key not in KEYS:
        raise InputError(unknown("column", visible(key), KEYS, show_all=True))


def arranged(survey: Survey, sort: str | None) -> list[SurveyRow]:
    """The rows, sorted by a column where one is named (numbers from the largest), errors last."""
    if sort is None:
        return list(survey.rows)
    check_column(sort)
    rows = sorted(survey.rows, key=lambda row: getattr(row, sort), reverse=sort not in _TEXTS)
    return sorted(rows, key=lambda row: bool(row.error))


def report(survey: Survey, sort: str | None = None) -> list[Part]:
    """The table for people, errors below it."""
    rows = arranged(survey, sort)
    good = [row for row in rows if not row.error]
    parts: list[Part] = []
    if good:
        parts.append(
            Table(
                (
                    "file",
                    "net",
                    "phase",
                    "input",
                    "params",
                    "madds",
                    "activations",
                    "weights",
                    "notes",
                ),
                (False, False, False, True, True, True, True, True, False),
                tuple(_cells(row) for row in good),
                shrink=((1, 12), (0, 20)),
            )
        )
    parts += [visible(f"error: {_placed(row)}") for row in rows if row.error]
    failed = len(rows) - len(good)
    errors = f", {plural(failed, 'file')} with errors" if failed else ""
    parts.append(plural(len(good), "net") + errors)
    if survey.interrupted:
        parts.append("interrupted: other files were not counted")
    return parts


def _placed(row: SurveyRow) -> str:
    return row.error if row.file in row.error else f"{row.file}: {row.error}"


def _cells(row: SurveyRow) -> tuple[str, ...]:
    notes = [plural(row.warnings, "warning")] if row.warnings else []
    notes += [] if row.complete else ["incomplete"]
    return (
        visible(row.file),
        visible(row.net),
        row.phase,
        "×".join(map(str, row.input)),
        human(row.params),
        human(row.madds),
        human(row.activations),
        human_bytes(row.weight_bytes),
        ", ".join(notes),
    )


def survey_csv(survey: Survey, sort: str | None = None) -> str:
    """One record a file, exact integers; those with an error have no figures."""
    return csv_text(KEYS, (_record(row) for row in arranged(survey, sort)))


def _record(row: SurveyRow) -> Sequence[int | str]:
    if row.error:
        return [getattr(row, key) if key in ("file", "error") else "" for key in KEYS]
    values = {**row._asdict(), "input": "x".join(map(str, row.input))}
    return [int(value) if isinstance(value, bool) else value for value in values.values()]


def survey_document(survey: Survey, sort: str | None = None) -> dict[str, Any]:
    """The JSON document; figures are null where there is an error."""
    nets = []
    for row in arranged(survey, sort):
        values: dict[str, Any] = row._asdict()
        values["input"] = list(row.input)
        values["error"] = row.error or None
        if row.error:
            values = {key: v if key in ("file", "error") else None for key, v in values.items()}
        nets.append(values)
    return {"schema": SCHEMA, "interrupted": survey.interrupted, "nets": nets}
