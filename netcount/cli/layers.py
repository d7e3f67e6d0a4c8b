"""`netcount layers`: the layer types netcount knows."""

from __future__ import annotations

import click

from netcount.cli.options import FORMATS, format_options
from netcount.cli.output import deliver, forms_of
from netcount.layers.registry import CATALOGUE
from netcount.report.catalogue import catalogue_rows, type_detail


@click.command()
@click.argument("type", required=False)
@format_options(*FORMATS)
def layers(type: str | None, form: str, output: str | None) -> None:
    """The layer types netcount knows: stock Caffe's, forks', and those of installed packages.

    TYPE: what this one does, the fields it reads, its weights, and how it is counted.

    \b
    Examples:
      netcount layers
      netcount layers Convolution
    """
    if type is None:
        deliver(forms_of("layers", catalogue_rows(CATALOGUE)), form, output)
    else:
        detail = type_detail(CATALOGUE, type)
        deliver(forms_of("layers", [detail.row], detail), form, output)
