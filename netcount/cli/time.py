"""`netcount time`: how long nets take in engines."""

from __future__ import annotations

from typing import Any

import click

from netcount.cli.options import (
    FORMATS,
    format_options,
    load_options,
    net_options,
    parse_bytes,
    plot_options,
    read_once,
)
from netcount.cli.output import deliver, forms_of, progress_bar, spare, write_plot
from netcount.core.exit_codes import BAD_INPUT, DONE
from netcount.core.files import read_text
from netcount.engines.known import chosen
from netcount.engines.machine import Machine
from netcount.engines.timing import Wanted, time_nets
from netcount.graph.load import name_of


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--engine", "engines", metavar="NAME,NAME,...", help="Engines to run (default: all that are installed)."
)
@click.option("--threads", type=click.IntRange(1, 1024), default=1, show_default=True, help="Of an engine.")
@click.option(
    "--rounds", type=click.IntRange(1, 100_000), default=11, show_default=True, help="Passes that count."
)
@click.option(
    "--warm-up", type=click.IntRange(0, 100_000), default=2, show_default=True, help="Passes before them."
)
@click.option("--layers", is_flag=True, help="Show what each layer took, where the engine tells.")
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="With --layers: only the N slowest.")
@click.option(
    "--weights", metavar="X.caffemodel", help="Trained weights, matched by layer name; else random ones."
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="For random weights and inputs."
)
@click.option("--max-memory", default="4GiB", show_default=True, help="Refuse a net that needs more.")
@plot_options("Write a plot of time against madds")
@format_options(*FORMATS)
@click.option("--progress/--no-progress", default=None, help="Show a progress bar on standard error.")
@net_options
def time(
    files: tuple[str, ...],
    engines: str | None,
    threads: int,
    rounds: int,
    warm_up: int,
    layers: bool,
    top: int | None,
    weights: str | None,
    seed: int,
    max_memory: str,
    plot: str | None,
    plot_size: tuple[float, float] | None,
    plot_dpi: int,
    form: str,
    output: str | None,
    progress: bool | None,
    **options: Any,
) -> None:
    """How long nets take in engines, and whether their madds told so.

    Every net runs in every engine in a process of its own; they take turns, so that whatever else the machine
    does hits all of them. The outputs have to be those of netcount's executor.

    \b
    Examples:
      netcount time squeezenet_v1.1.prototxt mobilenet_v1.prototxt
      netcount time deploy.prototxt --engine onnxruntime --threads 4 --layers --top 10
      netcount time *.prototxt --format json -o laptop.json --plot time.svg

    Exit codes: 0 done, 2 bad input, or an engine does not run a net.
    """
    names = chosen(None if engines is None else [name.strip() for name in engines.split(",")])
    load = load_options(options)
    limit = parse_bytes(max_memory)
    read_once(files)
    wanted = [Wanted(read_text(file), name_of(file), load, weights) for file in files]
    if plot is not None:
        spare(plot)
    with progress_bar("passes", len(files) * len(names) * (rounds + warm_up), progress) as bar:
        answer = time_nets(
            wanted,
            names,
            machine=Machine.here(),
            threads=threads,
            rounds=rounds,
            warm_up=warm_up,
            layers=layers,
            seed=seed,
            max_bytes=limit,
            progress=bar.step,
        )
    write_plot(plot, plot_size, plot_dpi, "time", answer)
    deliver(forms_of("time", answer, report={"top": top}), form, output)
    raise click.exceptions.Exit(DONE if answer.complete else BAD_INPUT)
