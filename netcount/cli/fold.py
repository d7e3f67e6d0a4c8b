"""`netcount fold`: BatchNorm and the like into the layers beside them, as a prototxt and its weights."""

from __future__ import annotations

from typing import Any

import click

from netcount.analysis.count import count
from netcount.cli.options import load_options, net_options, parse_bytes
from netcount.cli.output import emit, spare
from netcount.core.errors import InputError
from netcount.core.files import read_text, write_together
from netcount.core.units import human, plural
from netcount.deploy.agree import TOLERANCE, Agreed, fold_and_run
from netcount.graph.load import load_text, name_of
from netcount.report.formats.text import listed, visible

_MOST = 12


@click.command()
@click.argument("file")
@click.option("--weights", metavar="X.caffemodel", help="Trained weights, matched by layer name.")
@click.option("--output", "-o", metavar="FILE", help="Write to a file, replaced whole; else to standard output.")
@click.option("--weights-out", metavar="Y.caffemodel", help="Write the folded net's weights.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="For the runs' inputs.")
@click.option("--max-memory", default="4GiB", show_default=True, help="Refuse a run that needs more.")
@net_options
def fold(
    file: str,
    weights: str | None,
    output: str | None,
    weights_out: str | None,
    seed: int,
    max_memory: str,
    **options: Any,
) -> None:
    """The net as it is deployed: BatchNorm, Scale, Bias and BN inside the layers beside them.

    They go into the convolution, deconvolution or inner product before them, or behind them where no padding makes
    a difference; Dropout and Split are dropped. Comments and layout are kept. Both nets are run on the same
    inputs, and nothing is written unless their outputs agree.

    \b
    Examples:
      netcount fold deploy.prototxt -o folded.prototxt
      netcount fold deploy.prototxt --weights net.caffemodel -o folded.prototxt --weights-out folded.caffemodel
    """
    if weights_out is not None and weights is None:
        raise InputError("there are no weights to write without --weights", argument="weights_out")
    load = load_options(options)
    text, name = read_text(file), name_of(file)
    blobs = None
    if weights is not None:
        from netcount.execute.weights import read_caffemodel

        blobs = read_caffemodel(weights, load_text(text, load, name)).blobs
    made = fold_and_run(text, name, load, blobs, seed=seed, max_bytes=parse_bytes(max_memory))
    if weights_out is not None:
        _write(made, output, weights_out)
    else:
        emit(made.folded.text, output, ".prototxt")
    click.echo(_summary(made, output), err=True)


def _write(made: Agreed, output: str | None, weights_out: str) -> None:
    """Both files, or neither."""
    from netcount.execute.weights import caffemodel_bytes

    folded = made.folded
    spare(weights_out, ".caffemodel")
    blobs = caffemodel_bytes(weights_out, folded.net, folded.weights or {})
    if output is None or output == "-":
        write_together({weights_out: blobs})
        emit(folded.text, output)
    else:
        spare(output, ".prototxt")
        write_together({output: [folded.text.encode("utf-8", "surrogateescape")], weights_out: blobs})


def _summary(made: Agreed, output: str | None) -> str:
    folded = made.folded
    into = [step for step in folded.steps if step.into]
    dropped = len(folded.steps) - len(into)
    before, after = count(folded.before).totals, count(folded.net).totals
    lines = [
        f"{visible(output or 'standard output')}: {plural(len(into), 'layer')} folded, {dropped} dropped; "
        f"outputs agree within {made.error:.1e} (allowed {TOLERANCE:.0e})",
        f"layers  {len(folded.before.nodes)} -> {len(folded.net.nodes)}",
        f"params  {human(before.params)} -> {human(after.params)}, "
        f"statistics {human(before.statistics)} -> {human(after.statistics)}",
        f"madds   {human(before.madds)} -> {human(after.madds)}",
    ]
    reasons: dict[str, list[str]] = {}
    for left in folded.left:
        reasons.setdefault(f"{left.type}: {left.reason}", []).append(left.layer)
    notes = [
        f"left: {listed([visible(layer) for layer in layers], _MOST)}: {visible(reason)}"
        for reason, layers in reasons.items()
    ]
    return "\n".join([*lines, *notes[:_MOST], *([f"and {len(notes) - _MOST} more"] if len(notes) > _MOST else [])])
