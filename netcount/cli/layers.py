"""`netcount layers`: the layer types netcount knows."""

from __future__ import annotations

import click

from netcount.cli.options import FORMATS, format_options
from netcount.cli.output import deliver, forms_of
from netcount.layers.registry import CATALOGUE
from netcount.report.catalogue import catalogue_rows


@click.command()
@format_options(*FORMATS)
def layers(form: str, output: str | None) -> None:
    """The layer types netcount knows: stock Caffe's, forks', and those of installed packages."""
    deliver(forms_of("layers", catalogue_rows(CATALOGUE)), form, output)
