"""`netcount upgrade`: a net of any age in the form that today's Caffe reads."""

from __future__ import annotations

from typing import Any

import click

from netcount.analysis.upgrade import Upgraded
from netcount.analysis.upgrade import upgrade as upgraded
from netcount.cli.options import load_options, net_options
from netcount.cli.output import emit
from netcount.core.files import read_text
from netcount.graph.load import name_of
from netcount.report.formats.text import visible


@click.command()
@click.argument("file")
@click.option("--output", "-o", metavar="FILE", help="Write to a file, replaced whole; else to standard output.")
@net_options
def upgrade(file: str, output: str | None, **options: Any) -> None:
    """A net of any age in Caffe's current form: the same prototxt, its comments and layout kept.

    V0 and V1 layers become `layer`, inputs in the header an Input layer, and a fork's spelling Caffe's own where
    both mean the same (ceil_mode, DepthwiseConvolution, ConvolutionDepthwise). What is written reads as the
    same net, with the same shapes and costs, or nothing is written.

    \b
    Examples:
      netcount upgrade old.prototxt -o new.prototxt
      netcount upgrade - < old.prototxt > new.prototxt
    """
    made = upgraded(read_text(file), name_of(file), load_options(options))
    emit(made.text, output, ".prototxt")
    click.echo(_summary(made, output), err=True)


def _summary(made: Upgraded, output: str | None) -> str:
    what = f"upgraded {', '.join(made.forms)}" if made.forms else "in the current form already"
    notes = [f"note: {visible(note)}" for note in made.notes]
    return "\n".join([f"{visible(output or 'standard output')}: {what}", *notes])
