"""LaTeX tables for papers, by pandas (the extra `latex`).  Imported only when they are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from netcount.core.errors import InputError
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import visible

_SPECIAL = str.maketrans({
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': "''", "`": r"\textasciigrave{}",
    "×": r"$\times$", "÷": r"$\div$", "·": r"$\cdot$", "−": "$-$", "…": r"\ldots{}", "≥": r"$\geq$",
})  # fmt: skip
"""What TeX obeys, joins to another sign, or has under another name."""


def escaped(text: str) -> str:
    """Text that TeX takes literally, on one line.

    >>> print(escaped("conv1_$x$ 50% 3×3"))
    conv1\\_\\$x\\$ 50\\% 3$\\times$3
    >>> print(escaped("[4pt]"), escaped("*"))
    {[}4pt] {*}
    """
    safe = visible(text)
    head = "{" + safe[0] + "}" if safe[:1] in ("[", "*") else safe[:1].translate(_SPECIAL)  # after \\\\ an option
    return (head + safe[1:].translate(_SPECIAL)).replace("--", "-{-}")  # no dash


def latex(parts: Sequence[Part]) -> str:
    r"""The parts of a report: each table a `tabular` (with the package booktabs), each line a comment.

    Raises:
        InputError: Jinja2, by which pandas writes LaTeX, is not installed.
    """
    blocks = []
    for part in parts:
        if isinstance(part, Table):
            blocks.append(_tabular(part))
            continue
        texts = (part,) if isinstance(part, str) else (part.title, *part.lines)
        blocks += [f"% {visible(text)}\n" for text in texts if text]
    return "".join(blocks)


def _tabular(table: Table) -> str:
    if find_spec("jinja2") is None:
        raise InputError(
            "LaTeX needs Jinja2, of the extra netcount[latex]; in a clone: python -m pip install '.[latex]'"
        )
    import pandas as pd

    rows = [[escaped(cell) for cell in row] for row in (*table.rows, *([table.footer] if table.footer else []))]
    frame = pd.DataFrame(rows, columns=[escaped(title) for title in table.titles], dtype=object)
    columns = "".join("r" if right else "l" for right in table.right)
    text: str = frame.to_latex(index=False, escape=False, column_format=columns)
    if not table.footer:
        return text
    lines = text.splitlines(keepends=True)
    last = max(number for number, line in enumerate(lines) if line.startswith("\\bottomrule")) - 1
    return "".join([*lines[:last], "\\midrule\n", *lines[last:]])
