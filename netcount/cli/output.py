"""Where results and errors go: standard output, a terminal, or a file that is replaced whole."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from netcount.core.errors import InputError, NetcountError, Warned, each, reason
from netcount.core.exit_codes import INCOMPLETE
from netcount.core.files import shown_path, write_atomically
from netcount.report.formats.layout import Part, plain
from netcount.report.formats.text import visible
from netcount.report.questions import QUESTIONS

if TYPE_CHECKING:
    from netcount.report.formats.problems import Problem
    from netcount.report.tabular import Csv

PEOPLE = ("table", "text")
"""The formats that a terminal shows in colours."""

_documents = ContextVar("documents", default=False)


def errors_as_documents(wanted: bool) -> None:
    """Whether errors of this command are JSON documents on standard output too."""
    _documents.set(wanted)


def say(error: NetcountError, file: str | None = None) -> None:
    """Print an error, or each of several, on a line of its own on standard error.

    Where the command writes JSON, its document (`netcount/error/1`) goes to standard output, on one line.
    """
    if _documents.get():
        import json

        from netcount.report.error import document

        tell(json.dumps(document(error, file), allow_nan=False) + "\n")
    for problem in each(error):
        prefix = "" if problem.place else "netcount: "
        click.echo(f"{prefix}{visible(str(problem))}", err=True)


def on_terminal() -> bool:
    """Whether people are looking at standard output."""
    return sys.stdout.isatty()


def show(parts: Sequence[Part]) -> None:
    """A report for people: through rich on a terminal, as plain text, as wide as it needs, elsewhere."""
    if not parts:
        return
    if on_terminal():
        from rich.console import Console  # 25 ms that a pipe need not pay

        from netcount.report.formats import terminal

        terminal.show(parts, Console())
    else:
        tell(plain(parts))


def tell(text: str | bytes) -> None:
    """Text, or bytes where nobody looks, to standard output.

    Who reads it (a pager, head) may stop before its end; InputError when it cannot be written.
    """
    if isinstance(text, bytes) and on_terminal():
        raise InputError("this format is not for a terminal; name a file", argument="output")
    try:
        if isinstance(text, bytes):
            sys.stdout.buffer.write(text)
        else:
            sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        silence()
    except OSError as failure:
        silence()
        raise InputError(f"cannot write standard output: {reason(failure)}") from None


def silence() -> None:
    """Let nothing more be written to standard output, not even what waits in its buffer."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def emit(text: str | bytes, path: str | None, makes: str = "") -> None:
    """Text or bytes to a file, or to standard output where no file is named.  makes: as for `spare`."""
    if path is None or path == "-":
        tell(text)
    else:
        spare(path, makes)
        write_atomically(path, text)


_SOURCES = (".prototxt", ".caffemodel", ".toml", ".npy", ".npz", ".h5")
"""Files of these endings are what commands read."""


def spare(path: str, makes: str = "", inputs: Iterable[str] = ()) -> None:
    """Refuse an output path at which a net, a configuration, a baseline or an input of this command stands.

    Args:
        path: Where the output shall go.
        makes: The ending of what the command makes; such a file is overwritten unless it is an input.
        inputs: Files that are read besides the ones that the command line names.
    """
    if not os.path.isfile(path):
        return
    context = click.get_current_context(silent=True)
    named = {key: value for key, value in context.params.items() if key not in _OUTPUTS} if context else {}
    for file in (*inputs, *_paths(list(named.values()))):
        with suppress(OSError, ValueError):
            if os.path.samefile(file, path):
                raise InputError(f"{shown_path(path)} is an input of this command; it is not overwritten")
    from netcount.budget.baseline import is_baseline

    ending = os.path.splitext(path)[1].lower()
    if (ending in _SOURCES and ending != makes) or is_baseline(path):
        what = "a baseline" if ending not in _SOURCES else f"a {ending} file that is there"
        raise InputError(f"{shown_path(path)} is {what}; it is not overwritten by another kind of output")


_OUTPUTS = ("output", "plot", "save_outputs")


def _paths(values: Iterable[Any]) -> Iterator[str]:
    """The texts among a command's arguments; of NAME=FILE also the file."""
    for value in values:
        if isinstance(value, str):
            yield from (value, value.partition("=")[2])
        elif isinstance(value, list | tuple):
            yield from _paths(value)


class Forms(NamedTuple):
    """One result in the formats it has; each is made only when it is wanted.

    many: `document` gives several documents, one per line.  indent: of a document that stands alone.
    page: what Markdown and HTML show, where that is not `parts`.  others: further formats by name.
    """

    parts: Callable[[], Sequence[Part]]
    document: Callable[[], Any]
    csv: Callable[[], Csv] | None = None
    many: bool = False
    indent: int | None = None
    page: Callable[[], Sequence[Part]] | None = None
    others: Mapping[str, Callable[[], str]] = {}


