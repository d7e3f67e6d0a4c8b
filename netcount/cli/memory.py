"""`netcount memory`: what a net needs in memory, and how large its model file is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from netcount.analysis._support.modelsize import matrices_of, model_size
from netcount.analysis.count import count
from netcount.analysis.memory import memory as measured
from netcount.cli.options import FORMATS, format_options, load_options, net_options, plot_options
from netcount.cli.output import conclude, deliver, forms_of, write_plot
from netcount.graph.load import load_net

if TYPE_CHECKING:
    from netcount.analysis._support.modelsize import ModelSize
    from netcount.execute.weight_stats import BlobStats
    from netcount.graph.graph import Graph

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
      netcount memory deploy.prototxt --weights x.caffemodel --plot memory.svg
    """
    net = load_net(file, load_options(options))
    answer = measured(count(net), bits, weight_bits)
    size, stats = _model(net, weights, density, answer.weight_bits)
    write_plot(plot, plot_size, plot_dpi, "memory", answer, top)
    deliver(forms_of("memory", answer, size, stats, report={"top": top}), form, output)
    conclude(answer.counted.warnings, net.complete)


def _model(
    net: Graph, weights: str | None, density: float | None, bits: int
) -> tuple[ModelSize | None, list[BlobStats]]:
    """The estimated size of the model, from a density or from trained weights; and what these hold."""
    if weights is None:
        size = None if density is None else model_size(net, matrices_of(net, density), bits)
        return size, []
    if density is not None:
        raise click.UsageError("--density is counted in the weights; give one of --density and --weights")
    from netcount.execute.weight_stats import counted_matrices, weight_stats
    from netcount.execute.weights import read_caffemodel

    blobs = read_caffemodel(weights, net).blobs
    return model_size(net, counted_matrices(net, blobs), bits), weight_stats(net, blobs)
