"""Plots of results, by matplotlib (the extra `plot`).  Imported only when one is wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from textwrap import wrap
from typing import Any, NamedTuple
from warnings import catch_warnings, filterwarnings

from netcount.analysis.arena import Arena
from netcount.analysis.count import Count
from netcount.analysis.figures import FIGURES
from netcount.analysis.memory import Memory
from netcount.analysis.sweep import Sweep, Variant
from netcount.core.errors import InputError
from netcount.core.units import human, human_bytes, plural
from netcount.engines.timing import Timing
from netcount.report.formats.amounts import amount
from netcount.report.formats.text import visible

FORMATS = ("png", "svg", "pdf")
BLUE, ORANGE, BLACK = "#0072B2", "#E69F00", "#000000"
_COLOURS = (BLUE, "#D55E00", "#009E73", "#CC79A7", ORANGE, "#56B4E9")
"""Okabe and Ito's colours, which the colour-blind can tell apart."""
_MARKERS = "osD^vP"
_METADATA: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}
"""What would make two plots of one result differ."""
_EASTERN_FONTS = ("Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "WenQuanYi Zen Hei", "Arial Unicode MS")
"""Where they are installed: for names that DejaVu Sans, which comes with matplotlib, has no signs of."""
_NAME_INCHES = 0.13
"""What a bar's name needs beside its neighbour's."""
_SMALL_INCHES = 6
"""Below which a plot is as wide as a column of a paper, and its texts are smaller."""
_MOST_INCHES = 14.0


class Page(NamedTuple):
    """How large a plot is.

    Attributes:
        size: Width and height in inches; None for what suits the plot.
        dpi: Pixels per inch of a PNG.
    """

    size: tuple[float, float] | None = None
    dpi: int = 150


SUITABLE = Page()


def memory_plot(memory: Memory, path: str, page: Page = SUITABLE, top: int | None = None) -> bytes:
    """A bar per layer: what is alive while it runs, and its im2col scratch on top of that.

    Args:
        memory: What the net needs.
        path: The name of the file, whose ending says the format.
        page: Its size.
        top: Only so many layers, those with most alive, in the order of the net.
    """
    needs = [memory.bytes_of(layer.live) for layer in memory.layers]
    shown = _largest(needs, top)
    alive = [needs[index] for index in shown]
    scratch = [memory.bytes_of(memory.layers[index].scratch) for index in shown]
    names = [memory.layers[index].row.name for index in shown]

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.bar(range(len(shown)), alive, width=_bar(len(shown)), color=BLUE, label="activations alive")
        if any(scratch):
            axes.bar(
                range(len(shown)),
                scratch,
                width=_bar(len(shown)),
                bottom=alive,
                color=ORANGE,
                label="im2col scratch",
            )
        peak = f"peak of activations {_short(human_bytes(memory.peak_bytes))}"
        _limit(axes, "y", memory.peak_bytes, peak, at_right=True)
        _byte_ticks(axes, max((low + more for low, more in zip(alive, scratch, strict=True)), default=0))
        _names(figure, axes, names, alive)
        axes.set_ylabel(f"memory at {memory.bits} bits")
        _title(figure, axes, memory.counted.net.name, "memory while each layer runs")
        _legend(figure, axes)

    return _drawn(draw, path, page, (_width(len(shown)), 4.5))


def arena_plot(arena: Arena, path: str, page: Page = SUITABLE) -> bytes:
    """A rectangle per buffer: from the layer that makes it to the last that needs it, at its place in memory.

    Args:
        arena: The plan.
        path: The name of the file, whose ending says the format.
        page: Its size.
    """
    names = [node.name for node in arena.counted.net.nodes]

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for kind, colour, label in (("activations", BLUE, "activations"), ("scratch", ORANGE, "im2col scratch")):
            shown = [one for one in arena.buffers if one.kind == kind and one.bytes]
            if shown:
                axes.bar(
                    [one.first - 0.5 for one in shown],
                    [one.bytes for one in shown],
                    width=[one.last - one.first + 1 for one in shown],
                    bottom=[one.offset for one in shown],
                    align="edge",
                    color=colour,
                    edgecolor="white",
                    linewidth=0.5,
                    label=label,
                )
        bound = f"what one layer needs at once {_short(human_bytes(arena.bound_bytes))}"
        _limit(axes, "y", arena.bound_bytes, bound, at_right=True)
        _byte_ticks(axes, arena.total_bytes)
        _names(figure, axes, names, [0] * len(names))
        axes.set_ylabel(f"place in memory at {arena.bits} bits")
        total = human_bytes(arena.total_bytes)
        _title(figure, axes, arena.counted.net.name, f"a plan of its memory, {total}")
        _legend(figure, axes)

    return _drawn(draw, path, page, (_width(len(names)), 4.5))


def analysis_plot(count: Count, path: str, page: Page = SUITABLE, top: int | None = None) -> bytes:
    """Madds and params of the layers that have any: two rows of bars over the same names.

    Args:
        count: What the net costs.
        path: The name of the file, whose ending says the format.
        page: Its size.
        top: Only so many layers, those with most madds, in the order of the net.
    """
    rows = [row for row in count.layers if row.madds or row.params]
    rows = [rows[index] for index in _largest([row.madds for row in rows], top)]
    places = range(len(rows))

    def draw(figure: Any) -> None:
        above, below = figure.subplots(2, 1, sharex=True)
        for axes, key, colour in ((above, "madds", BLUE), (below, "params", ORANGE)):
            axes.bar(places, [getattr(row, key) for row in rows], width=_bar(len(rows)), color=colour)
            axes.set_ylabel(key)
            axes.yaxis.set_major_formatter(lambda value, _: _short(human(round(value))) if value >= 0 else "")
        _names(figure, below, [row.name for row in rows], [row.madds for row in rows])
        madds, params = (_short(human(value)) for value in (count.totals.madds, count.totals.params))
        _title(figure, above, count.net.name, f"{madds} madds, {params} params")

    return _drawn(draw, path, page, (_width(len(rows)), 5.0))


def sweep_plot(sweep: Sweep, path: str, page: Page = SUITABLE) -> bytes:
    """Madds against params, a line per width; what fits is filled, the best a star.

    Args:
        sweep: The variants.
        path: The name of the file, whose ending says the format.
        page: Its size.
    """
    possible = [variant for variant in sweep.variants if variant.error is None]
    best = sweep.variants[sweep.best] if sweep.best is not None and sweep.limits else None

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        widths = list(dict.fromkeys(variant.width for variant in possible))
        for number, width in enumerate(widths):
            own = [variant for variant in possible if variant.width == width]
            colour, marker = _look(number, len(widths))
            points = [variant.params for variant in own], [variant.madds for variant in own]
            filled = [colour if variant.fits else "none" for variant in own]
            axes.plot(*points, color=colour, linewidth=1)
            axes.scatter(*points, facecolors=filled, edgecolors=colour, marker=marker, s=24, zorder=3)
            if len(widths) <= len(_COLOURS):
                axes.plot([], [], color=colour, marker=marker, markersize=5, label=f"width {width}")
        if best is not None:
            axes.scatter(
                [best.params], [best.madds], marker="*", s=150, color=BLACK, zorder=4, label=f"best: {_name(best)}"
            )
        if possible and all(variant.params and variant.madds for variant in possible):
            axes.set_xscale("log")
            axes.set_yscale("log")
        for key, axis in (("madds", "y"), ("params", "x")):
            if key in sweep.limits:
                _limit(axes, axis, sweep.limits[key], f"max_{key} {_short(human(sweep.limits[key]))}")
        axes.margins(0.12, 0.08)
        for axis in (axes.xaxis, axes.yaxis):
            _count_ticks(axis)
        axes.set_xlabel("params")
        axes.set_ylabel("madds")
        others = [
            f"{FIGURES[key].heading} at most {_short(amount(key, most))}"
            for key, most in sweep.limits.items()
            if key not in ("madds", "params")
        ]
        _title(figure, axes, sweep.net, "widths and resolutions", *others)
        _legend(figure, axes)
        several = len(widths) > len(_COLOURS)
        texts = [(_text_of(variant, several), variant) for variant in _best_first(possible, best)]
        _labels(figure, axes, texts, best)

    return _drawn(draw, path, page, (7.0, 4.5))


def time_plot(timing: Timing, path: str, page: Page = SUITABLE) -> bytes:
    """Time against madds: a mark per net, a colour per engine, a line from the minimum to the median.

    Args:
        timing: What was measured.
        path: The name of the file, whose ending says the format.
        page: Its size.
    """
    done = [run for run in timing.runs if run.error is None]

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        engines = list(dict.fromkeys(run.engine for run in done))
        for number, engine in enumerate(engines):
            runs = [run for run in done if run.engine == engine]
            colour, marker = _look(number, len(engines))
            madds = [timing.nets[run.net].madds for run in runs]
            times = [run.median * 1e3 for run in runs]
            below = [(run.median - run.minimum) * 1e3 for run in runs]
            label = _literal(f"{engine} {runs[0].version}")
            how: dict[str, Any] = {"fmt": marker, "color": colour, "capsize": 2, "label": label}
            axes.errorbar(madds, times, yerr=[below, [0.0] * len(runs)], **how)
        if done and all(timing.nets[run.net].madds and run.median for run in done):
            axes.set_xscale("log")
            axes.set_yscale("log")
        for index, net in enumerate(timing.nets):  # once each, above the slowest
            slowest = max((run.median for run in done if run.net == index), default=None)
            if slowest is not None:
                place: dict[str, Any] = {"xytext": (0, 6), "textcoords": "offset points", "fontsize": 6.5}
                axes.annotate(
                    _cut(_literal(net.net or net.file)), (net.madds, slowest * 1e3), ha="center", **place
                )
        axes.margins(0.12, 0.12)
        _count_ticks(axes.xaxis)
        _millisecond_ticks(axes.yaxis)
        axes.set_xlabel("madds")
        axes.set_ylabel("median ms")
        _title(figure, axes, timing.machine.processor, plural(timing.threads, "thread"))
        _legend(figure, axes)

    return _drawn(draw, path, page, (7.0, 4.5))


def _largest(values: Sequence[int], top: int | None) -> list[int]:
    """The places of the `top` largest values, in order."""
    return sorted(sorted(range(len(values)), key=lambda index: -values[index])[:top])


def _name(variant: Variant) -> str:
    return f"width {variant.width}" + (f", {variant.resolution}" if variant.resolution else "")


def _text_of(variant: Variant, several: bool) -> str:
    """What stands beside a point: its resolution, and its width where lines have no legend."""
    parts = [f"×{variant.width}"] if several else []
    return " ".join([*parts, *([str(variant.resolution)] if variant.resolution else [])])


def _best_first(variants: Sequence[Variant], best: Variant | None) -> list[Variant]:
    """The best and the ends come before what lies between them, where not all can have a name."""
    ordered = [*([best] if best is not None else []), *variants[:1], *variants[-1:], *variants]
    return list({id(variant): variant for variant in ordered}.values())


def _look(number: int, of: int) -> tuple[Any, str]:
    """Colour and marker of a line: one of few, else a shade from dark to light."""
    if of <= len(_COLOURS):
        return _COLOURS[number], _MARKERS[number]
    from matplotlib import colormaps

    return colormaps["cividis"](number / (of - 1)), "o"


def _limit(axes: Any, axis: str, value: float, text: str, at_right: bool = False) -> None:
    """A dotted line with its name, inside the plot's edge."""
    box = {"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.5}
    place: dict[str, Any] = {"fontsize": 7, "color": BLACK, "bbox": box, "va": "bottom"}
    if axis == "y":
        axes.axhline(value, linestyle=":", linewidth=1, color=BLACK)
        side, x = ("right", 0.995) if at_right else ("left", 0.005)
        axes.text(x, value, text, transform=axes.get_yaxis_transform(), ha=side, **place)
    else:
        axes.axvline(value, linestyle=":", linewidth=1, color=BLACK)
        axes.text(value, 0.01, text, transform=axes.get_xaxis_transform(), ha="right", rotation=90, **place)


def _short(text: str) -> str:
    """Without zeros that say nothing.

    >>> _short("4.20M"), _short("100.00M"), _short("1.50 MiB"), _short("200")
    ('4.2M', '100M', '1.5 MiB', '200')
    """
    number = text.rstrip("kKMGTiB ")
    unit = text[len(number) :]
    return (number.rstrip("0").rstrip(".") if "." in number else number) + unit


def _count_ticks(axis: Any) -> None:
    """Counts as elsewhere: 4.2M."""
    from matplotlib.ticker import LogLocator, NullFormatter

    if axis.get_scale() == "log":
        axis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)))
        axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(lambda value, _: _short(human(round(value))) if value >= 0 else "")


