"""The nearest known name to one that is misspelt."""

from __future__ import annotations


def nearest(name: str, known: list[str]) -> str:
    """`; did you mean …?`, or nothing when no known name (of the last thousand) is close."""
    from difflib import get_close_matches  # only a mistake pays for it

    if len(name) > 100:
        return ""
    known = known[-1000:]
    exact = [k for k in known if k.lower() == name.lower()]
    close = exact or get_close_matches(name, known, n=1, cutoff=0.75)
    return f'; did you mean "{close[0]}"?' if close else ""
