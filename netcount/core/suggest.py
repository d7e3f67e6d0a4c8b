"""What to say about a name that is not among the known ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

MOST_KNOWN = 1000
"""Known names that are looked through, the last ones: more would take long, and name a net's far end."""


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean …?`, or nothing when no known name is close.

    >>> nearest("relu", ["ReLU", "PReLU"]), nearest("Foo", ["ReLU"])
    ('; did you mean "ReLU"?', '')
    >>> nearest("ReLU", ["ReLU"])
    ''
    """
    if len(name) > 100:
        return ""
    from difflib import get_close_matches  # only a mistake pays for it

    names = [one for one in list(known)[-MOST_KNOWN:] if one != name]
    exact = [k for k in names if k.lower() == name.lower()]
    close = exact or get_close_matches(name, names, n=1, cutoff=0.75)
    return f'; did you mean "{close[0]}"?' if close else ""


def meant(message: str) -> str:
    """The name that `nearest` put into a message; nothing where it put none.

    >>> meant('unknown bottom "dta"; did you mean "data"?; otherwise give it'), meant("no size")
    ('data', '')
    """
    _, hint, rest = message.partition('did you mean "')
    name, end, _ = rest.partition('"?')
    return name if hint and end else ""


def unknown(
    what: str, name: str, known: Iterable[str], *, show_all: bool = False, also: Mapping[str, str] | None = None
) -> str:
    """That there is no such name, the nearest one or the first that begins with it, and on demand all there are.

    `also`: the known names by what else they are called.

    >>> print(unknown("column", "madd", ["name", "madds"], show_all=True))
    there is no column "madd"; did you mean "madds"? Known are name, madds
    >>> print(unknown("limit", "tops", ["max_params"]))
    there is no limit "tops"
    >>> print(unknown("sample", "vgg", ["nin", "vgg16"]))
    there is no sample "vgg"; did you mean "vgg16"?
    >>> print(unknown("column", "layer", ["name"], also={"layer": "name"}))
    there is no column "layer"; did you mean "name"?
    """
    names = list(known)
    hint = nearest(name, names)
    if not hint:
        begun = [one for one in names if len(name) > 2 and one.lower().startswith(name.lower())]
        begun += [also[name]] if also and name in also else []
        hint = f'; did you mean "{begun[0]}"?' if begun else ""
    text = f'there is no {what} "{name}"{hint}'
    if not show_all:
        return text
    return f"{text}{' Known' if hint else '; known'} are {', '.join(names)}"


def distance(one: str, other: str, most: int) -> int | None:
    """The edits (insert, delete, replace a letter; Levenshtein 1966) between two words; None above `most`.

    >>> distance("kernel_sise", "kernel_size", 2), distance("pda", "pad", 2), distance("stride", "pad", 2)
    (1, 2, None)
    """
    if abs(len(one) - len(other)) > most:
        return None
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        diagonal, row[0] = row[0], i
        for j, against in enumerate(other, 1):
            diagonal, row[j] = row[j], min(diagonal + (letter != against), row[j] + 1, row[j - 1] + 1)
        if min(row) > most:
            return None
    return row[-1] if row[-1] <= most else None
