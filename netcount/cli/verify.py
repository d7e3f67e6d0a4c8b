"""`netcount verify`: run the net and check every claim."""

from __future__ import annotations

import os
from math import isfinite
from typing import Any

import click

from netcount.cli.options import FORMATS, format_options, load_options, net_options, parse_bytes
from netcount.cli.output import deliver, forms_of, progress_bar, say, spare
from netcount.core.errors import InputError, NetcountError, reason
from netcount.core.exit_codes import DONE, FAILED, INCOMPLETE
from netcount.core.files import shown_path, write_atomically
from netcount.execute.inputs import Preparation, read_inputs
from netcount.execute.verify import Verification, allowed_memory
from netcount.execute.verify import verify as run
from netcount.graph.load import load_net
from netcount.graph.options import LoadOptions


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--weights", metavar="X.caffemodel", help="Trained weights, matched by layer name.")
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="BLOB=FILE",
    help="Data for a blob: .npy, .npz (an array of that name, or its only one) or an image.",
)
@click.option("--mean", metavar="B,G,R", help="Mean values to subtract from an image's channels.")
@click.option("--scale", type=float, default=1.0, show_default=True, help="Factor for an image's values.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of random weights and inputs."
)
@net_options
@click.option(
    "--max-memory", default="4GiB", show_default=True, help="Do not run nets that need more memory than this."
)
@click.option(
    "--save-outputs",
    metavar="DIR",
    help="Write each output to DIR/BLOB.npy; of several nets to DIR/FILE/BLOB.npy.",
)
@format_options(*FORMATS)
def verify(
    files: tuple[str, ...],
    weights: str | None,
    inputs: tuple[str, ...],
    mean: str | None,
    scale: float,
    seed: int,
    max_memory: str,
    save_outputs: str | None,
    form: str,
    output: str | None,
    **options: Any,
) -> None:
    """Run the nets on the CPU and compare: shapes inferred and executed, madds counted and performed.

    Exit code 1 when anything disagrees, 3 when a layer was only assumed (--assume).

    \b
    Examples:
      netcount verify deploy.prototxt
      netcount verify deploy.prototxt --weights net.caffemodel --input data=cat.jpg --mean 104,117,123
      netcount verify deploy.prototxt --save-outputs outputs --seed 7
    """
    load = load_options(options)
    limit = parse_bytes(max_memory)
    if not isfinite(scale):
        raise InputError(f"{scale} is not finite", argument="scale")
    prepared = Preparation(_numbers(mean), scale)
    runs: list[Verification] = []
    code = DONE
    for file in files:
        try:
            runs.append(_verified(file, load, weights, inputs, prepared, seed, limit))
        except NetcountError as problem:
            say(problem, file)
            code = problem.exit_code
    if not (code and output is not None):
        deliver(forms_of("verify", runs), form, output)
    if save_outputs is not None:
        for one in runs:
            _save(one, os.path.join(save_outputs, _plain(one.net.file)) if len(files) > 1 else save_outputs)
    if code == DONE and not all(one.agrees for one in runs):
        code = FAILED
    elif code == DONE and not all(one.net.complete for one in runs):
        code = INCOMPLETE
    raise click.exceptions.Exit(code)


def _verified(
    file: str,
    load: LoadOptions,
    weights: str | None,
    inputs: tuple[str, ...],
    prepared: Preparation,
    seed: int,
    limit: int,
) -> Verification:
    net = load_net(file, load)
    allowed_memory(net, limit)
    blobs: dict[str, Any] | None = None
    extra: tuple[str, ...] = ()
    if weights is not None:
        from netcount.execute.weights import read_caffemodel

        blobs, extra = read_caffemodel(weights, net)
    given = read_inputs(inputs, net, prepared)
    with progress_bar("layers", len(net.nodes)) as bar:
        return run(net, blobs, given, seed=seed, max_bytes=limit, extra_layers=extra, progress=bar.step)


def _save(one: Verification, folder: str) -> None:
    """Each output as a .npy file."""
    import io

    import numpy as np

    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as failure:
        raise InputError(f"cannot make {shown_path(folder)}: {reason(failure)}") from None
    for name, array in one.outputs.items():
        path = os.path.join(folder, _plain(name) + ".npy")
        if os.path.dirname(os.path.realpath(path)) != os.path.realpath(folder):
            raise InputError(f"{shown_path(path)} is a link out of {shown_path(folder)}; it is not followed")
        spare(path, ".npy")
        stream = io.BytesIO()
        np.save(stream, array)
        write_atomically(path, stream.getvalue())


def _plain(name: str) -> str:
    """A name as one that any folder can hold: slashes and dots are written as %2F and %2E."""
    from urllib.parse import quote

    return quote(name, safe="").replace(".", "%2E")


def _numbers(text: str | None) -> tuple[float, ...]:
    if text is None:
        return ()
    try:
        numbers = tuple(float(part) for part in text.split(","))
        if all(map(isfinite, numbers)):
            return numbers
    except ValueError:
        pass
    raise InputError(f"{text} is not numbers with commas, such as 104,117,123", argument="mean") from None
