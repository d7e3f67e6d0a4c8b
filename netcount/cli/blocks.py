"""`netcount blocks`: a row a block of layers."""

from __future__ import annotations

from typing import Any

import click

from netcount.analysis.blocks import blocks as found_blocks
from netcount.analysis.count import count
from netcount.cli.options import FORMATS, format_options, load_options, net_options
from netcount.cli.output import conclude, deliver, forms_of
from netcount.graph.load import load_net


@click.command()
@click.argument("file")
@click.option(
    "--block",
    "pattern",
    metavar="REGEX",
    help="Regular expression that names blocks: by its first group, or by what it matches.",
)
@format_options(*FORMATS)
@net_options
def blocks(file: str, pattern: str | None, form: str, output: str | None, **options: Any) -> None:
    """What every block of a net costs: a row per block.

    Blocks come from layer names (fire2/..., conv2_1/dw and conv2_1/sep, res2a_branch2b) or from a
    pattern; the graph adds what stands between their layers, and shortcuts.

    \b
    Examples:
      netcount blocks squeezenet_v1.1.prototxt
      netcount blocks mobilenet_v1.prototxt --format csv
      netcount blocks vgg16.prototxt --block '^(conv\\d)_'
    """
    counted = count(load_net(file, load_options(options)))
    answer = found_blocks(counted, pattern)
    deliver(forms_of("blocks", counted, answer), form, output)
    conclude(counted.warnings, counted.net.complete)
