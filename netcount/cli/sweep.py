"""`netcount sweep`: a net at many widths and resolutions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from netcount.analysis.figures import SWEPT
from netcount.analysis.fit import fit
from netcount.analysis.rescale import Rescaler
from netcount.analysis.sweep import Axis
from netcount.analysis.sweep import sweep as swept
from netcount.cli.flags import flag
from netcount.cli.options import (
    FORMATS,
    format_options,
    load_options,
    net_options,
    parse_factors,
    parse_resolutions,
    plot_options,
    scale_options,
)
from netcount.cli.output import conclude, deliver, forms_of, progress_bar, write_plot
from netcount.core.arguments import quantity
from netcount.core.errors import InputError
from netcount.core.exit_codes import BAD_INPUT, DONE, FAILED
from netcount.core.suggest import unknown

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
@click.option("--width", "widths", metavar="W,W,...", help="Factor for each num_output (default: 1).")
@click.option(
    "--resolution",
    "resolutions",
    metavar="R,R,...",
    help="Sizes of the input images, N or HxW (default: as in the file).",
)
@click.option(
    "--fit-width",
    multiple=True,
    metavar="max_FIGURE=LIMIT",
    help="Search the largest width within this limit, such as max_madds=300M; repeatable.",
)
@click.option(
    "--fit-resolution",
    multiple=True,
    metavar="max_FIGURE=LIMIT",
    help="Search the largest resolution within this limit; repeatable.",
)
@click.option("--step", metavar="STEP", help="Steps of the search (default: 0.001 for widths, 1 for resolutions).")
@scale_options
@_limit_options
@click.option(
    "--bits", type=click.IntRange(1, 64), default=32, show_default=True, help="Bits per value in memory."
)
@plot_options("Write a plot of madds against params")
@format_options(*FORMATS)
@click.option("--progress/--no-progress", default=None, help="Show a progress bar on standard error.")
@net_options
def sweep(
    file: str,
    widths: str | None,
    resolutions: str | None,
    fit_width: tuple[str, ...],
    fit_resolution: tuple[str, ...],
    step: str | None,
    multiple: int,
    keep: tuple[str, ...],
    dense: bool,
    bits: int,
    plot: str | None,
    plot_size: tuple[float, float] | None,
    plot_dpi: int,
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
      netcount sweep net.prototxt --resolution 224,192 --round 8 --fit-width max_madds=300M

    Exit codes: 0 done, 1 no variant fits the limits, 2 bad input, or no variant is possible.
    """
    factors = [part.strip() for part in (widths or "1").split(",")]
    parse_factors(widths or "1", "widths")
    sizes = parse_resolutions(resolutions, "resolutions") if resolutions else []
    given = {figure.key: options.pop(f"max_{figure.key}") for figure in SWEPT}
    limits = {key: quantity(f"max_{key}", text) for key, text in given.items() if text is not None}
    axis = _axis(widths, resolutions, fit_width, fit_resolution, step)
    for text in fit_width + fit_resolution:
        limits |= _fit_limit(text, f"fit_{axis}")
    rescaler = Rescaler.of_file(file, load_options(options), keep=keep, both_phases=False, dense=dense)
    if axis is not None:
        others: Sequence[Any] = sizes if axis == "width" else factors
        answer = fit(rescaler, axis, others, limits=limits, step=step, multiple=multiple, bits=bits)
    else:
        with progress_bar("variants", len(factors) * max(1, len(sizes)), progress) as bar:
            answer = swept(
                rescaler, factors, sizes, limits=limits, multiple=multiple, bits=bits, on_variant=bar.step
            )
    write_plot(plot, plot_size, plot_dpi, "sweep", answer)
    deliver(forms_of("sweep", answer), form, output)
    code = DONE
    if all(variant.error for variant in answer.variants):
        code = BAD_INPUT
    elif limits and answer.best is None:
        code = FAILED
    conclude(answer.warnings, answer.complete, code)


def _axis(
    widths: str | None,
    resolutions: str | None,
    fit_width: Sequence[str],
    fit_resolution: Sequence[str],
    step: str | None,
) -> Axis | None:
    """What is searched, if anything is."""
    if fit_width and fit_resolution:
        raise InputError("search one of width and resolution, at values of the other", argument="fit_width")
    if fit_width and widths is not None:
        raise InputError("the width is searched, and not given too", argument="widths")
    if fit_resolution and resolutions is not None:
        raise InputError("the resolution is searched, and not given too", argument="resolutions")
    if step is not None and not (fit_width or fit_resolution):
        raise InputError("it is a step of --fit-width or --fit-resolution", argument="step")
    return "width" if fit_width else "resolution" if fit_resolution else None


def _fit_limit(text: str, argument: str) -> dict[str, int]:
    """`"max_madds=300M"` -> {"madds": 300000000}."""
    name, equals, amount = text.partition("=")
    key = name.strip().removeprefix("--").replace("-", "_").removeprefix("max_")
    known = [figure.key for figure in SWEPT]
    if not equals:
        raise InputError(f"{text!r} is not max_FIGURE=LIMIT, such as max_madds=300M", argument=argument)
    if key not in known:
        raise InputError(unknown("limit on", key, known, show_all=True), argument=argument)
    return {key: quantity(argument, amount.strip())}
