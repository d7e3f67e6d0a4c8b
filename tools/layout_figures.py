"""Lay out many nets, and report times and crossings beside those of other programs.

    python tools/layout_figures.py FOLDER...

Each prototxt below a folder is drawn as `netcount graph` draws it; those that Caffe would refuse are left out.
The figures of the others were measured once, on 517 public nets.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter

from netcount.core.errors import NetcountError
from netcount.graph.load import load_net
from netcount.graph.partial import outline_of
from netcount.picture.boxes import diagram
from netcount.picture.layout import Layout, layout
from netcount.picture.strips import Link

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.picture import geometry

BOX = (140, 60)
OTHERS = """\
others, as measured once           nets  median ms  worst ms  crossings  through boxes
dagre                               517         64                2,322            276
dot: zigzags in the main chain; elk: one net 11,692 px wide; grandalf: 19.6 s at 4,421 nodes"""


def ladder(number: int) -> list[Link]:
    """A net of that many boxes: modules of four branches one below the other."""
    links: list[Link] = []
    for fork in range(0, number - 8, 8):
        for branch in ((1,), (2, 3), (4, 5), (6, 7)):
            ends = [fork, *(fork + step for step in branch), fork + 8]
            links += [Link(one, 0, other) for one, other in pairwise(ends)]
    return links


def timed(boxes: int, links: list[Link]) -> tuple[float, Layout]:
    start = perf_counter()
    placed = layout([BOX] * boxes, links)
    return 1000 * (perf_counter() - start), placed


def main(folders: list[str]) -> None:
    print(f"{'':32}  {'nets':>5}  {'median ms':>9}  {'worst ms':>8}  {'crossings':>9}  {'through boxes':>13}")
    for folder in folders:
        times, crossings, through, layers, boxes = [], 0, 0, 0, 0
        for file in sorted(Path(folder).rglob("*.prototxt")):
            try:
                outline = outline_of(load_net(file))
            except NetcountError:
                continue
            drawn = diagram(outline)
            links = list(drawn.links)
            time, placed = timed(len(drawn.boxes), links)
            times.append(time)
            layers += len(outline.layers)
            boxes += len(drawn.boxes)
            crossings += geometry.crossings(placed, links)
            through += len(geometry.lines_through_boxes(placed)) + len(geometry.overlaps(placed))
        middle, worst = (median(times), max(times)) if times else (0, 0)
        print(f"{folder[-32:]:32}  {len(times):5}  {middle:9.1f}  {worst:8.1f}  {crossings:9,}  {through:13}")
        print(f"    {layers:,} layers in {boxes:,} boxes")
    for number in (1001, 5001):
        time, _ = timed(number, ladder(number))
        print(f"{f'{number - 1:,} boxes, made up':32}  {1:5}  {time:9.1f}  {time:8.1f}")
    print(OTHERS)


if __name__ == "__main__":
    main(sys.argv[1:] or ["prototxt_samples"])
