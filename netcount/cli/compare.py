"""`netcount compare`: what changed between nets."""

from __future__ import annotations

import itertools
import os
from typing import Any

import click

from netcount.analysis.compare import NetFacts, compared, facts, told_apart
from netcount.analysis.count import count
from netcount.budget.baseline import is_baseline, read_baseline
from netcount.cli.options import (
    FORMATS,
    convention_option,
    format_options,
    load_options,
    named_convention,
    net_options,
    read_once,
)
from netcount.cli.output import deliver, forms_of, say
from netcount.core.errors import InputError, NetcountError
from netcount.core.exit_codes import DONE, INCOMPLETE
from netcount.core.files import is_document, shown_path
from netcount.core.git import is_object, read_object
from netcount.graph.graph import Graph
from netcount.graph.load import load_net, load_text
from netcount.graph.options import LoadOptions


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="A B [C]...")
@format_options(*FORMATS)
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="Show only the N largest changes.")
@click.option("--net", "label", metavar="LABEL", help="Net to compare, where a file is a baseline of several.")
@net_options
@convention_option
def compare(
    files: tuple[str, ...],
    form: str,
    output: str | None,
    top: int | None,
    label: str | None,
    convention: str,
    **options: Any,
) -> None:
    """What changed from A to B: totals, and the layers added, removed, renamed or changed.

    A and B are prototxts; one of them may be a baseline that `netcount check` wrote. Of two JSON documents of
    `netcount time` the times are compared. REVISION:PATH is
    a file of a git repository as it was. A line `~` without fields is a layer whose settings are the
    same and whose input is another. Nets of which few layers correspond are compared by kind of
    operation and by plane.

    \b
    Examples:
      netcount compare squeezenet_v1.0.prototxt squeezenet_v1.1.prototxt
      netcount compare netcount-baseline.json deploy.prototxt --format markdown
      netcount compare HEAD~1:net.prototxt net.prototxt
      netcount compare alexnet.prototxt nin.prototxt vgg16.prototxt
      netcount compare laptop.json board.json    (of netcount time --format json)
    """
    if len(files) < 2:
        raise click.UsageError("compare needs two files or more")
    read_once(files)
    timings = [not is_object(file) and is_document(file, "netcount/time/1") for file in files]
    if any(timings):
        from netcount.engines.between import read_and_compare
        from netcount.engines.recorded import read_timing

        for file in itertools.compress(files, (not timing for timing in timings)):
            read_timing(file)  # which says what it is instead
        if len(files) != 2:
            raise click.UsageError("timings are compared two at a time")
        deliver(forms_of("times", read_and_compare(files[0], files[1])), form, output)
        return
    load = load_options(options)
    rule = named_convention(convention)
    facts_of: dict[int, NetFacts] = {}
    code = DONE
    for index, file in enumerate(files):
        if not is_object(file) and is_baseline(file):
            continue
        try:
            counted = count(_net(file, load), rule)
        except NetcountError as problem:
            say(problem)
            code = problem.exit_code
            continue
        facts_of[index] = facts(counted)
        if not counted.net.complete:
            code = code or INCOMPLETE
    if code not in (DONE, INCOMPLETE):
        raise click.exceptions.Exit(code)
    for index, file in enumerate(files):
        if index not in facts_of:
            facts_of[index] = _of_baseline(file, label, list(facts_of.values()))
    comparison = compared(told_apart([facts_of[index] for index in range(len(files))]))
    deliver(forms_of("compare", comparison, report={"top": top}), form, output)
    raise click.exceptions.Exit(code)


def _net(file: str, load: LoadOptions) -> Graph:
    """The net of a file, or of a file at a revision of its repository."""
    return load_text(read_object(file), load, shown_path(file)) if is_object(file) else load_net(file, load)


def _of_baseline(file: str, label: str | None, others: list[NetFacts]) -> NetFacts:
    """The net of a baseline: the one of that label, of the other net's file, or the only one."""
    nets = read_baseline(file)
    if label is not None:
        wanted = [label]
    else:
        folder = os.path.dirname(os.path.realpath(file))
        real = {os.path.realpath(net.file) for net in others}
        wanted = [key for key, net in nets.items() if os.path.realpath(os.path.join(folder, net.file)) in real]
        if not wanted and len(nets) == 1:
            wanted = list(nets)
    if len(wanted) != 1 or wanted[0] not in nets:
        raise InputError(f"{file}: which net? --net is one of {', '.join(nets) or '(there is none)'}")
    return nets[wanted[0]]._replace(label=f"{wanted[0]} (baseline)")
