"""The picture of a net: what is written in its boxes, how they are coloured, and where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, get_args

from netcount.core.units import human, human_bytes, percent, plural
from netcount.picture.layout import Layout, layout
from netcount.picture.picture import FAMILIES, OTHER, Arrow, Picture, PictureBox
from netcount.picture.strips import Link
from netcount.report.document import document as analysis_document
from netcount.report.error import document as error_document
from netcount.report.formats.text import clipped, visible, window_text

if TYPE_CHECKING:
    from netcount.report import document_types as types

Colour: TypeAlias = Literal["madds", "params", "memory", "type", "none"]
COLOURS: tuple[Colour, ...] = get_args(Colour)
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Shares of the net's madds or params from which a box has the next colour."""
PEAKS = (0.25, 0.5, 0.75, 0.9, 1.0)
"""Shares of the peak from which a box has the next colour."""
MOST_CELLS = 34
"""Longer lines in a box are shortened; the whole text is in its tooltip."""
LINE = 15
"""Height of a line of text."""
PADDING = 7
_WIDE = 12


class Line(NamedTuple):
    """A line of text in a box; kind: "name", "type", "more", "shape", "value" or "message"."""

    text: str
    kind: str


class Label(NamedTuple):
    """A box as it is drawn.

    Attributes:
        lines: What is written in it.
        tone: Its colour: "0" (no cost) to "6", a family of layer types, "broken", "unknown", or "" for none.
        about: All of it in one text, for a tooltip.
    """

    lines: tuple[Line, ...]
    tone: str
    about: str


class Drawing(NamedTuple):
    """A picture with its texts, colours and places, for any format.

    Attributes:
        picture: What is drawn.
        colour: What the colours tell.
        title: The net.
        facts: Its file, what else a reader has to know, and its totals.
        labels: One a box.
        notes: For each arrow what is written beside it: its shape, once an output; else nothing.
        legend: The tones there are, each with its meaning; the first text says of what.
        placed: Where everything stands.
    """

    picture: Picture
    colour: Colour | Literal["changes"]
    title: str
    facts: tuple[str, ...]
    labels: tuple[Label, ...]
    notes: tuple[str, ...]
    legend: tuple[tuple[str, str], ...]
    placed: Layout


def drawing(picture: Picture, colour: Colour = "madds") -> Drawing:
    """Everything that a format needs to draw a picture."""
    net, totals = picture.counted.net, picture.counted.totals
    facts = [visible(net.file), f"phase {net.phase}"]
    if picture.outline.error is not None:
        facts.append("not finished")
    lost = sum(layer.node is None for layer in picture.outline.layers)
    facts.append(plural(len(picture.outline.layers), "layer"))
    if lost:
        facts.append(f"{lost} without figures")
    facts += [f"{human(totals.params)} params", f"{human(totals.madds)} madds"]
    if net.batch not in (None, 1):
        facts.append(f"for {net.batch} images")
    labels = tuple(
        [
            Label(box_lines(picture, box, colour), _tone(picture, box, colour), _about(picture, box))
            for box in picture.boxes
        ]
    )
    sizes = [box_size(label) for label in labels]
    links = [Link(arrow.source, arrow.port, arrow.target) for arrow in picture.arrows]
    return Drawing(
        picture,
        colour,
        visible(net.name) or "(unnamed net)",
        tuple(facts),
        labels,
        _notes(picture),
        legend(picture, colour),
        layout(sizes, links),
    )


def box_lines(picture: Picture, box: PictureBox, colour: Colour) -> tuple[Line, ...]:
    """What is written in a box; where the colours tell nothing, the figure that they tell is left out."""
    lines = [Line(clipped(visible(box.name), MOST_CELLS), "name")]
    if box.is_block:
        kind = plural(len(box.layers), "layer")
    else:
        kind = f"{visible(box.type)} {window_text(box.window)}".rstrip()
    lines.append(Line(clipped(kind, MOST_CELLS), "type"))
    if box.followers:
        lines.append(Line(clipped(f"+ {' + '.join(map(visible, box.followers))}", MOST_CELLS), "more"))
    if box.state == "known" and box.tops:
        more = f" (+{len(box.tops) - 1})" if len(box.tops) > 1 else ""
        shape = box.tops[0].shape.hwc(picture.counted.net.batch)
        lines.append(Line(clipped(shape + more, MOST_CELLS), "shape"))
    value = _value(picture, box, colour)
    if value:
        lines.append(Line(value, "value"))
    if box.message:
        lines += [Line(part, "message") for part in _wrapped(visible(box.message))]
    return tuple(lines)


