"""`netcount analyze`: the table of layers, totals and kernel shares."""

from __future__ import annotations

from typing import Any

import click

from netcount.analysis.count import Count, count
from netcount.cli.options import (
    FORMATS,
    convention_option,
    format_options,
    given_options,
    load_options,
    named_convention,
    net_options,
    plot_options,
    read_once,
)
from netcount.cli.output import Forms, conclude, deliver, forms_of, or_sample, say, write_plot
from netcount.core.errors import NetcountError
from netcount.core.exit_codes import DONE, INCOMPLETE
from netcount.core.files import read_text
from netcount.graph.graph import Graph
from netcount.graph.load import load_net, name_of
from netcount.graph.options import LoadOptions
from netcount.report.analysis import View, warning_lines


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@format_options(*FORMATS, about="JSON: one document per line. CSV of several files has a column `file`.")
@net_options
@convention_option
@click.option("--reconcile", metavar="A,B", help="Show where these conventions differ, by layer type.")
@click.option(
    "--train",
    is_flag=True,
    help="Count an iteration of training, in phase TRAIN unless --phase is given.",
)
@click.option("--target", metavar="NAME|profile.toml", help="Estimate the time on this target (netcount fit).")
@click.option("--board", metavar="NAME", help="With --target: on this board of it.")
@click.option("--columns", metavar="KEY,KEY,...", help="Columns to show; an unknown name lists all.")
@click.option("--sort", metavar="KEY,...", help="Sort by columns, numbers from the largest.")
@click.option(
    "--top",
    type=click.IntRange(min=1),
    metavar="N",
    help="Show only the N most expensive layers, or with --sort the first N.",
)
@click.option(
    "--fold/--no-fold",
    default=None,
    help="Hide layers that have no value in any shown column (default for deep nets).",
)
@plot_options("Write bar charts of the layers' madds and params")
@click.option(
    "--without-batchnorm",
    is_flag=True,
    help="Count the net as it is deployed: what `netcount fold` takes out is not there.",
)
def analyze(
    files: tuple[str, ...],
    form: str,
    output: str | None,
    convention: str,
    reconcile: str | None,
    train: bool,
    target: str | None,
    board: str | None,
    columns: str | None,
    sort: str | None,
    top: int | None,
    fold: bool | None,
    plot: str | None,
    plot_size: tuple[float, float] | None,
    plot_dpi: int,
    without_batchnorm: bool,
    **options: Any,
) -> None:
    """What every layer of the nets costs: shapes, params, multiply-adds.

    FILE is a prototxt (a solver is followed to its net); - reads standard input.

    \b
    Examples:
      netcount analyze deploy.prototxt
      netcount analyze deploy.prototxt --top 10
      netcount analyze deploy.prototxt --convention netscope
      netcount analyze deploy.prototxt --reconcile madds,netscope
      netcount analyze deploy.prototxt --columns name,tops,params --sort params
      netcount analyze deploy.prototxt --target xilinx-dpuczdx8g-b4096
      netcount analyze train_val.prototxt --train
      netcount analyze train_val.prototxt --input-shape data=1,3,227,227
      netcount analyze deploy.prototxt --plot cost.pdf --plot-size 8.5x6cm
      netcount analyze a.prototxt b.prototxt --format json > costs.jsonl
    """
    if train:
        _train(files, top, form, output, options)
        return
    load = load_options(options)
    if target is not None and (reconcile is not None or form in _WITHOUT_TIMES):
        raise click.UsageError("--target goes with no --reconcile, and has no place in CSV and XLSX")
    if plot is not None and (len(files) > 1 or reconcile is not None):
        raise click.UsageError("--plot takes one FILE, without --reconcile")
    read_once(files)
    files = tuple(map(or_sample, files))
    if reconcile is not None:
        if without_batchnorm:
            raise click.UsageError("--reconcile counts the net as it is, without --without-batchnorm")
        _reconcile(files, reconcile, load, form, output)
    rule = named_convention(convention)
    keys = tuple(key.strip() for key in columns.split(",")) if columns else None
    view = View(keys, sort, top, fold)
    counts: list[Count] = []
    code = DONE
    for file in files:
        try:
            net = _folded(file, load) if without_batchnorm else load_net(file, load)
            counts.append(count(net, rule))
        except NetcountError as problem:
            say(problem, file)
            code = problem.exit_code
    if code and output is not None:
        raise click.exceptions.Exit(code)
    if counts:
        write_plot(plot, plot_size, plot_dpi, "analysis", counts[0], top)
        shown = {"view": view}
        forms = forms_of("analyze", counts, report=shown, csv=shown)
        deliver(forms if target is None else _timed(forms, counts, view, target, board), form, output)
    if form in _WITHOUT_TIMES:  # which have no place for them
        for line in (line for found in counts for line in warning_lines(found)):
            click.echo(line, err=True)
    if code == DONE and any(not found.net.complete for found in counts):
        code = INCOMPLETE
    raise click.exceptions.Exit(code)


def _folded(file: str, load: LoadOptions) -> Graph:
    """The net of a file as it is deployed; its layers stand in their lines."""
    from netcount.deploy.fold import fold

    return fold(read_text(file), name_of(file), load, same_lines=True).net


_WITHOUT_TIMES = ("csv", "xlsx")


def _timed(forms: Forms, counts: list[Count], view: View, target: str, board: str | None) -> Forms:
    """The same with the times that the target's profile estimates."""
    from netcount.report.fit import timed_documents, timed_reports
    from netcount.targets.fit import Target, times
    from netcount.targets.shipped import profile

    against = Target.of(profile(target), board=board)
    estimates = times(counts, against)
    return forms._replace(
        parts=lambda: timed_reports(counts, estimates, against, view),
        document=lambda: timed_documents(counts, estimates),
    )


_NOT_TRAINED = (
    "convention", "reconcile", "target", "board", "columns", "sort", "fold", "plot", "plot_size", "plot_dpi",
    "without_batchnorm",
)  # fmt: skip
"""Options that --train has no use for."""


def _train(
    files: tuple[str, ...], top: int | None, form: str, output: str | None, options: dict[str, Any]
) -> None:
    """A forward and a backward pass, in place of the table."""
    from netcount.analysis.backward import backward

    given = given_options()
    wrong = [given[name] for name in _NOT_TRAINED if name in given]
    if wrong or len(files) > 1:
        raise click.UsageError(f"--train takes one FILE{' and not ' if wrong else ''}{', '.join(wrong)}")
    if "phase" not in given:
        options["phase"] = "TRAIN"
    answer = backward(count(load_net(or_sample(files[0]), load_options(options))))
    deliver(forms_of("backward", answer, report={"top": top}), form, output)
    conclude(answer.warnings, answer.counted.net.complete, DONE if answer.complete else INCOMPLETE)


def _reconcile(files: tuple[str, ...], names: str, load: LoadOptions, form: str, output: str | None) -> None:
    """Conventions beside each other, in place of the table."""
    from netcount.analysis.reconcile import reconcile

    if len(files) > 1:
        raise click.UsageError("--reconcile takes one file")
    rules = [named_convention(name.strip()) for name in names.split(",")]
    answer = reconcile(load_net(files[0], load), rules)
    deliver(forms_of("reconcile", answer), form, output)
    conclude(answer.net.warnings, answer.net.complete)
