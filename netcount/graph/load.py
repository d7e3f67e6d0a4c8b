"""A path or a text -> the graph of its net."""

from __future__ import annotations

import os

from netcount.core.errors import Problems
from netcount.core.files import read_text, shown_path
from netcount.core.gc_pause import paused
from netcount.graph.build import draft
from netcount.graph.draft import Draft
from netcount.graph.graph import Graph
from netcount.graph.options import LoadOptions
from netcount.graph.solver import message_of
from netcount.prototxt.reader import defined, read
from netcount.prototxt.unknown_fields import UnknownField

DEFAULTS = LoadOptions()


def load_net(path: str | os.PathLike[str], options: LoadOptions = DEFAULTS) -> Graph:
    """The net of a prototxt file, or of `-` (standard input).  A solver is followed to the net it names.

    Raises:
        InputError: Caffe would refuse the net, or the file cannot be read.
    """
    return load_text(read_text(path), options, name_of(path))


def load_text(text: str, options: LoadOptions = DEFAULTS, file: str = "<text>") -> Graph:
    """The net of a prototxt's text.

    Args:
        text: What the file holds.
        options: How it is read.
        file: What the text is called in messages, and the file beside which a solver's net is looked for.

    Raises:
        InputError: Caffe would refuse the net.
    """
    with paused():
        return _draft(text, options, file).graph()


def draft_text(text: str, options: LoadOptions = DEFAULTS, file: str = "<text>") -> Draft:
    """The net of a prototxt's text before its shapes are known; arguments as for `load_text`.

    Raises:
        InputError: The text is no text format, or no net.
    """
    with paused():
        return _draft(text, options, file)


def _draft(text: str, options: LoadOptions, file: str) -> Draft:
    problems = Problems()
    unknown: list[UnknownField] = []
    tree = read(defined(text, options.define), file)
    message, own_level = message_of(tree, problems, unknown, options.phase)
    if own_level and not options.level:
        options = options._replace(level=own_level)
    return draft(message, options, Problems(), problems, unknown)


def name_of(path: str | os.PathLike[str]) -> str:
    """What a file is called in messages."""
    name = os.fspath(path)
    return "<stdin>" if name == "-" else shown_path(name)
