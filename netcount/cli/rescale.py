"""`netcount rescale`: a net at another width and resolution, as a prototxt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from netcount.analysis.rescale import Rescaled, Rescaler
from netcount.cli.options import (
    FORMATS,
    format_options,
    load_options,
    net_options,
    parse_factors,
    parse_resolutions,
    scale_options,
)
from netcount.cli.output import conclude, deliver, emit, forms_of
from netcount.core.errors import InputError
from netcount.core.units import plural
from netcount.report.formats.text import listed, visible
from netcount.report.rescaled import change_lines

MOST_KEPT = 20


@click.command()
@click.argument("file")
@click.option("--width", default="1", show_default=True, metavar="FACTOR", help="Factor for each num_output.")
@click.option("--resolution", metavar="N|HxW", help="Size of the input images.")
@scale_options
@format_options(
    "prototxt", *FORMATS, about="The net itself, or what changed: the other formats tell of it instead."
)
@net_options
def rescale(
    file: str,
    width: str,
    resolution: str | None,
    multiple: int,
    keep: tuple[str, ...],
    dense: bool,
    form: str,
    output: str | None,
    **options: Any,
) -> None:
    """A thinner or wider net, for smaller or larger images: the same prototxt with other numbers.

    Every convolution's num_output is scaled but the classifiers' (what feeds outputs or proposals
    without another learned layer in between); depthwise groups follow, and branches that are added up stay
    alike. Comments and layout are kept. InnerProduct layers keep their num_output without --dense.

    \b
    Examples:
      netcount rescale mobilenet_v1.prototxt --width 0.5 --resolution 160 -o half.prototxt
      netcount rescale resnet50.prototxt --width 0.75 --round 8 --keep conv1 > thin.prototxt
    """
    (factor,) = parse_factors(width, "width") if "," not in width else (None,)
    sizes = parse_resolutions(resolution, "resolution") if resolution else []
    if factor is None or len(sizes) > 1:
        raise InputError("rescale takes one width and one resolution; netcount sweep takes several")
    rescaler = Rescaler.of_file(file, load_options(options), keep=keep, dense=dense)
    made = rescaler.rescaled(factor, sizes[0] if sizes else None, multiple)
    if form == "prototxt":
        emit(made.text, output, ".prototxt")
        click.echo(_summary(made, keep, output), err=True)
    else:
        deliver(forms_of("rescale", made), form, output)
    conclude(made.net.warnings, made.net.complete)


def _summary(made: Rescaled, keep: Sequence[str], output: str | None) -> str:
    kept = [visible(name) for name in dict.fromkeys([*made.classifiers, *keep])]
    first = (
        f"{visible(output or 'standard output')}: {plural(len(made.changes), 'layer')} changed, "
        f"kept: {listed(kept, MOST_KEPT) or 'no classifier'}"
    )
    return "\n".join([first, *change_lines(made)])