def forms_of(
    name: str, *answer: object, report: Mapping[str, object] = {}, csv: Mapping[str, object] = {}
) -> Forms:
    """The answer to a question in the formats that its descriptor names.

    report, csv: what else a reader asked to see, for the functions that make these.
    """
    question = QUESTIONS[name]
    return Forms(
        lambda: question.loaded("report")(*answer, **report),
        lambda: question.loaded("document")(*answer),
        lambda: question.loaded("csv")(*answer, **csv),
        question.many,
        question.indent,
    )


def service_forms(
    problems: Callable[[], Sequence[Problem]], tally: Callable[[], str]
) -> dict[str, Callable[[], str]]:
    """The formats of CI services, by name; `tally` is the last line of a log."""

    def github() -> str:
        from netcount.report.formats.github import github

        return github(problems(), tally(), checkout())

    def sarif() -> str:
        from netcount import __version__
        from netcount.report.formats.sarif import sarif

        return json_text(sarif(problems(), __version__, checkout()), 2)

    return {"github": github, "sarif": sarif}


def checkout() -> str:
    """The folder that CI names files from; "" for where we are."""
    return os.environ.get("GITHUB_WORKSPACE", "")


def deliver(forms: Forms, form: str, path: str | None) -> None:
    """A result in one of its formats, to a file or to standard output."""
    if form in PEOPLE and path is None:
        show(forms.parts())
    else:
        emit(_text(forms, form), path)


def _text(forms: Forms, form: str) -> str | bytes:
    if form in forms.others:
        return forms.others[form]()
    if form == "json":
        document = forms.document()
        return "".join(json_text(one, forms.indent) for one in (document if forms.many else [document]))
    if form == "csv" and forms.csv is not None:
        return forms.csv()
    if form == "markdown":
        from netcount.report.formats.markdown import markdown

        return markdown((forms.page or forms.parts)())
    if form == "latex":
        from netcount.report.formats.latex import latex

        return latex((forms.page or forms.parts)())
    if form == "xlsx" and forms.csv is not None:
        from netcount.report.formats.xlsx import workbook

        table = forms.csv()
        return workbook(table.header, table.records)
    if form == "html":
        from netcount.report.formats.html import page

        return page((forms.page or forms.parts)())
    return plain(forms.parts())


def json_text(document: object, indent: int | None = None) -> str:
    """A document as JSON, in ASCII, with a newline at its end."""
    import json

    return json.dumps(document, indent=indent, allow_nan=False) + "\n"


def conclude(warnings: Sequence[Warned], complete: bool, code: int = 0) -> None:
    """What a reader of the result has to know goes to standard error; exit code 3 where it is incomplete."""
    from netcount.report.analysis import caveats

    for line in caveats(warnings, complete):
        click.echo(line, err=True)
    raise click.exceptions.Exit(code or (0 if complete else INCOMPLETE))


def or_sample(file: str) -> str:
    """The file, or the sample of that name where there is none, which is said on standard error."""
    if os.path.basename(file) != file or os.path.lexists(file):
        return file
    from netcount.core.samples import sample_path  # only for a file that is missing

    path = sample_path(file)
    if path is not None:
        click.echo(f"there is no {visible(file)} here; netcount's sample of that name is taken", err=True)
    return path or file


def write_plot(plot: str | None, size: tuple[float, float] | None, dpi: int, kind: str, *answer: object) -> None:
    """A plot of an answer to the file that --plot names, if it does.

    Args:
        plot: The file.
        size: Width and height in inches; None for what suits the plot.
        dpi: Pixels per inch.
        kind: Which plot: "analysis", "memory", "sweep" or "time".
        answer: What the plot shows, and how much of it.
    """
    if plot is None:
        return
    from netcount.report.formats import plot as plots

    page = plots.Page(size, dpi)
    spare(plot)
    what, *more = answer
    write_atomically(plot, getattr(plots, f"{kind}_plot")(what, plot, page, *more))


class Bar(NamedTuple):
    """A progress bar's two ends: how many there are, and that one more is done.  None where nobody looks."""

    start: Callable[[int], None] | None = None
    step: Callable[[object], None] | None = None


@contextmanager
def progress_bar(what: str, total: int | None = None, wanted: bool | None = None) -> Iterator[Bar]:
    """A bar on standard error, if somebody is looking (or `wanted`)."""
    if not (sys.stderr.isatty() if wanted is None else wanted):
        yield Bar()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield Bar(
            lambda number: progress.update(task, total=number), lambda done: progress.update(task, advance=1)
        )
