"""A net to look at: its picture, and the page to look around in."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from netcount.core.files import write_atomically
from netcount.core.units import plural
from netcount.report.picture import Drawing
from netcount.results.result import Result, frame_of

if TYPE_CHECKING:
    import pandas as pd

_BOX = ("name", "type", "line", "layers", "names", "state", "params", "madds", "activations", "live_bytes")


class Picture(Result):
    """A net as a picture, which a notebook shows: boxes with what they cost, in colours; it needs no script.

    `str` of it is the SVG.
    """

    __slots__ = ("_drawn", "_text")
    question = "graph"

    def __init__(self, drawn: Drawing, text: str) -> None:
        """For netcount itself; `Net.graph` makes it."""
        self._drawn = drawn
        self._text = text

    @property
    def svg(self) -> str:
        """The picture as an SVG image: a file that needs nothing else."""
        from netcount.report.formats.svg import svg

        return svg(self._drawn)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the SVG to a file, replaced whole.

        Raises:
            InputError: The file cannot be written.
        """
        write_atomically(path, self.svg)

    def to_frame(self) -> pd.DataFrame:
        """A row a box: its name and type, `line`, its `layers` and their `names`, the sums of its figures."""
        picture = self._drawn.picture
        layers = picture.outline.layers
        return frame_of(
            _BOX,
            (
                {
                    "name": box.name,
                    "type": box.type,
                    "line": layers[box.layers[0]].line,
                    "layers": len(box.layers),
                    "names": tuple([layers[index].name for index in box.layers]),
                    "state": box.state,
                    "params": box.params,
                    "madds": box.madds,
                    "activations": box.activations,
                    "live_bytes": box.live_bytes,
                }
                for box in picture.boxes
            ),
        )

    def __str__(self) -> str:
        return self.svg

    def _arguments(self) -> Sequence[object]:
        return self._drawn, self._text

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        """The picture as an image: its style stays its own, also where several stand on one page."""
        about = escape(" · ".join((self._drawn.title, *self._drawn.facts)))
        image = b64encode(self.svg.encode("utf-8", "backslashreplace")).decode()
        return f'<img alt="{about}" style="max-width: 100%" src="data:image/svg+xml;base64,{image}">'

    def _line(self) -> str:
        net = self._drawn.picture.counted.net
        placed = self._drawn.placed
        layers = plural(len(self._drawn.picture.outline.layers), "layer")
        return f"of {net.name!r}: {layers}, {placed.width}×{placed.height} pixels"


class Page:
    """The page of a net, which a notebook shows in a frame: graph, table, text and memory, linked.

    `str` of it is the HTML of a file that opens in any browser and loads nothing.
    """

    __slots__ = ("_height", "_html", "_name")

    def __init__(self, html: str, name: str, height: int) -> None:
        """For netcount itself; `Net.page` makes it."""
        self._html = html
        self._name = name
        self._height = height

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file, replaced whole.

        Raises:
            InputError: The file cannot be written.
        """
        write_atomically(path, self._html)

    def __str__(self) -> str:
        return self._html

    def _repr_html_(self) -> str:
        """The page in a frame that cannot reach the notebook, nor the notebook's server."""
        return (
            f'<iframe title="{escape(self._name) or "a net"}" sandbox="allow-scripts allow-downloads" '
            f'style="border: 1px solid #8c959f; height: {self._height}px; width: 100%" '
            f'srcdoc="{escape(self._html)}"></iframe>'
        )

    def __repr__(self) -> str:
        return f"<Page of {self._name!r}: {len(self._html):,} characters>"
