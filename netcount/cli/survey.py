"""`netcount survey`: a row per net, for many nets."""

from __future__ import annotations

from typing import Any

import click

from netcount.analysis.survey import Survey
from netcount.analysis.survey import survey as surveyed
from netcount.cli.options import (
    FORMATS,
    convention_option,
    format_options,
    load_options,
    named_convention,
    net_options,
)
from netcount.cli.output import deliver, forms_of, progress_bar
from netcount.core.exit_codes import BAD_INPUT, DONE, INCOMPLETE, INTERRUPTED
from netcount.report.survey import arranged, check_column


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--jobs", "-j", type=click.IntRange(min=1), help="Number of processes (default: one per processor).")
@format_options(*FORMATS)
@click.option("--sort", metavar="KEY,...", help="Sort by columns, numbers from the largest.")
@click.option("--progress/--no-progress", default=None, help="Show a progress bar on standard error.")
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
    """What many nets cost: a row per net.

    PATH is a prototxt, a folder (every .prototxt below it is taken) or a glob in quotes. A file
    that cannot be counted has its error in its row and does not stop the others; interrupted, the
    rows that are done are shown.

    \b
    Examples:
      netcount survey models/ --sort madds
      netcount survey 'zoo/**/deploy*.prototxt' --format csv -o zoo.csv

    Exit codes: 0 all counted, 2 a file has an error, 3 a net is incomplete, 130 interrupted.
    """
    load = load_options(options)
    check_column(sort)  # before all the work
    with progress_bar("nets", wanted=progress) as bar:
        answer = surveyed(
            paths,
            jobs=jobs,
            convention=named_convention(convention),
            options=load,
            on_start=bar.start,
            on_row=bar.step,
        )
    answer = answer._replace(rows=tuple(arranged(answer, sort)))
    deliver(forms_of("survey", answer), form, output)
    raise click.exceptions.Exit(_code(answer))


def _code(answer: Survey) -> int:
    if answer.interrupted:
        return INTERRUPTED
    if any(row.error for row in answer.rows):
        return BAD_INPUT
    return INCOMPLETE if any(not row.complete for row in answer.rows) else DONE
