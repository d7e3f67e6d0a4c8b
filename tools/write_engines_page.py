"""Write the list of types that are not exported into docs/engines.md: python tools/write_engines_page.py"""

from __future__ import annotations

import re
from pathlib import Path

from netcount.export.onnx import rules
from netcount.export.onnx_reasons import reason_of
from netcount.export.onnx_rules.general import moves
from netcount.layers.bases import Source
from netcount.layers.layer import Layer
from netcount.layers.registry import Catalogue, shipped_types

PAGE = Path(__file__).parents[1] / "docs" / "engines.md"


def unruled() -> dict[str, type[Layer]]:
    """The shipped types without a rule, of their own or for their kind."""
    own = rules()
    found = {}
    for key in Catalogue():
        kind = shipped_types().get(key)
        if kind is None or kind in own or issubclass(kind, Source) or moves(kind) or not kind.tops.least:
            continue
        if kind.extents_only and 0 in kind.extents_only:  # a PriorBox's tops are constants
            continue
        found[key] = kind
    return found


def table() -> str:
    """The types by reason."""
    by_reason: dict[str, list[str]] = {}
    for key, kind in unruled().items():
        by_reason.setdefault(reason_of(kind), []).append(f"`{key.rpartition('.')[2]}`")
    lines = ["| why | types |", "|---|---|"]
    lines += [
        f"| {reason} | {', '.join(sorted(set(names), key=lambda name: (name.lower(), name)))} |"
        for reason, names in sorted(by_reason.items())
    ]
    return "\n".join(lines)


def render(page: str) -> str:
    """The page with the list as it is now."""
    pattern = re.compile(r"(### What is not exported\n\n).*?(\n\nOf the types that are)", re.DOTALL)
    return pattern.sub(lambda found: found[1] + table() + found[2], page)


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
