"""`netcount fit`: whether a net fits a target, and what stands in the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from netcount.analysis.count import count
from netcount.cli.options import FORMATS, format_options, load_options, net_options
from netcount.cli.output import Forms, conclude, deliver, forms_of, service_forms
from netcount.graph.load import load_net
from netcount.graph.options import LoadOptions
from netcount.report.formats.layout import Part
from netcount.targets.fit import Fit, Target, compared
from netcount.targets.fit import fit as held
from netcount.targets.shipped import profile, shipped


@click.command()
@click.argument("file", required=False)
@click.option("--target", metavar="NAME|profile.toml", help="What to hold the net against.")
@click.option("--list", "listing", is_flag=True, help="Show the targets there are; no FILE is read.")
@click.option("--precision", metavar="NAME", help="What the net is computed in, such as int8.")
@click.option("--board", metavar="NAME", help="On which board of the target the time is estimated.")
@click.option(
    "--what-would-fit", is_flag=True, help="Show edits that help, and the largest width and size that fit."
)
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="Only the N slowest layers of the estimate.")
@format_options("text", *FORMATS[1:], "github", "sarif")
@net_options
def fit(
    file: str | None,
    target: str | None,
    listing: bool,
    precision: str | None,
    board: str | None,
    what_would_fit: bool,
    top: int | None,
    form: str,
    output: str | None,
    **options: Any,
) -> None:
    """Whether a net runs on a target: what its tool-chain refuses, leaves to the CPU, or gets wrong.

    Each finding has its line, the value and the bound, and the source of the rule. Exit code 1 when a
    layer is refused, computed wrongly or over a memory; layers on the CPU and at extra cost exit 0.

    \b
    Examples:
      netcount fit mobilenet_v2.prototxt --target kendryte-k210
      netcount fit deploy.prototxt --target xilinx-dpuczdx8g-b4096 --board KV260
      netcount fit deploy.prototxt --target my-chip.toml --format sarif -o fit.sarif
      netcount fit deploy.prototxt --target kendryte-k210 --what-would-fit
      netcount fit --list
    """
    if listing:
        profiles = [profile(name) for name in shipped()] if target is None else [profile(target)]
        deliver(forms_of("targets", profiles), _listed(form), output)
        return
    if file is None:
        raise click.UsageError("Missing argument 'FILE'.")
    if target is None:
        raise click.UsageError("Missing option '--target'; netcount fit --list shows which there are.")
    against = Target.of(profile(target), precision, board)
    answer = _held(file, load_options(options), against, what_would_fit)._replace(compared=compared(against))
    deliver(_forms(answer, top), form, output)
    conclude(answer.counted.warnings, answer.complete, answer.exit_code)


def _held(file: str, load: LoadOptions, target: Target, what_would_fit: bool) -> Fit:
    if not what_would_fit:
        return held(count(load_net(file, load)), target)
    from netcount.analysis.rescale import Rescaler
    from netcount.targets.what_fits import what_fits

    rescaler = Rescaler.of_file(file, load, both_phases=False)
    answer = held(count(rescaler.net), target)
    return answer._replace(would_fit=what_fits(rescaler, answer))


def _listed(form: str) -> str:
    if form in ("github", "sarif"):
        raise click.UsageError(f"--list has no format {form}")
    return form


def _forms(answer: Fit, top: int | None) -> Forms:
    from netcount.report.fit import fit_report, problems, tally

    def parts() -> Sequence[Part]:
        return fit_report(answer, top)

    return forms_of("fit", answer)._replace(
        parts=parts, others=service_forms(lambda: problems(answer), lambda: tally(answer))
    )
