"""`netcount memory`: what a net needs in memory, and how large its model file is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, cast

import click

from netcount.analysis._support.verdict import MemoryPart
from netcount.analysis.arena import ALIGN, MOST_ALIGN
from netcount.analysis.arena import arena as planned
from netcount.analysis.count import count
from netcount.analysis.memory import memory as measured
from netcount.cli.options import FORMATS, format_options, given_options, load_options, net_options, plot_options
from netcount.cli.output import conclude, deliver, forms_of, write_plot
from netcount.core import arguments
from netcount.core.errors import Warned
from netcount.core.files import read_text
from netcount.graph.load import load_net

BITS = click.IntRange(1, 64)


@click.command()
@click.argument("file")
@click.option("--bits", type=BITS, default=32, show_default=True, help="Bits per activation.")
@click.option("--weight-bits", type=BITS, help="Bits per weight (default: same as --bits).")
@click.option(
    "--density",
    type=float,
    metavar="SHARE",
    help="Estimate the size of a model pruned to this share of its weights.",
)
@click.option(
    "--weights", metavar="X.caffemodel", help="Measure density, distinct values and ranges of these weights."
)
@click.option(
    "--fits",
    metavar="SIZE",
    help="Whether it fits into so much, such as '2 MiB'; exit code 1 where it does not.",
)
@click.option(
    "--fits-what",
    type=click.Choice(["activations", "scratch", "weights", "all"]),
    default="all",
    show_default=True,
    help="What has to fit.",
)
@click.option(
    "--train",
    is_flag=True,
    help="Count what Caffe keeps while it trains: phase TRAIN and the file's batch, unless they are given.",
)
@click.option(
    "--solver",
    metavar="NAME|solver.prototxt",
    help="What it is trained by: sgd, nesterov, adagrad, rmsprop, adadelta, adam, or the solver of a file.",
)
@click.option(
    "--arena", is_flag=True, help="Plan one block of memory: where each buffer lies in it, as engines do."
)
@click.option(
    "--align",
    type=click.IntRange(1, MOST_ALIGN),
    default=ALIGN,
    show_default=True,
    help="With --arena: what offsets are multiples of, in bytes.",
)
@click.option(
    "--scratch/--no-scratch", default=True, show_default=True, help="With --arena: plan im2col columns too."
)
@click.option(
    "--top", type=click.IntRange(min=1), metavar="N", help="Show only the N layers that need the most memory."
)
@plot_options("Write a bar chart of the layers")
@format_options(*FORMATS)
@net_options
def memory(
    file: str,
    bits: int,
    weight_bits: int | None,
    density: float | None,
    weights: str | None,
    fits: str | None,
    fits_what: str,
    train: bool,
    solver: str | None,
    arena: bool,
    align: int,
    scratch: bool,
    top: int | None,
    plot: str | None,
    plot_size: tuple[float, float] | None,
    plot_dpi: int,
    form: str,
    output: str | None,
    **options: Any,
) -> None:
    """What a net needs in memory: live activations, im2col scratch, weights; and in Caffe.

    The peak is by liveness: a buffer lives until the last layer that reads it; in-place tops and
    aliases (Reshape, Flatten, Split, Dropout at test time) share one.

    \b
    Examples:
      netcount memory squeezenet_v1.1.prototxt
      netcount memory mobilenet_v1.prototxt --bits 8 --top 10
      netcount memory squeezenet_v1.0.prototxt --weight-bits 6 --density 0.33
      netcount memory mobilenet_v1.prototxt --bits 8 --fits '2 MiB' --fits-what activations
      netcount memory deploy.prototxt --arena --bits 8 --fits 512KiB --format json -o arena.json
      netcount memory train_val.prototxt --train --solver adam --batch 32 --fits 8GiB
      netcount memory deploy.prototxt --weights x.caffemodel --plot memory.svg
    """
    limit = None if fits is None else arguments.size_in_bytes("fits", fits)
    if train:
        _training(file, solver, limit, top, form, output, options)
        return
    if solver is not None:
        raise click.UsageError("--solver is for --train")
    if limit is None:
        _refuse("without --fits", ("fits_what",))
    net = load_net(file, load_options(options))
    if arena:
        _refuse("not with --arena, which plans for values of one width", _NOT_PLANNED)
        plan = planned(count(net), bits, align, scratch=scratch, limit_bytes=limit)
        write_plot(plot, plot_size, plot_dpi, "arena", plan)
        deliver(forms_of("arena", plan, report={"top": top}), form, output)
        conclude(plan.counted.warnings, net.complete, 1 if plan.fits is False else 0)
    _refuse("without --arena", ("align", "scratch"))
    answer = measured(count(net), bits, weight_bits)
    if weights is not None or density is not None:
        from netcount.execute.weight_stats import stored_size

        answer = answer.stored(*stored_size(net, answer.weight_bits, weights, density))
    if limit is not None:
        answer = answer.fitting(limit, cast(MemoryPart, fits_what))
    write_plot(plot, plot_size, plot_dpi, "memory", answer, top)
    deliver(forms_of("memory", answer, report={"top": top}), form, output)
    warnings = list(answer.counted.warnings)
    if net.phase == "TRAIN":
        warnings.append(Warned("a forward pass alone; --train counts what training keeps"))
    conclude(warnings, net.complete, 0 if answer.verdict is None or answer.verdict.fits else 1)


_FORWARD = (
    "bits", "weight_bits", "density", "weights", "fits_what", "plot", "plot_size", "plot_dpi", "arena", "align",
    "scratch",
)  # fmt: skip
"""Options that say nothing of a training, which is in float32."""
_NOT_PLANNED = ("weight_bits", "density", "weights", "fits_what")
"""Options that say nothing of an arena."""


def _refuse(why: str, others: Sequence[str]) -> Collection[str]:
    """Refuse options that do not go with another, or not alone; all that were given."""
    given = given_options()
    wrong = [given[name] for name in others if name in given]
    if wrong:
        raise click.UsageError(f"{', '.join(wrong)}: {why}")
    return given


def _training(
    file: str,
    solver: str | None,
    limit: int | None,
    top: int | None,
    form: str,
    output: str | None,
    options: dict[str, Any],
) -> None:
    """The answer of --train."""
    from netcount.analysis.training import training
    from netcount.graph.load import draft_text, name_of
    from netcount.graph.solver_kind import SOLVERS, kind_of, solver_kind

    given = _refuse("not with --train, which counts all of Caffe's float32", _FORWARD)
    options.update({name: value for name, value in (("phase", "TRAIN"), ("batch", "net")) if name not in given})
    kind = None if solver is None else solver_kind(solver)
    text, name = read_text(file), name_of(file)
    draft = draft_text(text, load_options(options), name)
    answer = training(draft, kind or kind_of(text, name) or SOLVERS["sgd"], limit)
    deliver(forms_of("training", answer, report={"top": top}), form, output)
    net = answer.counted.net
    conclude(answer.counted.warnings, net.complete, 0 if answer.fit is None or answer.fit.fits else 1)
