"""Prototxt: text -> located tree -> messages -> one upgraded NetParameter; nothing about what layers do."""

from __future__ import annotations

from netcount.core.errors import NetcountError
from netcount.prototxt.bind import bind
from netcount.prototxt.message import Message
from netcount.prototxt.reader import read
from netcount.prototxt.tree import Tree
from netcount.prototxt.unknown_fields import UnknownField
from netcount.prototxt.upgrade import upgrade


def read_net(source: str | Tree, file: str, problems: list[NetcountError], unknown: list[UnknownField]) -> Message:
    """The net of a prototxt in Caffe's current form.

    Args:
        source: The text, or the tree that `reader.read` made of it.
        file: What the text is called in messages.
        problems: Mistakes in fields and values are appended; their fields are left unset.
        unknown: Fields that no known Caffe has are appended.

    Returns:
        A NetParameter without V0 or V1 layers and without legacy inputs.

    Raises:
        InputError: The text is no text format.
    """
    tree = read(source, file) if isinstance(source, str) else source
    return upgrade(bind(tree, "NetParameter", problems, unknown), problems)
