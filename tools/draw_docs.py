"""Draw the pictures of the docs anew: python tools/draw_docs.py"""

from __future__ import annotations

import os
from pathlib import Path

from click.testing import CliRunner

from netcount.cli.main import netcount

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
COMMANDS = {
    "squeezenet": ["prototxt_samples/squeezenet_v1.1.prototxt", "--collapse", "all"],
    "inception": ["docs/pictures/inception.prototxt", "--color", "type"],
    "broken": ["docs/pictures/broken.prototxt"],
}
"""By name of the picture: what `netcount graph` is given."""


def pictures() -> dict[str, str]:
    """The text of each SVG by name."""
    before = Path.cwd()
    os.chdir(ROOT)  # the files' names stand in the pictures
    try:
        done = {name: CliRunner().invoke(netcount, ["graph", *arguments]) for name, arguments in COMMANDS.items()}
    finally:
        os.chdir(before)
    return {name: result.stdout for name, result in done.items()}


if __name__ == "__main__":
    for name, text in pictures().items():
        (PICTURES / f"{name}.svg").write_text(text, encoding="utf-8")
