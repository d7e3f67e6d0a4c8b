"""A survey of many nets: a row per net, in any format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from netcount.analysis.figures import MAIN
from netcount.analysis.survey import Survey, SurveyRow
from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.core.suggest import unknown
from netcount.core.units import plural
from netcount.report.formats.amounts import amount
from netcount.report.formats.fit import BELOW, LEFT_OUT
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import visible
from netcount.report.tabular import Csv, csv_text

if TYPE_CHECKING:
    from netcount.report import document_types as types

_BEFORE, _AFTER = ("file", "net", "phase", "input", "layers"), ("warnings", "complete", "error")
_FIGURES = tuple(figure.key for figure in MAIN)
_SHOWN = tuple(figure for figure in MAIN if figure.brief)
KEYS = (*_BEFORE, *_FIGURES, *_AFTER)
_TEXTS = ("file", "net", "phase", "error")


def check_column(sort: str | None) -> None:
    """InputError for a column that a survey does not have, among those that `sort` names."""
    for key in _keys(sort):
        if key not in KEYS:
            raise InputError(unknown("column", visible(key), KEYS, show_all=True))


def _keys(sort: str | None) -> list[str]:
    return [key.strip() for key in sort.split(",")] if sort is not None else []


def arranged(survey: Survey, sort: str | None) -> list[SurveyRow]:
    """The rows, sorted by the columns that are named (numbers from the largest), errors last."""
    check_column(sort)
    rows = list(survey.rows)
    for key in reversed(_keys(sort)):
        rows.sort(key=lambda row: _values(row)[key], reverse=key not in _TEXTS)
    return sorted(rows, key=lambda row: bool(row.error)) if sort is not None else rows


def report(survey: Survey, sort: str | None = None) -> list[Part]:
    """The table for people, errors below it."""
    rows = arranged(survey, sort)
    good = [row for row in rows if not row.error]
    parts: list[Part] = []
    if good:
        parts.append(
            Table(
                ("file", "net", "phase", "input", *(figure.heading for figure in _SHOWN), "notes"),
                (False, False, False, True, *(True for _ in _SHOWN), False),
                tuple(_cells(row) for row in good),
                shrink=(
                    (1, 12),
                    (0, 20),
                    (2, LEFT_OUT),
                    (1, LEFT_OUT),
                    (0, 14),
                    (4 + len(_SHOWN), BELOW),
                    (3, BELOW),
                ),
                names=(0, 1),
            )
        )
    parts += [visible(f"error: {_placed(row)}") for row in rows if row.error]
    failed = len(rows) - len(good)
    errors = f", {plural(failed, 'file')} with errors" if failed else ""
    parts.append(plural(len(good), "net") + errors)
    if survey.interrupted:
        parts.append("interrupted: other files were not counted")
    return parts


def _values(row: SurveyRow) -> dict[str, Any]:
    """The exact values by key, in the order of KEYS."""
    return {key: row.figures.get(key, 0) if key in _FIGURES else getattr(row, key) for key in KEYS}


def _placed(row: SurveyRow) -> str:
    return row.error if row.file in row.error else f"{row.file}: {row.error}"


def _cells(row: SurveyRow) -> tuple[str, ...]:
    notes = [plural(row.warnings, "warning")] if row.warnings else []
    notes += [] if row.complete else ["incomplete"]
    return (
        visible(row.file),
        visible(row.net),
        row.phase,
        Shape(row.input).hwc() if row.input else "",
        *(amount(figure.key, row.figures.get(figure.key, 0)) for figure in _SHOWN),
        ", ".join(notes),
    )


def survey_csv(survey: Survey, sort: str | None = None) -> Csv:
    """One record a file, exact integers; those with an error have no figures."""
    return csv_text(KEYS, (_record(row) for row in arranged(survey, sort)))


def _record(row: SurveyRow) -> Sequence[int | str]:
    if row.error:
        return [getattr(row, key) if key in ("file", "error") else "" for key in KEYS]
    values = {**_values(row), "input": "x".join(map(str, row.input))}
    return [int(value) if isinstance(value, bool) else value for value in values.values()]


def survey_document(survey: Survey, sort: str | None = None) -> types.Survey:
    """The JSON document; figures are null where there is an error."""
    nets = []
    for row in arranged(survey, sort):
        values = _values(row)
        values["input"] = list(row.input)
        values["error"] = row.error or None
        if row.error:
            values = {key: v if key in ("file", "error") else None for key, v in values.items()}
        nets.append(cast("types.SurveyRow", values))
    return {"schema": "netcount/survey/1", "interrupted": survey.interrupted, "nets": nets}