def _value(picture: Picture, box: PictureBox, colour: Colour) -> str:
    if box.state != "known":
        return ""
    totals = picture.counted.totals
    if colour == "madds" and box.madds:
        return f"{human(box.madds)} madds · {percent(box.madds, totals.madds)}"
    if colour == "params" and box.params:
        return f"{human(box.params)} params · {percent(box.params, totals.params)}"
    if colour == "memory" and box.live_bytes:
        return f"{human_bytes(box.live_bytes)} alive"
    return ""


def _tone(picture: Picture, box: PictureBox, colour: Colour) -> str:
    if box.state != "known":
        return box.state
    totals = picture.counted.totals
    if colour == "type":
        return box.family
    if colour == "madds":
        return _step(box.madds, totals.madds, SHARES)
    if colour == "params":
        return _step(box.params, totals.params, SHARES)
    if colour == "memory":
        return _step(box.live_bytes, picture.peak_bytes, PEAKS)
    return ""


def _step(value: int, whole: int, steps: Sequence[float]) -> str:
    return str(1 + sum(value >= step * whole for step in steps)) if value and whole else "0"


def _about(picture: Picture, box: PictureBox) -> str:
    """What a tooltip says: everything about a box, a fact a line."""
    layers = [picture.outline.layers[index] for index in box.layers]
    lines = [visible(box.name)]
    lines += [f"line {layer.line}: {visible(layer.name)}, {visible(layer.type)}" for layer in layers[:_WIDE]]
    if len(layers) > _WIDE:
        lines.append(f"and {len(layers) - _WIDE} more")
    if box.state == "known":
        lines += [f"{visible(blob.name)}: {blob.shape}" for blob in box.tops[:_WIDE]]
        lines.append(f"{box.params:,} params, {box.madds:,} madds, {human_bytes(box.live_bytes)} alive")
    elif box.message:
        lines.append(visible(box.message))
    else:
        lines.append("not known, as a layer before it is wrong")
    return "\n".join(lines)


def _wrapped(text: str, most: int = 3) -> list[str]:
    """A message on a few lines, its end cut off where it is longer."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= MOST_CELLS + 4:
            lines[-1] += f" {word}"
        elif len(lines) == most:
            lines[-1] = clipped(f"{lines[-1]} …", MOST_CELLS + 4, middle=False)
            break
        else:
            lines.append(clipped(word, MOST_CELLS + 4))
    return lines


def _notes(picture: Picture) -> tuple[str, ...]:
    seen = set()
    notes = []
    for arrow in picture.arrows:
        net = (arrow.source, arrow.port)
        shown = arrow.changes and net not in seen and arrow.blob is not None
        seen.add(net)
        notes.append(arrow_shape(picture, arrow) if shown else "")
    return tuple(notes)


def arrow_shape(picture: Picture, arrow: Arrow) -> str:
    """What an arrow carries, as people read it; nothing where it is not known."""
    return clipped(arrow.blob.shape.hwc(picture.counted.net.batch), MOST_CELLS) if arrow.blob else ""


def legend(picture: Picture, colour: Colour) -> tuple[tuple[str, str], ...]:
    """The tones of a colouring, each with its meaning; the text without a tone says of what."""
    entries: list[tuple[str, str]] = []
    tones = {box.state for box in picture.boxes}
    if colour == "type":
        tones |= {box.family for box in picture.boxes if box.state == "known"}
    if colour in ("madds", "params"):
        steps = [percent(round(100 * step), 100).replace(".00", "") for step in SHARES]
        names = [f"no {colour}", f"below {steps[0]}", *(f"from {step}" for step in steps)]
        entries = [("", f"share of the net's {colour}"), *((str(tone), name) for tone, name in enumerate(names))]
    elif colour == "memory":
        steps = [percent(round(100 * step), 100).replace(".00", "") for step in PEAKS[:-1]]
        names = [f"below {steps[0]}", *(f"from {step}" for step in steps), "the peak"]
        peak = human_bytes(picture.peak_bytes)
        entries = [("", f"alive while it runs, of the peak of {peak}")]
        entries += [(str(tone), name) for tone, name in enumerate(names, 1)]
    elif colour == "type":
        entries = [("", "families"), *((family, family) for family in (*FAMILIES, OTHER) if family in tones)]
    entries += [
        (tone, text) for tone, text in (("broken", "wrong"), ("unknown", "depends on it")) if tone in tones
    ]
    return tuple(entries)


def block_lines(folded: Picture) -> dict[str, tuple[Line, ...]]:
    """What is written in the boxes of a picture's folded blocks, but for the figure of the colours."""
    return {box.name: box_lines(folded, box, "none") for box in folded.boxes if box.is_block}


