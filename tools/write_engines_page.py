"""Write which types are exported and which are not into docs/engines.md: python tools/write_engines_page.py"""

from __future__ import annotations

import re
from pathlib import Path

from netcount.export.ncnn import rules as ncnn_rules
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


def ncnn_types() -> str:
    """The types that ncnn has layers for."""
    own = ncnn_rules()
    names = {key.rpartition(".")[2] for key in Catalogue() if shipped_types().get(key) in own}
    return ", ".join(f"`{name}`" for name in sorted(names, key=lambda name: (name.lower(), name)))


def render(page: str) -> str:
    """The page with the lists as they are now."""
    for pattern, text in (
        (r"(### What is not exported\n\n).*?(\n\nOf the types that are)", table()),
        (r"(<!-- types of ncnn -->\n\n).*?(\n\n<!-- end -->)", ncnn_types()),
    ):
        before, after = re.compile(pattern, re.DOTALL).search(page).groups()  # type: ignore[union-attr]
        start = page.index(before) + len(before)
        page = page[:start] + text + page[page.index(after, start) :]
    return page


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
