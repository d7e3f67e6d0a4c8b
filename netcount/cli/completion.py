"""What a shell offers behind a command: files, and the names of the file at hand.  Imported only by a shell."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import click
from click.shell_completion import CompletionItem, FishComplete, add_completion_class

_SAFE = re.compile(r"[\w][\w/.+-]*")
"""Names that no shell takes for anything else: what it offers it puts into the line as it stands."""
_MOST_BYTES = 2**22


class CommaFish(FishComplete):
    """fish, with values that hold commas themselves: click splits them."""

    source_template: ClassVar[str] = FishComplete.source_template.replace(
        'string split ","', 'string split -m 1 ","'
    )


def register() -> None:
    """Tell click of the shells that it completes in another way here."""
    add_completion_class(CommaFish)


def completed(command: click.Command) -> click.Command:
    """The command, whose arguments and options know what can stand in their place."""
    for param in command.params:
        source = _SOURCES.get((command.name or "", param.name or ""), _SOURCES.get(("", param.name or "")))
        if source is not None:
            param.type = _Completed(source)
    return command


_Source = Callable[[click.Context, str], Iterable[CompletionItem]]


if TYPE_CHECKING:
    _Type = click.ParamType[Any]
else:
    _Type = click.ParamType  # which click 8.1 has without a type of its values


class _Completed(_Type):
    """A text with completions."""

    name = "text"

    def __init__(self, source: _Source) -> None:
        self.source = source

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """What begins as the word does; nothing where the file at hand cannot be read."""
        try:
            return list(self.source(ctx, incomplete))
        except Exception:  # a shell has no use for an error
            return []


def _files(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(incomplete, type="file")]


def _folders(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(incomplete, type="dir")]


def _one_of(names: Callable[[click.Context], Iterable[str]]) -> _Source:
    def source(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        known = dict.fromkeys(name for name in names(ctx) if _SAFE.fullmatch(name))
        return [CompletionItem(name) for name in known if name.startswith(incomplete)]

    return source


def _several_of(names: Callable[[click.Context], Iterable[str]]) -> _Source:
    """Names with commas between: the last one is completed."""
    one = _one_of(names)

    def source(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        before, comma, last = incomplete.rpartition(",")
        given = before.split(",")
        return [
            CompletionItem(f"{before}{comma}{item.value}") for item in one(ctx, last) if item.value not in given
        ]

    return source


def _or_files(source: _Source) -> _Source:
    return lambda ctx, incomplete: [*source(ctx, incomplete)] or _files(ctx, incomplete)


def _path(ctx: click.Context) -> str:
    """The net at hand: a file that is there, or a sample where the command takes one."""
    # behind an option that lacks its value, click has not told the arguments apart
    given = ctx.params.get("file") or ctx.params.get("files") or ctx.args[:1] or ""
    path = str(given if isinstance(given, str) else given[0])
    if not os.path.exists(path) and ctx.command.name in _WITH_SAMPLES:
        from netcount.core.samples import sample_path

        path = sample_path(path) or path
    if not os.path.isfile(path) or os.path.getsize(path) > _MOST_BYTES:
        raise FileNotFoundError(path)
    return path


def _layers(ctx: click.Context) -> list[str]:
    """The names of the layers, also of a net that Caffe would refuse."""
    from netcount.core.files import read_text
    from netcount.prototxt.reader import read

    names = []
    for name, value, _ in read(read_text(_path(ctx)), "net").fields:
        if name in ("layer", "layers") and not isinstance(value, str):
            names += [
                text.strip("\"'") for key, text, _ in value.fields if key == "name" and isinstance(text, str)
            ]
    return names


def _blocks(ctx: click.Context) -> list[str]:
    from netcount.analysis.blocks import blocks
    from netcount.analysis.count import count
    from netcount.core.errors import NetcountError
    from netcount.graph.load import load_net

    try:
        return [block.name for block in blocks(count(load_net(_path(ctx))), ctx.params.get("pattern"))]
    except NetcountError:
        return []


def _names(ctx: click.Context) -> list[str]:
    kind = ctx.params.get("kind")
    blocks = [] if kind == "layer" else _blocks(ctx)
    return [*blocks, *([] if kind == "block" else _layers(ctx))]


def _columns(ctx: click.Context) -> Iterable[str]:
    from netcount.report.columns import COLUMNS

    return COLUMNS


def _survey_columns(ctx: click.Context) -> Iterable[str]:
    from netcount.report.survey import KEYS

    return KEYS


def _conventions(ctx: click.Context) -> list[str]:
    """netcount's own, and those of the configuration that is found upwards."""
    from netcount.analysis.conventions import KNOWN
    from netcount.budget import config
    from netcount.core.errors import NetcountError

    try:
        path = config.find()
        own = list(config.load(path).conventions) if path else []
    except NetcountError:
        own = []
    return [*KNOWN, *own]


def _types(ctx: click.Context) -> Iterable[str]:
    from netcount.layers.registry import CATALOGUE

    return CATALOGUE


def _samples(ctx: click.Context) -> list[str]:
    from netcount.core.samples import sample_names

    return sample_names()


def _targets(ctx: click.Context) -> Iterable[str]:
    from netcount.targets.shipped import shipped

    return shipped()


def _baseline_nets(ctx: click.Context) -> list[str]:
    from netcount.budget.baseline import is_baseline, read_baseline

    return [label for file in ctx.params.get("files") or () if is_baseline(file) for label in read_baseline(file)]


_WITH_SAMPLES = ("analyze", "explain", "graph")
_FILES = ("file", "files", "paths", "output", "weights", "weights_out", "plot", "baseline", "config_files")
_SOURCES: Mapping[tuple[str, str], _Source] = {
    **{("", name): _files for name in _FILES},
    ("", "save_outputs"): _folders,
    ("", "copy"): _folders,
    ("", "columns"): _several_of(_columns),
    ("", "sort"): _several_of(_columns),
    ("survey", "sort"): _several_of(_survey_columns),
    ("", "convention"): _one_of(_conventions),
    ("", "reconcile"): _several_of(_conventions),
    ("", "keep"): _one_of(_layers),
    ("explain", "name"): _one_of(_names),
    ("layers", "type"): _one_of(_types),
    ("samples", "names"): _one_of(_samples),
    ("", "target"): _or_files(_one_of(_targets)),
    ("compare", "label"): _one_of(_baseline_nets),
}
"""What completes a parameter, by command and parameter; a command of "" is any."""
