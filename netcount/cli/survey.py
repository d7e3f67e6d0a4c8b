"""`netcount survey`: a row a net, for many nets."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from netcount.analysis.survey import Survey, SurveyRow
from netcount.analysis.survey import survey as surveyed
from netcount.cli.options import convention_option, load_arguments, named_convention, net_options
from netcount.cli.output import INCOMPLETE, emit, show
from netcount.errors import InputError
from netcount.report.survey import KEYS

BAD_INPUT, INTERRUPTED = 2, 130


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--jobs", "-j", type=click.IntRange(min=1), help="Processes; one a processor if not told.")
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(["table", "csv", "markdown", "json"]),
    default="table",
    show_default=True,
)
@click.option("--output", "-o", metavar="FILE", help="Write to a file, replaced whole.")
@click.option("--sort", metavar="KEY", help="Sort by a column, numbers from the largest.")
@click.option("--progress/--no-progress", default=None, help="A bar on standard error.")
@net_options
@convention_option
def survey(
    paths: tuple[str, ...],
    jobs: int | None,
    form: str,
    output: str | None,
    sort: str | None,
    progress: bool | None,
    convention: str,
    **options: Any,
) -> None:
    """What many nets cost: a row a net.

    PATH is a prototxt, a folder (every .prototxt below it is taken) or a glob in quotes. A file
    that cannot be counted has its error in its row and does not stop the others; interrupted, the
    rows that are done are shown.

    \b
    Examples:
      netcount survey models/ --sort madds
      netcount survey 'zoo/**/deploy*.prototxt' --format csv -o zoo.csv

    Exit codes: 0 all counted, 2 a file has an error, 3 a net is incomplete, 130 interrupted.
    """
    arguments = load_arguments(options)
    if sort is not None and sort not in KEYS:
        raise InputError(f'there is no column "{sort}"; known are {", ".join(KEYS)}')
    shown = sys.stderr.isatty() if progress is None else progress
    with _bar(shown) as (on_start, on_row):
        found = surveyed(
            paths,
            jobs=jobs,
            convention=named_convention(convention),
            options=arguments,
            on_start=on_start,
            on_row=on_row,
        )
    _write(found, form, output, sort)
    raise click.exceptions.Exit(_code(found))


def _code(found: Survey) -> int:
    if found.interrupted:
        return INTERRUPTED
    if any(row.error for row in found.rows):
        return BAD_INPUT
    return INCOMPLETE if any(not row.complete for row in found.rows) else 0


def _write(found: Survey, form: str, output: str | None, sort: str | None) -> None:
    from netcount.report.survey import report, survey_csv, survey_document

    if form == "json":
        import json

        emit(json.dumps(survey_document(found, sort), indent=2, ensure_ascii=True) + "\n", output)
    elif form == "csv":
        emit(survey_csv(found, sort), output)
    elif form == "markdown":
        from netcount.report.markdown import markdown

        emit(markdown(report(found, sort)), output)
    elif output is not None:
        from netcount.report.layout import plain

        emit(plain(report(found, sort)), output)
    else:
        show(report(found, sort))


@contextmanager
def _bar(
    wanted: bool,
) -> Iterator[tuple[Callable[[int], None] | None, Callable[[SurveyRow], None] | None]]:
    """A progress bar's two ends: how many files there are, and that one is done."""
    if not wanted:
        yield None, None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("nets"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("nets", total=None)
        yield (
            lambda total: progress.update(task, total=total),
            lambda row: progress.update(task, advance=1),
        )
