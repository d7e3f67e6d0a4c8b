"""How many public nets give a table, and by which way: a table by class, in Markdown.

    python tools/breadth.py FOLDER            every .prototxt below it
    python tools/breadth.py FOLDER --each     a line a file besides: its class, the steps, the last error

Nets are read in phase TEST with the batch of the file.  Where one is refused, `follow` does what the error's
advice says, as somebody does who knows the shapes and costs that the error asks for; here they are guessed.
First only what asks for a shape or a phase is followed; then all advice, at most STEPS times.
"""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from netcount.analysis.survey import find_nets
from netcount.cli.output import progress_bar
from netcount.core.errors import Advice, InputError, NetcountError, each
from netcount.core.files import read_text
from netcount.graph.graph import Graph
from netcount.graph.load import load_text
from netcount.graph.options import LoadOptions
from netcount.prototxt.reader import read

STEPS = 120
"""How often one net's advice is followed."""
IMAGES = (
    "1,3,224,224",
    "1,3,300,300",
    "1,3,512,512",
    "1,1,28,28",
    "1,2,28,28",
    "1,1,256,256",
    "1,3,64,64",
    "16,3,321,321",
)
"""What stands in for `N,C,H,W`, one after the other."""
ASKS = frozenset({"input_shapes", "phase"})
"""The arguments that only say what the file leaves open."""

UNAIDED = "complete unaided"
ASKED = "complete after only the shape or phase that the message names"
COUNTED = "complete, following the advice"
PARTIAL = "a table that says what is missing, following the advice"
STUCK = "no table"
EMPTY = "no layers: solvers, label maps, descriptions of targets"
TEMPLATE = "holds a placeholder"
UNREADABLE = "does not parse"
CLASSES = (UNAIDED, ASKED, COUNTED, PARTIAL, STUCK, EMPTY, TEMPLATE, UNREADABLE)


class Reached(NamedTuple):
    """Where following the advice ended.

    Attributes:
        net: The net, None where there is no table.
        steps: The arguments that were followed, as `ARGUMENT KEY=VALUE`.
        error: The last error, where there is no table.
    """

    net: Graph | None
    steps: tuple[str, ...]
    error: NetcountError | None = None


class Result(NamedTuple):
    """What became of a file; seconds: the processor's, for the unaided attempt, the shorter of two."""

    file: str
    kind: str
    seconds: float
    steps: tuple[str, ...] = ()
    error: str = ""


def follow(
    load: Callable[..., Graph], allowed: frozenset[str] | None = None, image: str = IMAGES[0], steps: int = STEPS
) -> Reached:
    """Load a net and, as long as it is refused, do what the error says.

    Args:
        load: Gives the net for keyword arguments of `LoadArguments`.
        allowed: The arguments that may be followed; None for all.
        image: What `N,C,H,W` is taken for.
        steps: How often at most.
    """
    arguments: dict[str, Any] = {}
    done: list[str] = []
    fitted: set[str] = set()
    for _ in range(steps):
        try:
            return Reached(load(**arguments), tuple(done))
        except NetcountError as error:
            problem = error
        if True in [_fit(arguments, one.what, fitted) for one in each(problem)]:
            continue
        taken = _taken(problem, done, allowed)
        told = {one.key: _BOTTOM.findall(single.what) for single in each(problem) for one in single.advice}
        for one in taken:
            done.append(f"{one.argument} {one.key}={one.value}")
            bottoms = [shape for _, shape in told.get(one.key, [])]
            _apply(arguments, one, image if one.argument == "input_shapes" else _like(bottoms))
        if not taken:
            break
    return Reached(None, tuple(done), problem)


def _taken(error: NetcountError, done: Sequence[str], allowed: frozenset[str] | None) -> list[Advice]:
    """The first way out of each mistake that has not been tried; a phase changes the net, and goes alone."""
    chosen: dict[str, Advice] = {}
    for problem in each(error):
        for way in _ways(problem.advice):
            keys = [f"{one.argument} {one.key}={one.value}" for one in way]
            if all(key in done for key in keys) or not (
                allowed is None or allowed.issuperset(o.argument for o in way)
            ):
                continue
            if any(one.argument == "phase" for one in way):
                return way
            chosen.update(zip(keys, way, strict=True))
            break
    return list(chosen.values())


_BOTTOM = re.compile(r'bottom \d+ "([^"]*)" (?:is )?(\d+(?:×\d+)*)')


def _fit(arguments: dict[str, Any], what: str, fitted: set[str]) -> bool:
    """Give an input that was guessed the shape that the layer's other bottom asks for, once."""
    bottoms = _BOTTOM.findall(what)
    given = arguments.get("input_shapes", {})
    guessed = [name for name, _ in bottoms if name in given]
    others = [shape for name, shape in bottoms if name not in given]
    if len(guessed) != 1 or len(others) != 1 or guessed[0] in fitted:
        return False
    shape = [int(extent) for extent in others[0].split("×")]
    if "classes along axis 1" in what:
        shape[1:2] = [1]
    fitted.add(guessed[0])
    given[guessed[0]] = shape
    return True


