"""Pictures of results, by matplotlib (the extra `plot`).  Imported only when one is wanted."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

from netcount.analysis.memory import Memory
from netcount.analysis.sweep import Sweep
from netcount.core.errors import InputError
from netcount.report.formats.text import visible

FORMATS = ("png", "svg")
MOST_NAMES = 500
"""Layers with a name under their bar; of more, every second, third … has one."""


def memory_plot(found: Memory, path: str) -> bytes:
    """A bar per layer: what is alive while it runs, and its im2col scratch on top of that."""

    def draw(axes: Any) -> None:
        mebi = 2**20
        places = range(len(found.layers))
        named = places[:: len(places) // MOST_NAMES + 1]
        alive = [found.bytes_of(layer.live) / mebi for layer in found.layers]
        scratch = [found.bytes_of(layer.scratch) / mebi for layer in found.layers]
        top = [low + more for low, more in zip(alive, scratch, strict=True)]
        edges = [place - 0.5 for place in range(len(places) + 1)]
        axes.stairs(alive, edges, fill=True, label="activations alive")
        axes.stairs(top, edges, baseline=alive, fill=True, label="im2col scratch")
        axes.axhline(found.peak_bytes / mebi, linestyle=":", linewidth=1, color="black")
        axes.set_xticks(
            list(named), [_literal(found.layers[place].row.name) for place in named], rotation=90, fontsize=5
        )
        axes.set_ylabel(f"MiB at {found.bits} bits")
        axes.set_title(f"{_literal(found.counted.net.name)}: memory while each layer runs")
        axes.legend()

    return _drawn(draw, path, wide=max(6.0, 0.11 * min(len(found.layers), MOST_NAMES)))


def sweep_plot(found: Sweep, path: str) -> bytes:
    """Madds against params, a line per width; what fits is filled."""

    def draw(axes: Any) -> None:
        widths = dict.fromkeys(variant.width for variant in found.variants)
        for width in widths:
            shown = [v for v in found.variants if v.width == width and v.error is None]
            points = [v.params for v in shown], [v.madds for v in shown]
            color = axes.plot(*points, linewidth=1, label=f"width {width}")[0].get_color()
            filled = [color if v.fits else "none" for v in shown]
            axes.scatter(*points, facecolors=filled, edgecolors=color)
            for v in shown:
                place = {"xytext": (4, 3), "textcoords": "offset points"}
                axes.annotate(str(v.resolution or ""), (v.params, v.madds), fontsize=6, **place)
        if any(variant.params and variant.madds for variant in found.variants):
            axes.set_xscale("log")
            axes.set_yscale("log")
        for name, line in (("madds", axes.axhline), ("params", axes.axvline)):
            if name in found.limits:
                line(found.limits[name], linestyle=":", linewidth=1, color="black")
        axes.set_xlabel("params")
        axes.set_ylabel("madds")
        axes.set_title(f"{_literal(found.net)}: widths and resolutions")
        axes.legend()

    return _drawn(draw, path)


def _literal(text: str) -> str:
    """A name from a file: nothing in it is read as a formula."""
    return visible(text).replace("$", r"\$")


def _drawn(draw: Callable[[Any], None], path: str, wide: float = 7.0) -> bytes:
    form = path.rpartition(".")[2].lower()
    if form not in FORMATS:
        raise InputError(f"the name of a plot has to end in .png or .svg, not {visible(path)}", argument="plot")
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError(
            "a plot needs matplotlib, of the extra netcount[plot]; in a clone: python -m pip install '.[plot]'"
        ) from None
    figure = Figure(figsize=(wide, 4.5), layout="constrained")
    (FigureCanvasAgg if form == "png" else FigureCanvasSVG)(figure)
    draw(figure.subplots())
    stream = BytesIO()
    figure.savefig(stream, format=form, dpi=120, metadata={"Date": None} if form == "svg" else {"Software": None})
    return stream.getvalue()
