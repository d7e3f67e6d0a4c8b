"""`netcount graph`: a net as a picture."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

import click

from netcount.analysis.count import count
from netcount.cli.options import load_options, net_options, read_once
from netcount.cli.output import conclude, emit, errors_as_documents, json_text, on_terminal, or_sample, say
from netcount.core.errors import InputError
from netcount.core.files import read_text, write_atomically
from netcount.graph.load import load_text, name_of
from netcount.graph.options import LoadOptions
from netcount.graph.partial import outline_of, outlined
from netcount.picture.picture import ALL, open_and_folded, picture
from netcount.report.picture import COLOURS, Drawing, drawing, picture_document

FORMATS = ("svg", "png", "pdf", "dot", "mermaid", "html", "json")
ENDINGS = {**{f".{form}": form for form in FORMATS}, ".gv": "dot", ".mmd": "mermaid", ".htm": "html"}
BINARY = ("png", "pdf")


def _chosen(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    errors_as_documents(value == "json")
    return value


@click.command()
@click.argument("file")
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(FORMATS),
    is_eager=True,
    callback=_chosen,
    help="By default what the name of --output ends in, else svg. png and pdf need the extra 'picture'.",
)
@click.option("--output", "-o", metavar="FILE", help="Write to a file, replaced whole.")
@click.option(
    "--color",
    type=click.Choice(COLOURS),
    default=COLOURS[0],
    show_default=True,
    help="What the colours tell: a box's share of the net's madds or params, what is alive in memory while it "
    "runs, or the family of its type. With --diff they tell what changes.",
)
@click.option(
    "--collapse",
    multiple=True,
    metavar="all|NAME",
    help="Draw a block, or all of them, as one box; repeatable. `netcount blocks` lists them.",
)
@click.option("--diff", metavar="B", help="Draw B, and colour what it adds to, removes from and changes of FILE.")
@click.option("--no-fuse", is_flag=True, help="A box for every layer, also for those that follow another.")
@net_options
def graph(
    file: str,
    form: str | None,
    output: str | None,
    color: Any,
    collapse: tuple[str, ...],
    diff: str | None,
    no_fuse: bool,
    **options: Any,
) -> None:
    """A net as a picture: SVG, PNG, PDF, Graphviz, Mermaid, JSON, or a page to look around in.

    A box holds a layer and those that work on what it makes (BatchNorm, Scale, ReLU, Dropout). A net that
    Caffe would refuse is drawn as far as it goes, with its mistakes marked; the exit code is then 2.

    \b
    Examples:
      netcount graph squeezenet_v1.1.prototxt -o squeezenet.svg
      netcount graph googlenet.prototxt --collapse all --color params -o googlenet.png
      netcount graph deploy.prototxt --format mermaid
      netcount graph before.prototxt --diff after.prototxt -o changes.svg
    """
    form = form or _by_ending(output)
    if form in BINARY and output in (None, "-") and on_terminal():
        raise InputError(f"{form} is no text for a terminal; name a file with -o, or pipe it", argument="output")
    load = load_options(options)
    file = or_sample(file)
    if diff is not None:
        _changes(file, or_sample(diff), form, output, load, collapse, not no_fuse)
        return
    text = read_text(file)
    outline = outlined(text, load, name_of(file))
    counted = count(outline.graph)
    drawn = picture(counted, outline, not no_fuse, collapse)
    if form == "html":
        from netcount.report.page import net_page

        whole, folded = open_and_folded(counted, outline, not no_fuse)
        emit(net_page(whole, folded, text, color, drawn.folded), output)
    else:
        _write(_forms(drawing(drawn, color), text)[form](), output)
    if outline.error is not None:
        errors_as_documents(False)  # the document tells of them
        say(outline.error)
        raise click.exceptions.Exit(outline.error.exit_code)
    conclude(counted.warnings, outline.graph.complete)


def _changes(
    before: str,
    after: str,
    form: str,
    output: str | None,
    load: LoadOptions,
    collapse: tuple[str, ...],
    fuse: bool,
) -> None:
    """Draw the second net with what it changes of the first; both have to be whole."""
    from netcount.report.changes import changes_drawing

    read_once((before, after))
    texts = [read_text(file) for file in (before, after)]
    graphs = [load_text(text, load, name_of(file)) for text, file in zip(texts, (before, after), strict=True)]
    old, new = (picture(count(graph), outline_of(graph), fuse) for graph in graphs)
    drawn = picture(new.counted, new.outline, fuse, collapse)
    if form == "html":
        from netcount.report.page import Sides, changes_page

        before_sides, after_sides = (
            Sides(one, picture(one.counted, one.outline, fuse, (ALL,))) for one in (old, new)
        )
        emit(changes_page(before_sides, after_sides, texts[1], drawn.folded), output)
    else:
        old = picture(old.counted, old.outline, fuse, [name for name in collapse if name in (ALL, *old.blocks)])
        _write(_forms(changes_drawing(old, drawn), texts[1])[form](), output)
    conclude(new.counted.warnings, graphs[1].complete)


def _by_ending(output: str | None) -> str:
    if output in (None, "-"):
        return FORMATS[0]
    ending = os.path.splitext(str(output))[1].lower()
    if ending not in ENDINGS:
        raise click.UsageError(f"--output ends in none of {', '.join(ENDINGS)}; say what to write with --format")
    return ENDINGS[ending]


def _forms(drawn: Drawing, text: str) -> Mapping[str, Callable[[], str | bytes]]:
    """The picture in its formats; each is made only when it is wanted."""

    def svg() -> str:
        from netcount.report.formats.svg import svg

        return svg(drawn)

    def raster(form: str) -> bytes:
        from netcount.report.formats.raster import raster

        return raster(svg(), form)

    def dot() -> str:
        from netcount.report.formats.dot import dot

        return dot(drawn)

    def mermaid() -> str:
        from netcount.report.formats.mermaid import mermaid

        return mermaid(drawn)

    return {
        "svg": svg,
        "png": lambda: raster("png"),
        "pdf": lambda: raster("pdf"),
        "dot": dot,
        "mermaid": mermaid,
        "json": lambda: json_text(picture_document(drawn, text)),
    }


def _write(made: str | bytes, output: str | None) -> None:
    if isinstance(made, str):
        emit(made, output)
    elif output in (None, "-"):
        sys.stdout.buffer.write(made)
        sys.stdout.buffer.flush()
    else:
        write_atomically(str(output), made)
