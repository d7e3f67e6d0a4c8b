"""`netcount export`: a net in an engine's form, written only when the engine agrees."""

from __future__ import annotations

import os
from typing import Any

import click

from netcount.cli.options import load_options, net_options, parse_bytes
from netcount.cli.output import spare, tell
from netcount.core.errors import InputError
from netcount.core.files import write_together
from netcount.execute.verify import allowed_memory
from netcount.export.written import ENDINGS, ExportedNet, export_net
from netcount.graph.load import load_net
from netcount.report.formats.text import visible


@click.command()
@click.argument("file")
@click.option("--to", "form", type=click.Choice(list(ENDINGS)), required=True, help="The form.")
@click.option(
    "--weights", metavar="X.caffemodel", help="Trained weights, matched by layer name; else random ones."
)
@click.option(
    "--output", "-o", metavar="FILE", help="Where to write; by default beside FILE, with the form's ending."
)
@click.option("--until", metavar="BLOB", help="Export what this blob needs, and no more.")
@click.option("--fp16", is_flag=True, help="Weights of convolutions and inner products as float16 (ncnn).")
@click.option("--no-check", is_flag=True, help="Write without a run in the engine; the file says so.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="For random weights and inputs."
)
@click.option("--max-memory", default="4GiB", show_default=True, help="Refuse a run that needs more.")
@net_options
def export(
    file: str,
    form: str,
    weights: str | None,
    output: str | None,
    until: str | None,
    fp16: bool,
    no_check: bool,
    seed: int,
    max_memory: str,
    **options: Any,
) -> None:
    """The net as an ONNX model, or as ncnn's .param and .bin.

    The names of blobs are kept. What is written was run in ONNX Runtime or ncnn, and every blob agreed with the
    executor's; what the form has no words for is an error that names the layers. --batch dynamic leaves the
    batch of an ONNX model open.

    \b
    Examples:
      netcount export deploy.prototxt --to onnx --weights net.caffemodel -o net.onnx
      netcount export deploy.prototxt --to onnx --batch dynamic --until pool5
      netcount export deploy.prototxt --to ncnn --fp16 --weights net.caffemodel
    """
    if output == "-" and len(ENDINGS[form]) > 1:
        raise InputError(f"{form} has several files, which standard output cannot take", argument="output")
    if output and len(ENDINGS[form]) > 1 and os.path.exists(output) and not os.path.isfile(output):
        raise InputError(f"{form} has several files: {output} is not a file", argument="output")
    dynamic = options.get("batch") == "dynamic"
    if dynamic:
        options["batch"] = "1"
    load = load_options(options)
    net = load_net(file, load)
    allowed_memory(net, parse_bytes(max_memory))
    blobs = None
    if weights is not None:
        from netcount.execute.weights import read_caffemodel

        blobs = read_caffemodel(weights, net).blobs
    again = load_net(file, load._replace(batch=2)) if dynamic else None
    made = export_net(net, form, blobs, until=until, other_batch=again, fp16=fp16, check=not no_check, seed=seed)
    if output == "-":
        tell(made.parts[0])
    else:
        files = made.files(output or _beside(file, ENDINGS[form][0]))
        for path in files:
            spare(path)
        write_together({path: [data] for path, data in files.items()})
        for path in files:
            click.echo(visible(path))
    click.echo(_summary(made), err=True)


def _beside(file: str, ending: str) -> str:
    if file == "-":
        raise InputError("a net of standard input needs a file to be written to", argument="output")
    return file.removesuffix(".prototxt") + ending


def _summary(made: ExportedNet) -> str:
    checked = made.checked
    if checked is None:
        return "unchecked (--no-check), as the file says"
    agreeing = "1 blob agrees" if checked.blobs == 1 else f"{checked.blobs:,} blobs agree"
    return (
        f"{checked.engine}: {agreeing}, the largest difference is {checked.error:.1e} of a "
        f"blob's largest value (allowed {made.tolerance:.0e})"
    )
