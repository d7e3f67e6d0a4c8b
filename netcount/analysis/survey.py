"""Many nets: a row per net, counted in processes or on any executor."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, as_completed
from dataclasses import dataclass, field
from functools import partial
from glob import has_magic
from typing import NamedTuple, TypeAlias

from netcount.analysis._support.futures import BROKEN
from netcount.analysis.conventions import Convention, convention_named
from netcount.analysis.count import count
from netcount.analysis.figures import MAIN, Figured
from netcount.core.errors import (
    PYTHON,
    InputError,
    NetcountError,
    Spelling,
    each,
    spelled,
    spelling,
)
from netcount.core.files import shown_path
from netcount.core.globs import files_matching
from netcount.graph.graph import Graph
from netcount.graph.load import DEFAULTS, load_net
from netcount.graph.options import LoadOptions

SUFFIX = ".prototxt"
CRASHED = "the process that counted it ended (out of memory?)"


@dataclass(frozen=True, slots=True)
class SurveyRow(Figured):
    """What a survey says of a file.  error: why there are no figures.

    input: the shape of the first input in Caffe's order.  figures: the main ones, by key.
    warnings: how many the analysis has.
    """

    file: str
    net: str = ""
    phase: str = ""
    input: tuple[int, ...] = ()
    layers: int = 0
    figures: Mapping[str, int] = field(default_factory=dict)
    warnings: int = 0
    complete: bool = True
    error: str = ""


class Survey(NamedTuple):
    """The rows, in the order of the files; of an interrupted survey those that were done."""

    rows: tuple[SurveyRow, ...]
    interrupted: bool = False


def survey(
    paths: Iterable[str | os.PathLike[str]],
    executor: Executor | None = None,
    *,
    jobs: int | None = None,
    convention: str | Convention = "madds",
    options: LoadOptions = DEFAULTS,
    on_start: Callable[[int], None] | None = None,
    on_row: Callable[[SurveyRow], None] | None = None,
) -> Survey:
    """Analyze every net among `paths`: files, folders (all .prototxt below) and globs.

    executor: any concurrent.futures.Executor: a cluster's, a pool of your own.  It is not shut
    down, and its workers need netcount and the files.  Without one, `jobs` processes (one for each
    processor) count, which import nothing from the working folder; one job counts in this process.
    options: how the nets are read; `assume` may name types that only some nets have.  convention:
    what `cost` counts.
    on_start, on_row: called with the number of files, and with every row as it is done.

    A file that cannot be counted gives a row with an error.  KeyboardInterrupt ends the survey with
    the rows it has.  InputError where a folder or glob holds no net, NetcountError where an executor's workers
    all end without a row.
    """
    rule = convention_named(convention)
    files = find_nets(paths)
    if on_start:
        on_start(len(files))
    rows: dict[str, SurveyRow] = {}

    def done(row: SurveyRow) -> None:
        rows[row.file] = row
        if on_row:
            on_row(row)

    task = partial(analyze_one, convention=rule, options=options, words=spelling())
    interrupted = False
    try:
        if executor is not None:
            for row in _on(executor, files, task):
                done(row)
        else:
            workers = min(jobs or os.cpu_count() or 1, len(files))
            alone = workers == 1 or not sys.executable
            for row in map(task, files) if alone else _in_processes(files, task, workers):
                done(row)
    except KeyboardInterrupt:
        interrupted = True
    if executor is not None and rows and all(row.error == CRASHED for row in rows.values()):
        raise NetcountError(BROKEN, argument="executor")
    return Survey(tuple(rows[file] for file in files if file in rows), interrupted)


def find_nets(paths: Iterable[str | os.PathLike[str]]) -> list[str]:
    """The files that paths, folders and globs mean, each once, however it is spelled first; hidden
    folders are passed over.
    """
    files: dict[str, None] = {}
    for path in paths:
        name = os.fspath(path)
        if os.path.isdir(name):
            below = list(_walk(name))
            if not below:
                raise InputError(f"no {SUFFIX} below {shown_path(name)}")
            files.update(dict.fromkeys(below))
        elif has_magic(name) and not os.path.exists(name):
            matches = files_matching(name)
            if not matches:
                raise InputError(f"no file matches {shown_path(name)}")
            files.update(dict.fromkeys(matches))
        else:
            files[name] = None
    first: dict[str, str] = {}
    for name in files:
        first.setdefault(os.path.abspath(name), name)
    return list(first.values())


def analyze_one(file: str, convention: Convention, options: LoadOptions, words: Spelling = PYTHON) -> SurveyRow:
    """The row of one file; whatever goes wrong with it becomes the row's error."""
    try:
        counted = count(_load(file, options), convention)
    except NetcountError as problem:
        with spelled(words):
            first, *others = each(problem)
            return SurveyRow(file, error=f"{first} (and {len(others)} more)" if others else str(first))
    except (Exception, RecursionError, MemoryError) as failure:  # a mistake of ours, or too large
        return SurveyRow(file, error=f"{type(failure).__name__}: {failure}")
    net = counted.net
    return SurveyRow(
        file,
        net.name,
        net.phase,
        tuple(net.blobs[net.inputs[0]].shape) if net.inputs else (),
        len(counted.layers),
        {figure.key: figure.of(counted) for figure in MAIN},
        len(counted.warnings),
        net.complete,
    )


_Task: TypeAlias = "Callable[[str], SurveyRow]"
"""`analyze_one` with its settings: a value that travels to another process."""


def _load(file: str, options: LoadOptions) -> Graph:
    """The net; the assumptions are for all nets, and each needs only some of them."""
    assume = {name: what._replace(optional=True) for name, what in options.assume.items()}
    return load_net(file, options._replace(assume=assume))


def _walk(folder: str) -> Iterator[str]:
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(SUFFIX):
                yield os.path.join(here, name)


def _on(executor: Executor, files: Sequence[str], task: _Task) -> Iterator[SurveyRow]:
    """Rows as an executor has them done; what is still waiting is cancelled when we are stopped."""
    waiting: dict[Future[SurveyRow], str] = {}
    try:
        for file in files:
            waiting[executor.submit(task, file)] = file
        for future in as_completed(list(waiting)):
            yield _row(future, waiting.pop(future))
    finally:
        for future in waiting:
            future.cancel()


def _row(future: Future[SurveyRow], file: str) -> SurveyRow:
    try:
        return future.result()
    except NetcountError:  # the same for every file
        raise
    except (BrokenExecutor, CancelledError):
        return SurveyRow(file, error=CRASHED)
    except Exception as failure:  # what a cluster's executor says of a lost worker
        return SurveyRow(file, error=f"{type(failure).__name__}: {failure}")


def _in_processes(files: Sequence[str], task: _Task, workers: int) -> Iterator[SurveyRow]:
    """Rows from processes of our own."""
    from netcount.analysis._support.workers import Workers

    pool = Workers(workers)
    try:
        yield from _on(pool, files, task)
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
