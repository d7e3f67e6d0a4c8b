"""How many public nets export to an engine's form and agree there: a table in Markdown, and why the others do not.

    python tools/export_breadth.py ../shared/corpus/nets ../shared/wide/nets
    python tools/export_breadth.py --to ncnn --each FOLDER...    a line a file besides
    python tools/export_breadth.py --dynamic FOLDER...           ONNX with an open batch, for one image and for two

Chosen are the first NETS files by the SHA-256 of their content (so in no order of name or source, and each content
once) that netcount reads complete and unaided, in phase TEST for one image, with something that comes out, at most
MADDS multiply-adds and PARAMS parameters, and that the executor runs.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import click

from netcount.core.errors import InputError, NetcountError, each
from netcount.execute.executor import Executor
from netcount.execute.stand_ins import stand_in_weights, stand_ins
from netcount.export.written import ENDINGS, export_net
from netcount.graph.graph import Graph
from netcount.graph.load import load_text
from netcount.graph.options import LoadOptions

_SHAPE = re.compile(r"\d+(×\d+)+")
NETS = 200
MADDS = 1_200_000_000
PARAMS = 70_000_000


class Tried(NamedTuple):
    """A net that was tried; reasons: why it is not exported, of each layer, or what went wrong."""

    file: str
    reasons: tuple[str, ...]
    differs: bool = False


def chosen(folders: Sequence[Path], number: int) -> Iterator[tuple[Path, Graph]]:
    """The nets by the rule above."""
    contents = {
        sha256(path.read_bytes()).hexdigest(): path for folder in folders for path in sorted(folder.iterdir())
    }
    for digest in sorted(contents):
        if number == 0:
            return
        path = contents[digest]
        try:
            net = load_text(path.read_text(encoding="utf-8", errors="surrogateescape"), LoadOptions(), path.name)
            madds = sum(node.layer.ops(node.bottom_shapes, node.top_shapes).madds for node in net.nodes)
            if not net.complete or not net.outputs or madds > MADDS or net.learnable() > PARAMS:
                continue
            Executor(net, stand_in_weights(net)).run(stand_ins(net))
        except NetcountError:
            continue
        number -= 1
        yield path, net


def tried(path: Path, net: Graph, form: str, dynamic: bool) -> Tried:
    """Whether a net is exported and agrees."""
    try:
        other = (
            load_text(path.read_text(encoding="utf-8", errors="surrogateescape"), LoadOptions(batch=2))
            if dynamic
            else None
        )
        export_net(net, form, stand_in_weights(net), other_batch=other)
    except InputError as problem:
        whats = [one.what for one in each(problem)]
        missing = [what for what in whats if "cannot express it" in what]
        reasons = [f"{what.split()[0]}: {what.partition('cannot express it: ')[2]}" for what in missing]
        return Tried(
            path.name, tuple(dict.fromkeys(reasons or whats)), any("differs by" in what for what in whats)
        )
    return Tried(path.name, ())


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--to", "form", type=click.Choice(list(ENDINGS)), default="onnx", show_default=True)
@click.option("--dynamic", is_flag=True, help="Leave the batch of ONNX open.")
@click.option("--number", default=NETS, show_default=True, help="So many nets.")
@click.option("--each", "every", is_flag=True, help="A line a file on standard error.")
def main(folders: tuple[Path, ...], form: str, dynamic: bool, number: int, every: bool) -> None:
    """Count."""
    results = []
    for path, net in chosen(folders, number):
        if every:
            print(path.name, end=" ", file=sys.stderr, flush=True)
        results.append(tried(path, net, form, dynamic))
        if every:
            print("; ".join(results[-1].reasons) or "agrees", file=sys.stderr)
    agree = sum(not one.reasons for one in results)
    differ = sum(one.differs for one in results)
    refused = len(results) - agree - differ
    print(f"{len(results)} nets: {agree} export and agree, {refused} are refused, {differ} differ\n")
    print("| why not | nets |\n|---|---|")
    counts = Counter(reason for one in results for reason in one.reasons)
    for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        print(f"| {reason} | {count} |")


if __name__ == "__main__":
    main()
