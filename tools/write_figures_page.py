"""Write docs/figures.md from the table of figures: python tools/write_figures_page.py"""

from __future__ import annotations

from pathlib import Path

from netcount.analysis.figures import FIGURES, KEPT, LAYER, MAIN, SWEPT, Figure

PAGE = Path(__file__).resolve().parent.parent / "docs" / "figures.md"
HEAD = """# Figures

Made from the table of figures by `python tools/write_figures_page.py`.

Each figure has one name, in columns (`netcount analyze --columns`), in limits (`max_NAME`, `min_NAME` and
`max_increase_NAME` in `netcount.toml`, `--max-…` on the command line), in JSON, CSV and Python. What counts as a
multiply-add is said in [counting](counting.md).

"""
WHOLE = {
    "sum": "the sum of its layers",
    "largest": "the largest of any layer",
    "peak": "the most at one moment",
    "number": "how many there are",
    "together": "all of it",
}
FOOT = """
**Layer**: single layers have it; it is a column, and a limit for `layers = "…"`. **Compared**: nets side by side
show it (`compare`, `survey`; `sweep` too, which can limit it). **Kept**: comparisons and baselines hold it of each
layer. Figures of bytes are for float32 unless bits are given. A share by kernel size is a column, and a limit such
as `max_share = { "3x3" = "75%" }`.
"""


def _yes(is_so: bool) -> str:
    return "yes" if is_so else ""


def _row(figure: Figure) -> str:
    share = f"`{figure.share}`" if figure.share else ""
    compared = "yes" if figure in SWEPT else "but for `sweep`" if figure in MAIN else ""
    cells = (
        f"`{figure.key}`",
        figure.unit,
        figure.meaning,
        WHOLE[figure.whole],
        _yes(figure in LAYER),
        compared,
        _yes(figure in KEPT),
        share,
    )
    return f"| {' | '.join(cells)} |"


def render() -> str:
    """The page."""
    head = ["| name | unit | meaning | of a net | layer | compared | kept | share |", "|---" * 8 + "|"]
    return HEAD + "\n".join([*head, *map(_row, FIGURES.values())]) + "\n" + FOOT


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