_NARROW = frozenset("ijl.,:;'|! I()[]/frt-·`")
_BROAD = frozenset("mwMW%@—…+×")


def text_width(text: str, size: int = 12, bold: bool = False) -> int:
    """About how wide a text is in pixels: as wide as in any sans serif font that a viewer may take for it."""
    units = 0
    for sign in text:
        if sign in _NARROW:
            units += 40
        elif sign in _BROAD:
            units += 92
        elif sign.isascii():
            units += 74 if sign.isupper() else 64
        else:
            units += 100 if ord(sign) > 0x2E80 else 72
    return units * size * (108 if bold else 100) // 10_000 + 1


def line_width(line: Line) -> int:
    """How wide a line of a box is."""
    return text_width(line.text, 12 if line.kind == "name" else 11, line.kind == "name")


def box_size(label: Label) -> tuple[int, int]:
    """How wide and high a box has to be."""
    wide = max(line_width(line) for line in label.lines)
    return max(72, wide + 2 * PADDING), LINE * len(label.lines) + 2 * PADDING


def picture_document(drawn: Drawing, text: str = "") -> types.View:
    """The document of a picture (schemas/view.json).  text: the file."""
    placed = drawn.placed
    said: dict[str, Any] = unplaced(drawn.picture, [label.lines for label in drawn.labels])
    boxes = zip(said.pop("boxes"), drawn.labels, placed.boxes, placed.main, strict=True)
    edges = zip(said.pop("edges"), drawn.notes, placed.routes, strict=True)
    return {
        **said,  # type: ignore[typeddict-item]  # the keys of `unplaced`
        "text": text.encode("utf-8", "backslashreplace").decode(),
        "color": drawn.colour,
        "width": placed.width,
        "height": placed.height,
        "boxes": [{**box, "tone": label.tone, **rect._asdict(), "main": main} for box, label, rect, main in boxes],
        "edges": [
            {**edge, "note": note, "points": [list(point) for point in route]} for edge, note, route in edges
        ],
    }


def unplaced(picture: Picture, lines: Sequence[Sequence[Line]]) -> dict[str, Any]:
    """The same, but for the text, the colours, and where everything stands.  lines: of each box."""
    error = picture.outline.error
    return {
        "schema": "netcount/view/1",
        "analysis": analysis_document(picture.counted),
        "errors": error_document(error)["problems"] if error is not None else [],
        "layers": [
            {
                "name": layer.name,
                "type": layer.type,
                "line": layer.line,
                "end_line": layer.end_line,
                "row": layer.node,
                "message": layer.message,
            }
            for layer in picture.outline.layers
        ],
        "blocks": {name: list(layers) for name, layers in picture.blocks.items()},
        "kept_open": list(picture.kept_open),
        "boxes": [
            {
                "name": box.name,
                "block": box.is_block,
                "layers": list(box.layers),
                "state": box.state,
                "lines": [line._asdict() for line in written],
                "params": box.params,
                "madds": box.madds,
                "activations": box.activations,
                "live_bytes": box.live_bytes,
            }
            for box, written in zip(picture.boxes, lines, strict=True)
        ],
        "edges": [
            {
                "source": arrow.source,
                "port": arrow.port,
                "target": arrow.target,
                "blob": arrow.name,
                "shape": list(arrow.blob.shape) if arrow.blob is not None else None,
            }
            for arrow in picture.arrows
        ],
    }
