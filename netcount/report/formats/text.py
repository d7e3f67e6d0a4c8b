"""Text that came from a file, made harmless; and how wide it stands on a terminal."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence

from netcount.analysis._support.kernels import KernelShare
from netcount.layers.layer import Window


def visible(text: str) -> str:
    """`text` on one line, with every character a terminal could obey shown as an escape.

    >>> visible("conv\\x1b[31m1"), visible("a\\nb")
    ('conv\\\\x1b[31m1', 'a\\\\nb')
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def within(root: str, file: str) -> str:
    """A file's path from the folder `root` ("" is where we are), absolute outside of it; with slashes.

    >>> within("/home/me/src", "/home/me/src/models/a.prototxt"), within("", "models/a.prototxt")
    ('models/a.prototxt', 'models/a.prototxt')
    """
    path, base = os.path.abspath(file), os.path.join(os.path.abspath(root), "")
    return path.removeprefix(base).replace(os.sep, "/")


def width(text: str) -> int:
    """Terminal cells that `text` takes: two for wide East Asian characters, none for combining ones.

    >>> width("conv1"), width("层"), width("é"), width("e\\u0301")
    (5, 2, 1, 1)
    """
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def clipped(text: str, cells: int, middle: bool = True) -> str:
    """`text` in at most `cells` cells; an ellipsis stands for its middle, or its end.

    >>> clipped("inception_3a/double3x3_reduce", 15), clipped("Convolution", 6, middle=False)
    ('incepti…_reduce', 'Convo…')
    """
    if 2 * len(text) <= cells or width(text) <= cells:
        return text
    if cells <= 1:
        return "…"[:cells]
    head, tail = "", ""
    for index in range(len(text)):
        for_head = not middle or len(head) <= len(tail)
        grown_head = head + text[len(head)] if for_head else head
        grown_tail = tail if for_head else text[len(text) - 1 - len(tail)] + tail
        if index and width(grown_head) + width(grown_tail) > cells - 1:
            break
        head, tail = grown_head, grown_tail
    return f"{head}…{tail}"


def padded(text: str, cells: int, right: bool = False) -> str:
    """`text` filled up with spaces to `cells`; set to the right on demand."""
    fill = " " * (cells - width(text))
    return fill + text if right else text + fill


def window_text(window: Window | None, sign: str = "×") -> str:
    """A sliding window in short: `3×3/2 p1 d2 g32`, `dw` for depthwise; nothing for none.

    >>> window_text(Window((3, 3), (2, 2), (1, 1), (1, 1), 32, True))
    '3×3/2 p1 dw'
    >>> window_text(Window((3, 5), (1, 2), (0, 1), (1, 1)))
    '3×5/1×2 p0×1'
    """
    if window is None:
        return ""
    stride, pad, dilation = (_extents(part, sign) for part in (window.stride, window.pad, window.dilation))
    parts = [sign.join(map(str, window.kernel)) + (f"/{stride}" if stride != "1" else "")]
    if pad != "0":
        parts.append(f"p{pad}")
    if dilation != "1":
        parts.append(f"d{dilation}")
    if window.depthwise:
        parts.append("dw")
    elif window.group != 1:
        parts.append(f"g{window.group}")
    return " ".join(parts)


def kernel_text(share: KernelShare) -> str:
    """`3×3`, `3×3 depthwise`, or the layer type where there is no window."""
    kernel = share.kernel.replace("x", "×") if share.kernel[0].isdigit() else visible(share.kernel)
    return f"{kernel} depthwise" if share.depthwise else kernel


def _extents(values: tuple[int, ...], sign: str) -> str:
    return str(values[0]) if len(set(values)) == 1 else sign.join(map(str, values))


def heading(net: str, file: str, *facts: str) -> str:
    """The first line of a report: the net, its file, and what else a reader has to know at once.

    >>> heading("", "a.prototxt", "phase TEST")
    '(unnamed net) · a.prototxt · phase TEST'
    """
    return " · ".join((visible(net) or "(unnamed net)", visible(file), *facts))


def bar(value: int, most: int, cells: int) -> str:
    """A bar of at most `cells` cells, to an eighth of a cell; nothing for nothing.

    >>> bar(3, 4, 8), bar(1, 100, 10), bar(0, 4, 8)
    ('██████', '▏', '')
    """
    if not value or not most:
        return ""
    whole, eighths = divmod(max(1, round(8 * cells * value / most)), 8)
    return "█" * whole + (" ▏▎▍▌▋▊▉"[eighths] if eighths else "")


def tally(names: Iterable[str]) -> str:
    """How often each name occurs, most frequent first.

    >>> tally(["ReLU", "Concat", "ReLU"])
    '2 ReLU, 1 Concat'
    """
    return ", ".join(f"{number} {visible(name)}" for name, number in Counter(names).most_common())


def listed(names: Sequence[str], most: int) -> str:
    """The first `most` of the names, and how many more there are.

    >>> listed(["a", "b", "c", "d"], 4), listed(["a", "b", "c", "d"], 2)
    ('a, b, c, d', 'a, b and 2 more')
    """
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