def _ways(advice: Iterable[Advice]) -> list[list[Advice]]:
    """Advice that only helps together, together."""
    ways: list[list[Advice]] = []
    for one in advice:
        if one.lead == "and" and ways:
            ways[-1].append(one)
        else:
            ways.append([one])
    return ways


def _like(bottoms: Sequence[str]) -> str:
    """The shape of a layer's tops, as its first bottom's where the error tells it."""
    return bottoms[0].replace("×", ",") if bottoms else "1,64,28,28"


def _apply(arguments: dict[str, Any], one: Advice, image: str) -> None:
    value: Any = one.value
    if value == "VALUE":
        value = "1"
    elif value[:1].isdigit() or value[:2] == "N,":
        value = [int(part) for part in _shape(one, image).split(",")]
    if one.key or one.argument in ("input_shapes", "assume", "define"):
        arguments.setdefault(one.argument, {})[one.key] = value
    elif one.argument == "stages":
        arguments.setdefault("stages", []).append(value)
    else:
        arguments[one.argument] = value


def _shape(one: Advice, image: str) -> str:
    """A guess at what somebody who knows the net would give."""
    if one.value[:1].isdigit():
        return one.value
    name = one.key.lower()
    batch = image.split(",")[0]
    if one.argument == "input_shapes":
        if "info" in name:
            return "1,3"
        if "rois" in name or "boxes" in name:
            return "16,5"
        if "label" in name and "seg" not in name:
            return f"{batch},1,1,1"
    return image


def breadth(file: str) -> Result:
    """The class of one file."""
    try:
        text = read_text(file)
    except NetcountError as error:
        return Result(file, UNREADABLE, 0.0, error=str(error))

    def load(**arguments: Any) -> Graph:
        return load_text(text, LoadOptions.of(batch="net", **arguments), file)

    times = []
    for _ in range(2):
        began = time.process_time()
        first = follow(load, frozenset(), steps=1)
        times.append(time.process_time() - began)
    seconds = min(times)
    kind = without_net(text, file, first.error)
    if kind or (first.net and first.net.complete):
        return Result(file, kind or UNAIDED, seconds, error=str(first.error or ""))
    for image in IMAGES:
        asked = follow(load, ASKS, image)
        if asked.net and asked.net.complete:
            return Result(file, ASKED, seconds, asked.steps)
        if not asked.steps:
            break
    last = follow(load)
    for image in IMAGES[1:]:
        if last.net is None or not last.net.complete:
            other = follow(load, image=image)
            last = other if last.net is None or (other.net and other.net.complete) else last
    if last.net is None:
        return Result(file, STUCK, seconds, last.steps, str(last.error))
    return Result(file, COUNTED if last.net.complete else PARTIAL, seconds, last.steps)


def without_net(text: str, file: str, error: NetcountError | None) -> str | None:
    """The class of a file that holds no net to count; None where it holds one."""
    if error and any(one.argument == "define" for problem in each(error) for one in problem.advice):
        return TEMPLATE
    try:
        names = {name for name, _, _ in read(text, file).fields}
    except InputError:
        return UNREADABLE
    inside = {name for name in names if name.endswith("net_param")}
    return None if names & {"layer", "layers"} or inside else EMPTY


def results(files: Sequence[str]) -> Iterator[Result]:
    """The class of each file, with a bar where somebody looks."""
    with progress_bar("nets", total=len(files)) as bar:
        for file in files:
            yield breadth(file)
            if bar.step:
                bar.step(None)


def table(rows: Sequence[Result]) -> str:
    """The files by class, in Markdown."""
    kinds = Counter(row.kind for row in rows)
    nets = sum(kinds[kind] for kind in CLASSES[:5])
    lines = ["| class | files | of those with layers |", "|---|---:|---:|"]
    for number, kind in enumerate(CLASSES):
        share = f"{kinds[kind] / nets:.1%}" if number < 5 and nets else ""
        lines.append(f"| {kind} | {kinds[kind]:,} | {share} |")
    lines.append(f"| together | {len(rows):,} | {nets:,} |")
    return "\n".join(lines)


def reasons(rows: Sequence[Result]) -> Mapping[str, str]:
    """For each file without a table: the last error's first line."""
    return {row.file: row.error.splitlines()[0] for row in rows if row.kind == STUCK}


def main(arguments: Sequence[str]) -> int:
    """Print the table for a folder; 2 on bad usage."""
    folders = [argument for argument in arguments if argument != "--each"]
    if not folders:
        print(__doc__, file=sys.stderr)
        return 2
    rows = list(results(find_nets(folders)))
    if "--each" in arguments:
        for row in rows:
            print(
                "\t".join([Path(row.file).name, row.kind, f"{row.seconds:.3f}", "; ".join(row.steps), row.error])
            )
    print(table(rows))
    for file, reason in reasons(rows).items():
        print(f"\n{Path(file).name}\n    {reason}")
    slowest = max(rows, key=lambda row: row.seconds)
    print(f"\nslowest: {slowest.seconds:.2f} s, {Path(slowest.file).name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
