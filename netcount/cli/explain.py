"""`netcount explain`: why a layer or a block costs what it costs."""

from __future__ import annotations

from typing import Any

import click

from netcount.analysis.count import count
from netcount.analysis.explain import explain as explained
from netcount.cli.options import FORMATS, format_options, load_options, net_options
from netcount.cli.output import conclude, deliver, forms_of, or_sample
from netcount.graph.load import load_net


@click.command()
@click.argument("file")
@click.argument("name", metavar="LAYER|BLOCK")
@click.option(
    "--as",
    "kind",
    type=click.Choice(["layer", "block"]),
    help="Which to explain where a layer and a block have the same name.",
)
@click.option(
    "--block", "pattern", metavar="REGEX", help="Regular expression that names blocks (see netcount blocks)."
)
@format_options("text", *FORMATS[1:])
@net_options
def explain(
    file: str,
    name: str,
    kind: str | None,
    pattern: str | None,
    form: str,
    output: str | None,
    **options: Any,
) -> None:
    """Why a layer, or a block of layers, costs what it costs.

    The formula with the numbers in it, for params and for madds; what else could stand in the
    layer's place, and what that would cost; for a block its layers and the plain convolution it
    stands for. Which alternatives there are is derived from the net.

    \b
    Examples:
      netcount explain squeezenet_v1.0.prototxt conv10
      netcount explain squeezenet_v1.1.prototxt fire7
      netcount explain mobilenet_v1.prototxt conv5_3/dw
      netcount explain resnet50.prototxt res2a --as layer
    """
    counted = count(load_net(or_sample(file), load_options(options)))
    answer = explained(counted, name, pattern=pattern, kind=kind)
    deliver(forms_of("explain", answer), form, output)
    conclude(counted.warnings, counted.net.complete)
