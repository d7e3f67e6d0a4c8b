"""`netcount layers`: the layer types netcount knows."""

from __future__ import annotations

import click

from netcount.cli.output import emit, show
from netcount.layers.catalogue import CATALOGUE
from netcount.report.catalogue import catalogue_rows, catalogue_table


@click.command()
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(["table", "csv", "markdown", "json"]),
    default="table",
    show_default=True,
)
@click.option("--output", "-o", metavar="FILE", help="Write to a file, replaced whole.")
def layers(form: str, output: str | None) -> None:
    """The layer types netcount knows: stock Caffe's, forks', and those of installed packages."""
    rows = catalogue_rows(CATALOGUE)
    if form == "json":
        import json

        emit(json.dumps([row._asdict() for row in rows]) + "\n", output)
    elif form == "csv":
        from netcount.report.tabular import csv_text

        emit(csv_text(rows[0]._fields, rows), output)
    elif form == "markdown":
        from netcount.report.markdown import markdown

        emit(markdown([catalogue_table(rows)]), output)
    elif output is not None:
        from netcount.report.layout import plain

        emit(plain([catalogue_table(rows)]), output)
    else:
        show([catalogue_table(rows)])
