"""`netcount sweep`: a net at many widths and resolutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from netcount.analysis.figures import SWEPT
from netcount.analysis.rescale import Rescaler
from netcount.analysis.sweep import sweep as swept
from netcount.cli.flags import flag
from netcount.cli.options import (
    FORMATS,
    format_options,
    load_options,
    net_options,
    parse_factors,
    parse_resolutions,
    scale_options,
)
from netcount.cli.output import conclude, deliver, forms_of, progress_bar, spare
from netcount.core.arguments import quantity
from netcount.core.exit_codes import BAD_INPUT, DONE, FAILED
from netcount.core.files import write_atomically

F = TypeVar("F", bound=Callable[..., Any])

_ALSO = {"peak_bytes": ("--max-peak-memory",)}
"""Other names of a limit's option."""


def _limit_options(function: F) -> F:
    """An option for the largest value of every figure of a sweep."""
    for figure in reversed(SWEPT):
        such = "'2 MiB'" if figure.unit == "bytes" else "300M"
        names = (flag(f"max_{figure.key}"), *_ALSO.get(figure.key, ()), f"max_{figure.key}")
        function = click.option(*names, metavar="LIMIT", help=f"Most {figure.about} ({such}).")(function)
    return function


@click.command()
@click.argument("file")
@click.option(
    "--width", "widths", default="1", show_default=True, metavar="W,W,...", help="Factor for each num_output."
)
@click.option(
    "--resolution",
    "resolutions",
    metavar="R,R,...",
    help="Sizes of the input images, N or HxW (default: as in the file).",
)
@scale_options
@_limit_options
@click.option(
    "--bits", type=click.IntRange(1, 64), default=32, show_default=True, help="Bits per value in memory."
)
@click.option(
    "--plot",
    metavar="FILE",
    help="Write a plot of madds against params to a .png or .svg file (needs the extra 'plot').",
)
@format_options(*FORMATS)
@click.option("--progress/--no-progress", default=None, help="Show a progress bar on standard error.")
@net_options
def sweep(
    file: str,
    widths: str,
    resolutions: str | None,
    multiple: int,
    keep: tuple[str, ...],
    bits: int,
    plot: str | None,
    form: str,
    output: str | None,
    progress: bool | None,
    **options: Any,
) -> None:
    """What all combinations of widths and resolutions cost, and which of them fit.

    \b
    Examples:
      netcount sweep mobilenet_v1.prototxt --width 1,.75,.5,.25 --resolution 224,192,160,128
      netcount sweep net.prototxt --width 1,.5 --max-madds 300M --max-peak-memory '1 MiB' --bits 8

    Exit codes: 0 done, 1 no variant fits the limits, 2 bad input, or no variant is possible.
    """
    factors = [str(part).strip() for part in widths.split(",")]
    parse_factors(widths, "widths")
    sizes = parse_resolutions(resolutions, "resolutions") if resolutions else []
    given = {figure.key: options.pop(f"max_{figure.key}") for figure in SWEPT}
    limits = {key: quantity(f"max_{key}", text) for key, text in given.items() if text is not None}
    with progress_bar("variants", len(factors) * max(1, len(sizes)), progress) as bar:
        found = swept(
            Rescaler.of_file(file, load_options(options), keep=keep, both_phases=False),
            factors,
            sizes,
            limits=limits,
            multiple=multiple,
            bits=bits,
            on_variant=bar.step,
        )
    if plot is not None:
        from netcount.report.formats.plot import sweep_plot

        spare(plot)
        write_atomically(plot, sweep_plot(found, plot))
    deliver(forms_of("sweep", found), form, output)
    code = DONE
    if all(variant.error for variant in found.variants):
        code = BAD_INPUT
    elif limits and found.best is None:
        code = FAILED
    conclude(found.warnings, found.complete, code)
