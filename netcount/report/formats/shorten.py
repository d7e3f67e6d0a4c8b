"""Names in fewer cells, which stay distinct."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import count

from netcount.report.formats.text import clipped, width


def shortened(names: Sequence[str], cells: int, middle: bool = True) -> list[str]:
    """The names in at most `cells` cells each, an ellipsis for their middle (or their end).

    Names that differ are shown differently: where the usual cut makes two alike, another place is cut,
    what tells them apart is kept, or, at last, they are numbered.

    >>> shortened(["inception_3a/3x3_reduce", "inception_3a/5x5_reduce", "conv1"], 12)
    ['inc…3_reduce', 'inc…5_reduce', 'conv1']
    >>> shortened(["Convolution", "BatchNorm", "BatchReindex"], 6, middle=False)
    ['Con…on', 'Bat…rm', 'Bat…ex']
    """
    long = [name for name in dict.fromkeys(names) if width(name) > cells]
    if not long:
        return list(names)
    taken = {name for name in names if width(name) <= cells}
    whole = (cut for cut in _cuts(long, cells, middle) if _distinct(cut, taken))
    short = next(whole, None) or _told_apart(long, cells, taken)
    return [short.get(name, name) for name in names]


def _distinct(short: Mapping[str, str], taken: set[str]) -> bool:
    values = set(short.values())
    return len(values) == len(short) and not values & taken


def _cuts(names: Sequence[str], cells: int, middle: bool) -> Iterator[dict[str, str]]:
    """All names cut in the same place: in the middle, then nearer to either end."""
    room = max(cells - 1, 0)
    half = room // 2
    tails = sorted(range(room + 1), key=lambda tail: (tail > 0 and not middle, abs(tail - half)))
    for tail in tails:
        yield {name: _first(name, room - tail) + "…"[:cells] + _last(name, tail) for name in names}


def _told_apart(names: Sequence[str], cells: int, taken: set[str]) -> dict[str, str]:
    """Names that no one place of cutting tells apart: each with the part that it has not in common with
    those it would look like, or with a number."""
    short = {name: clipped(name, cells) for name in names}
    alike = Counter(short.values())
    groups: dict[str, list[str]] = {}
    for name, text in short.items():
        if alike[text] > 1 or text in taken:
            groups.setdefault(text, []).append(name)
    used = taken | {text for text in short.values() if alike[text] == 1}
    for group in groups.values():
        telling, numbers = _telling(group, cells), count(1)
        for name in group:
            text = next((text for text in telling[name] if text not in used), telling[name][0])
            while text in used:
                mark = f"…{next(numbers)}"
                text = _first(name, cells - len(mark)) + mark
            used.add(text)
            short[name] = text
    return short


def _telling(group: Sequence[str], cells: int) -> dict[str, tuple[str, ...]]:
    """Each name by the words that not all of the group have, with its beginning or with its end; where these
    are too many, by what stands behind the beginning that all have.

    >>> _telling(["res_block_a/conv_3x3_reduce", "res_block_a/conv_5x5_reduce"], 12)["res_block_a/conv_3x3_reduce"]
    ('res_blo…3x3…', '…3x3…_reduce')
    """
    words = {name: re.findall(r"[^\W_]+|[\W_]+", name) for name in group}
    shared = set.intersection(*map(set, words.values()))
    least, most = min(group), max(group)
    start = next((i for i, (a, b) in enumerate(zip(least, most, strict=False)) if a != b), len(least))
    telling: dict[str, tuple[str, ...]] = {}
    for name in group:
        text = re.sub("…+", "…", "".join("…" if word in shared else word for word in words[name]))
        room = cells - width(text)
        both = (_first(name, room) + text, text + _last(name, room))
        telling[name] = both if room >= 0 else (_around(name, start, cells),)
    return telling


def _around(name: str, start: int, cells: int) -> str:
    """A name's beginning, and what stands from `start` on."""
    head = _first(name, cells // 3)
    rest = name[max(start, len(head)) :]
    room = cells - width(head) - 1
    return f"{head}…{rest}" if width(rest) <= room else f"{head}…{_first(rest, room - 1)}…"


def _first(text: str, cells: int) -> str:
    """As much of the beginning as `cells` hold."""
    if text.isascii():
        return text[: max(cells, 0)]
    taken = ""
    for character in text:
        if width(taken + character) > cells:
            break
        taken += character
    return taken


def _last(text: str, cells: int) -> str:
    if text.isascii():
        return text[len(text) - cells :] if cells > 0 else ""
    taken = ""
    for character in reversed(text):
        if width(character + taken) > cells:
            break
        taken = character + taken
    return taken