def _millisecond_ticks(axis: Any) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    if axis.get_scale() == "log":
        axis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)))
        axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(lambda value, _: f"{value:g}")


def _byte_ticks(axes: Any, most: int) -> None:
    """At most eight ticks, each a power of two, or a multiple of one, in bytes."""
    step = 1
    while step * 8 < most:
        step *= 2
    axes.set_yticks(range(0, most + step, step))
    axes.yaxis.set_major_formatter(lambda value, _: _short(human_bytes(round(value))))


def _names(figure: Any, axes: Any, names: Sequence[str], values: Sequence[int]) -> None:
    """A name under as many bars as can be read, the highest ones first."""
    apart = len(names) * _NAME_INCHES / max(figure.get_size_inches()[0] - 1, 1)
    named: list[int] = []
    for place in sorted(range(len(names)), key=lambda index: (-values[index], index)):
        if all(abs(place - other) >= apart for other in named):
            named.append(place)
    named.sort()
    texts = [_cut(_literal(names[place])) for place in named]
    level = sum(map(len, texts)) * _NAME_INCHES < figure.get_size_inches()[0] - 1
    axes.set_xticks(named, texts, rotation=0 if level else 90, fontsize=6)
    axes.set_xlim(-0.7, max(len(names), 1) - 0.3)


