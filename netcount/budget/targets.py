"""The nets that a configuration and a command line mean, and their counts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from netcount.analysis._support.emptied import emptied
from netcount.analysis.conventions import CONVENTIONS, Convention
from netcount.analysis.count import Count, count
from netcount.budget.budget import Budget
from netcount.budget.config import FILE, Config, NetEntry
from netcount.core.errors import Errors, InputError, NetcountError, Place, raise_all
from netcount.core.files import relative_path, shown_path
from netcount.graph.load import DEFAULTS, load_net
from netcount.graph.options import LoadOptions


class Target(NamedTuple):
    """A net to check: how it is loaded, and the budgets it has of its own."""

    label: str
    file: str
    options: LoadOptions
    convention: Convention
    allow_incomplete: bool
    budgets: tuple[Budget, ...]
    entry: NetEntry | None

    @property
    def name(self) -> str:
        """What people call it: the name that the configuration gives, or the file as seen from here."""
        if self.entry and self.entry.name:
            return self.entry.name
        return shown_path(self.file) if self.file != "-" else self.label


class Request(NamedTuple):
    """What a command line adds to a configuration.

    files: only these (all of the configuration when empty).  options, convention, allow_incomplete:
    for files the configuration does not list.  budget: limits for every net that is checked.
    """

    files: Sequence[str] = ()
    options: LoadOptions = DEFAULTS
    convention: Convention = CONVENTIONS["madds"]
    allow_incomplete: bool = False
    budget: Budget | None = None


class Counted(NamedTuple):
    """A target, and its count or why there is none."""

    target: Target
    found: Count | None
    error: NetcountError | None


def targets(config: Config | None, request: Request) -> list[Target]:
    """The nets to check.  InputError where there are none."""
    extra = (request.budget,) if request.budget else ()
    listed = {
        label: Target(
            label,
            file,
            entry.options,
            entry.convention,
            entry.allow_incomplete or request.allow_incomplete,
            (*((entry.budget,) if entry.budget else ()), *extra),
            entry,
        )
        for label, (file, entry) in (config.labelled() if config else {}).items()
    }
    if not request.files:
        if not listed:
            where = f"{config.file} lists no [[net]]" if config else f"there is no {FILE}"
            raise InputError(f"nothing to check: {where} (--help shows one), and no FILE is given")
        return list(listed.values())
    by_file: dict[str, list[Target]] = {}
    for target in listed.values():
        by_file.setdefault(os.path.realpath(target.file), []).append(target)
    by_label: dict[str, Target] = {}
    for file in dict.fromkeys(request.files):
        known = by_file.get(os.path.realpath(file), [])
        for target in known or [_loose(file, config, request, extra)]:
            by_label.setdefault(target.label, target)
    return list(by_label.values())


def others(config: Config | None, chosen: Sequence[Target]) -> list[Target]:
    """The nets of the configuration that are not chosen."""
    labels = {target.label for target in chosen}
    everything = targets(config, Request()) if config and config.nets else []
    return [target for target in everything if target.label not in labels]


def counted(chosen: Iterable[Target]) -> list[Counted]:
    """Count every net; an error stops only its own."""
    nets = []
    for target in chosen:
        try:
            nets.append(Counted(target, _count(target), None))
        except NetcountError as problem:
            nets.append(Counted(target, None, _located(problem, target)))
    return nets


def _count(target: Target) -> Count:
    """Count one net.  InputError where it is empty, or becomes so: what costs nothing passes every limit."""
    net = load_net(target.file, target.options)
    if not net.nodes:
        raise InputError(f"the net has no layers in phase {net.phase}; there is nothing to check", Place(net.file))
    raise_all([InputError(warned.what, warned.place) for warned in emptied(net)])
    return count(net, target.convention)


def _located(error: NetcountError, target: Target) -> NetcountError:
    """An error that says which net it is of, and where the configuration lists that, if it has no place."""
    if isinstance(error, Errors):
        return Errors(_located(problem, target) for problem in error.problems)
    if error.place:
        return error
    named = target.file in error.what
    if target.entry:
        return error.changed(None if named else f"{target.file}: {error.what}", target.entry.place)
    return error if named else error.changed(place=Place(target.file))


def names_of(target: Target, config: Config | None) -> set[str]:
    """What a budget's `nets` may call a net: its label, its path from the configuration's folder or from
    where we are.  The name that a file gives itself is none: whoever edits the file would choose its budgets.
    """
    names = {target.label, target.file, Path(target.file).as_posix()}
    return names | {relative_path(target.file, config.folder)} if config else names


def _loose(file: str, config: Config | None, request: Request, extra: tuple[Budget, ...]) -> Target:
    """A file the configuration does not list."""
    label = "<stdin>" if file == "-" else shown_path(file)
    if config and file != "-":
        label = relative_path(os.path.realpath(file), config.folder)
    return Target(label, file, request.options, request.convention, request.allow_incomplete, extra, None)
