"""Numbers of a prototxt replaced where they stand; everything else of the file stays as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netcount.prototxt.reader import after_separator, token_span
from netcount.prototxt.tree import Source, Tree

Span = tuple[int, int]
"""Where a value stands in the text: its first character, and the one after its last."""


def spans(tree: Tree, name: str) -> list[tuple[str, Span]]:
    """The values of a field of this message, as written, and where they stand."""
    texts: list[tuple[str, Span]] = []
    before = -1
    for field, value, offset in tree.fields:
        if field != name or isinstance(value, Tree) or value == "[]":
            continue
        text = tree.source.text
        if offset == before:  # one more of `name: [a, b]`, whose values share the offset of the name
            start = after_separator(text, texts[-1][1][1])
        else:
            start = after_separator(text, offset + len(name))
        texts.append((value, token_span(text, start)))
        before = offset
    return texts


def below(tree: Tree) -> Iterator[Tree]:
    """The message and all messages inside it, in the order of the text."""
    yield tree
    for _, value, _ in tree.fields:
        if isinstance(value, Tree):
            yield from below(value)


def own_span(tree: Tree, *names: str) -> tuple[str, Span] | None:
    """The first value of a field of one of these names, in this message alone."""
    return next((span for name in names for span in spans(tree, name)), None)


def first_span(tree: Tree, *names: str) -> tuple[str, Span] | None:
    """The first value of a field of one of these names, in the message or in one inside it."""
    return next((span for name in names for part in below(tree) for span in spans(part, name)), None)


def edited(source: Source, edits: Mapping[Span, str]) -> str:
    """The text with these spans replaced."""
    parts = []
    position = 0
    for (start, end), new in sorted(edits.items()):
        parts += [source.text[position:start], new]
        position = end
    return "".join([*parts, source.text[position:]])
