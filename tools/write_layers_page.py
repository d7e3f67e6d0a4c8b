"""Write docs/layers.md from the catalogue: python tools/write_layers_page.py"""

from __future__ import annotations

from pathlib import Path

from netcount.layers.registry import Catalogue, shipped_types
from netcount.report.catalogue import catalogue_rows, catalogue_table
from netcount.report.formats.markdown import markdown

PAGE = Path(__file__).resolve().parent.parent / "docs" / "layers.md"
HEAD = """# Supported layers

Made from the catalogue by `python tools/write_layers_page.py`. `stock` is Caffe itself; other sources are forks.
A Python layer is known by its module and class.

"""


def render() -> str:
    """The page; types of installed packages are left out."""
    rows = [row for row in catalogue_rows(Catalogue()) if row.type in shipped_types()]
    return HEAD + markdown([catalogue_table(rows)])


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