def _cut(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:19]}…{name[-20:]}"


def _labels(figure: Any, axes: Any, texts: Sequence[tuple[str, Variant]], best: Variant | None) -> None:
    """Names beside points, left out where one would lie on another or on a point."""
    figure.draw_without_rendering()
    points = []
    for _, variant in texts:
        x, y = axes.transData.transform((variant.params, variant.madds))
        points.append((x, y, (7 if variant is best else 2) * figure.dpi / 72))
    taken: list[Any] = []
    for text, variant in texts:
        if not text:
            continue
        ground = {"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.2}
        place: dict[str, Any] = {"xytext": (4, 3), "textcoords": "offset points", "fontsize": 6.5, "bbox": ground}
        note = axes.annotate(text, (variant.params, variant.madds), **place)
        note.set_in_layout(False)  # which is done, and would move the points
        box = note.get_window_extent().padded(1.5)
        if any(box.overlaps(other) for other in taken) or any(
            box.x0 < x + half and x - half < box.x1 and box.y0 < y + half and y - half < box.y1
            for (x, y, half), (_, other) in zip(points, texts, strict=True)
            if other is not variant
        ):
            note.remove()
        else:
            taken.append(box)


def _title(figure: Any, axes: Any, net: str, what: str, *more: str) -> None:
    """What is shown, in as many lines as the page needs."""
    inches = figure.get_size_inches()[0]
    points = 12 if inches >= _SMALL_INCHES else 8
    lines = [f"{_literal(net) or '(unnamed net)'}: {what}", *more]
    most = max(20, int(inches * 72 / (0.6 * points)))
    axes.set_title("\n".join(part for line in lines for part in wrap(line, most)), fontsize=points)


def _legend(figure: Any, axes: Any) -> None:
    """Below the plot, where it hides nothing."""
    handles, texts = axes.get_legend_handles_labels()
    if handles:
        columns = min(len(handles), 4 if figure.get_size_inches()[0] >= _SMALL_INCHES else 2)
        place: dict[str, Any] = {"loc": "outside lower center", "ncols": columns}
        figure.legend(handles, texts, fontsize="small", frameon=False, **place)


def _bar(bars: int) -> float:
    """Gaps between a few bars; between many they would only flicker."""
    return 0.9 if bars <= 100 else 1.0


def _width(bars: int) -> float:
    return min(max(7.0, 1 + _NAME_INCHES * bars), _MOST_INCHES)


def _literal(text: str) -> str:
    """A name from a file: nothing in it is read as a formula."""
    return visible(text).replace("$", r"\$")


def _drawn(draw: Callable[[Any], None], path: str, page: Page, size: tuple[float, float]) -> bytes:
    form = path.rpartition(".")[2].lower()
    if form not in FORMATS:
        raise InputError(
            f"the name of a plot has to end in .png, .svg or .pdf, not {visible(path)}", argument="plot"
        )
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
        from matplotlib.font_manager import get_font_names
    except ImportError:
        raise InputError(
            "a plot needs matplotlib, of the extra netcount[plot]; in a clone: python -m pip install '.[plot]'"
        ) from None
    wide, high = page.size or size
    dpi = page.dpi if page.size or form != "png" else min(page.dpi, int(2**14 / wide) - 1)
    small = wide < _SMALL_INCHES
    settings: Any = {"svg.hashsalt": "netcount", "pdf.fonttype": 42, "font.size": 7 if small else 10}
    settings["font.family"] = ["DejaVu Sans", *(font for font in _EASTERN_FONTS if font in get_font_names())]
    with rc_context(settings), catch_warnings():
        filterwarnings("ignore", "Glyph ", UserWarning)  # an empty box says as much
        figure = Figure(figsize=(wide, high), layout="constrained")
        draw(figure)
        stream = BytesIO()
        figure.savefig(stream, format=form, dpi=dpi, metadata=_METADATA[form])
    return stream.getvalue()
