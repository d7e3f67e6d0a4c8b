"""`netcount layers`: the layer types netcount knows."""

from __future__ import annotations

import click

from netcount.cli.options import FORMATS, format_options
from netcount.cli.output import Forms, deliver
from netcount.layers.registry import CATALOGUE
from netcount.report.catalogue import catalogue_csv, catalogue_document, catalogue_rows, catalogue_table


@click.command()
@format_options(*FORMATS)
def layers(form: str, output: str | None) -> None:
    """The layer types netcount knows: stock Caffe's, forks', and those of installed packages."""
    rows = catalogue_rows(CATALOGUE)
    forms = Forms(
        lambda: [catalogue_table(rows)],
        lambda: catalogue_document(rows),
        lambda: catalogue_csv(rows),
    )
    deliver(forms, form, output)
