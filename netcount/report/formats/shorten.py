"""Names in fewer cells, which stay distinct."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import count

from netcount.report.formats.text import clipped, width

_MOST_COMPARED = 400


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
    """Names that no one place of cutting tells apart: each cut where it is the only one, or with the part that
    it has not in common with those it would look like, or with a number."""
    short: dict[str, str] = {}
    for cut in _cuts(names, cells, middle=True):
        times = Counter(cut.values())
        for name, text in cut.items():
            if times[text] == 1 and text not in taken:
                short.setdefault(name, text)
    used = taken | set(short.values())
    groups: dict[str, list[str]] = {}
    for name in names:
        if name not in short:
            groups.setdefault(clipped(name, cells), []).append(name)
    for group in groups.values():
        telling, numbers = _telling(group, cells), count(1)
        for name in group:
            text = next((text for text in telling[name] if text not in used and _one(text, names)), "")
            while not text or text in used:
                mark = f"…{next(numbers)}"
                text = _first(name, cells - len(mark)) + mark
            used.add(text)
            short[name] = text
    return short


def _one(text: str, names: Sequence[str]) -> bool:
    """Whether only one name can be meant; of very many names that is not looked into."""
    parts = re.split("…+", text)
    return len(names) > _MOST_COMPARED or sum(_means(parts, name) for name in names) == 1


def _means(parts: Sequence[str], name: str) -> bool:
    """Whether a name is these parts, with anything between them.

    >>> _means(["fire", "1x", "1"], "fire2/squeeze1x1"), _means(["fire", "x1"], "fire2/expand3x3")
    (True, False)
    """
    first, *between, last = parts
    if not (name.startswith(first) and name.endswith(last)):
        return False
    place, end = len(first), len(name) - len(last)
    for part in between:
        place = name.find(part, place, end) + len(part)
        if place < len(part):
            return False
    return place <= end


def _telling(group: Sequence[str], cells: int) -> dict[str, tuple[str, ...]]:
    """Each name by the words that not all of the group have, with what stands before them or behind them; where
    these are too many, by what stands behind the beginning that all have.

    >>> _telling(["res_block_a/conv_3x3_reduce", "res_block_a/conv_5x5_reduce"], 12)["res_block_a/conv_3x3_reduce"]
    ('res_blo…3x3…', 'r…3x3_reduce')
    """
    words = {name: re.findall(r"[^\W_]+|[\W_]+", name) for name in group}
    shared = set.intersection(*map(set, words.values()))
    least, most = min(group), max(group)
    start = next((i for i, (a, b) in enumerate(zip(least, most, strict=False)) if a != b), len(least))
    telling: dict[str, tuple[str, ...]] = {}
    for name in group:
        own = [place for place, word in enumerate(words[name]) if word not in shared]
        first, end = (own[0], own[-1] + 1) if own else (0, 0)
        before, behind = "".join(words[name][:first]), "".join(words[name][end:])
        text = "".join("…" if word in shared else word for word in words[name][first:end])
        text = re.sub("…+", "…", text)
        room = cells - width(text)
        if not own or room < bool(before) + bool(behind):
            telling[name] = (_around(name, start, cells),)
            continue
        head = _opening(before, room - bool(behind))
        tail = _ending(behind, room - bool(before))
        telling[name] = (
            head + text + _ending(behind, room - width(head)),
            _opening(before, room - width(tail)) + text + tail,
        )
    return telling


def _opening(text: str, cells: int) -> str:
    return text if width(text) <= cells else _first(text, cells - 1) + "…"


def _ending(text: str, cells: int) -> str:
    return text if width(text) <= cells else "…" + _last(text, cells - 1)


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
