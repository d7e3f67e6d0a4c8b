"""Inputs made at random, from a seed: nothing but errors that say what is wrong, and what is inferred happens.

    python -m tests.fuzz --seed 1 --seconds 30            both
    python -m tests.fuzz mutate --seed 1 --seconds 30     samples and cases with a few changes
    python -m tests.fuzz nets --seed 1 --only 1234        one of the random small nets again

Each input depends on the seed and its number alone.  What is found becomes a regression test.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from io import TextIOWrapper
from time import process_time

import numpy as np

import netcount
from netcount.analysis._support.liveness import usage
from netcount.analysis.arena import arena
from netcount.analysis.count import count
from netcount.core.errors import InputError, LimitError, NetcountError
from netcount.execute.arena_store import ArenaExecutor
from netcount.execute.executor import Executor
from netcount.execute.verify import verify
from netcount.graph.graph import Graph
from tests.cases import CASES
from tests.helpers import SAMPLES, conformance_cases, graph_of, inputs

MOST_SECONDS = 1.0
"""How long an input of this size may take."""
MOST_BYTES = 2**26
_TOKEN = re.compile(r'"[^"]*"|[\w.+-]+|[{}:]|\n|\s+|.')
_NUMBER = re.compile(r"(?<=[:\s])-?\d+(?:\.\d+)?(?=[\s}])")
_LAYER = re.compile(r"^layer \{.*\}$", re.MULTILINE)
_SPECIAL = (
    "0",
    "-1",
    "1",
    "2",
    "3",
    "7",
    "1.5",
    "2147483647",
    "-2147483648",
    "1e38",
    "nan",
    "inf",
    "1e-45",
    "true",
)


@cache
def corpus() -> tuple[str, ...]:
    """The texts that are changed: samples, cases of every type, and what Caffe judged."""
    samples = [path.read_text(encoding="utf-8") for path in sorted(SAMPLES.glob("*.prototxt"))]
    small = [text for text in samples if len(text) < 20_000]
    return (*small, *CASES.values(), *(case["prototxt"] for case in conformance_cases()))


@cache
def templates() -> tuple[str, ...]:
    """Single layers, each on a line, of the cases: their types, parameters and numbers of blobs."""
    return tuple(
        line
        for text in CASES.values()
        for line in _LAYER.findall(text)
        if 'type: "Input"' not in line and "bottom:" in line and "top:" in line
    )


def mutated(choose: random.Random) -> str:
    """A text of the corpus with one to four changes of its tokens, or of its characters."""
    text = choose.choice(corpus())
    for _ in range(choose.randint(1, 4)):
        tokens = _TOKEN.findall(text)
        if not tokens:
            return text
        at = choose.randrange(len(tokens))
        other = choose.choice(tokens)
        change = choose.randrange(7)
        if change == 0:
            tokens[at] = other
        elif change == 1:
            tokens[at:at] = [" ", other, " "]
        elif change == 2:
            del tokens[at : at + choose.randint(1, 5)]
        elif change == 3:
            tokens[at] = choose.choice(_SPECIAL)
        elif change == 4:
            stop = at + choose.randint(1, 40)
            tokens[at:at] = tokens[at:stop] * choose.randint(1, 3)
        elif change == 5:
            tokens[at] = chr(choose.choice((0, 9, 34, 92, 127, 0xFF, 0x2028, 0xD800, 0x1F600)))
        else:
            tokens[at] = tokens[at][: choose.randint(0, len(tokens[at]))]
        text = "".join(tokens)
    return text


def random_net(choose: random.Random) -> str:
    """An input or two, and up to six layers on them whose parameters are those of a case, or near them."""
    blobs = ["b0", "b1"][: choose.randint(1, 2)]
    text = inputs(**{blob: _shape(choose) for blob in blobs})
    for number in range(choose.randint(1, 6)):
        layer, made = _layer(choose, choose.choice(templates()), number, blobs)
        text += layer + "\n"
        blobs += [name for name in made if name not in blobs]
    return text


def _shape(choose: random.Random) -> tuple[int, ...]:
    return tuple(choose.choice((1, 2, 3, 4, 5, 6, 8)) for _ in range(choose.choice((4, 4, 4, 2, 3, 1, 5))))


def _layer(choose: random.Random, template: str, number: int, blobs: Sequence[str]) -> tuple[str, list[str]]:
    """A layer like another one on blobs that are there, at times in place; and the names of its tops."""
    in_place = choose.random() < 0.15
    bottoms: list[str] = []
    tops: list[str] = []

    def bottom(_: re.Match[str]) -> str:
        bottoms.append(choose.choice(blobs))
        return f'bottom: "{bottoms[-1]}"'

    def top(_: re.Match[str]) -> str:
        tops.append(bottoms[0] if in_place and not tops and bottoms else f"t{number}_{len(tops)}")
        return f'top: "{tops[-1]}"'

    text = re.sub(r'bottom: "[^"]*"', bottom, template)
    text = re.sub(r'top: "[^"]*"', top, text).replace('name: "op"', f'name: "l{number}"')
    return _NUMBER.sub(lambda match: _near(choose, match[0]), text), tops


def _near(choose: random.Random, number: str) -> str:
    if "." in number or choose.random() < 0.7:
        return number
    return str(choose.choice((int(number) + 1, max(0, int(number) - 1), choose.randint(0, 4))))


def questions(text: str) -> netcount.Net | None:
    """Everything that is asked of a text; None where it is refused."""
    try:
        net = netcount.loads(text, batch="net")
    except NetcountError as refused:
        str(refused)
        return None
    analysis = net.analyze()
    analysis.to_dict()
    str(analysis)
    net.memory(8, fits=1000).to_dict()
    str(net.arena(8))
    for trained in (net.training, net.backward):
        with suppress(netcount.InputError):  # which another phase can be
            trained(batch="net").to_dict()
    analysis.blocks()
    net.reconcile("madds", "netscope")
    netcount.compare(net, net)
    return net


def run(text: str) -> str:
    """What is wrong with a run of a net; "" for nothing, also where it is refused or wants data."""
    net = questions(text)
    if net is None:
        return ""
    graph = graph_of(net)
    if not any(blob.shape.count() for blob in graph.blobs):
        return ""
    try:
        found = verify(graph, max_bytes=MOST_BYTES)
    except LimitError:
        return ""
    except InputError as problem:
        wanted = any(advice.argument == "inputs" for advice in problem.advice)
        return "" if wanted or "cannot be run" not in problem.message else f"accepted, and then {problem}"
    if not found.agrees:
        wrong = [layer for layer in found.layers if not layer.agrees]
        return f"inferred and executed differ: {wrong[0]}"
    measured = [layer.live_bytes for layer in found.layers]
    by_data = any(node.layer.data_dependent(node.bottom_shapes) for node in graph.nodes)
    if not by_data and measured != [4 * live for live in usage(graph, in_place=True)]:
        return f"announced {[4 * live for live in usage(graph, in_place=True)]}, measured {measured}"
    return "" if by_data else _inside_its_arena(graph)


def _inside_its_arena(graph: Graph) -> str:
    """Whether a run inside the planned memory gives other outputs than one outside."""
    apart = Executor(graph, fuse=False).run()
    inside = ArenaExecutor(arena(count(graph), 8)).run()
    wrong = [name for name, array in apart.items() if not np.array_equal(array, inside[name], equal_nan=True)]
    return f"other outputs in the arena: {wrong}" if wrong else ""


def _asked(text: str) -> str:
    questions(text)
    return ""


KINDS: dict[str, tuple[Callable[[random.Random], str], Callable[[str], str]]] = {
    "mutate": (mutated, _asked),
    "nets": (random_net, run),
}


def tried(kind: str, seed: int, number: int, most_seconds: float | None = MOST_SECONDS) -> tuple[str, str]:
    """One input, and what is wrong with it; "" for nothing."""
    make, judge = KINDS[kind]
    text = make(random.Random(f"{kind} {seed} {number}"))
    before = process_time()
    try:
        problem = judge(text)
    except Exception:
        problem = traceback.format_exc()
    seconds = process_time() - before
    if not problem and most_seconds is not None and seconds > most_seconds:
        problem = f"took {seconds:.1f} s"
    return text, problem


def main() -> int:
    """Try inputs until the time is over; 1 where something is wrong with one."""
    parser = argparse.ArgumentParser(description="Inputs made at random, from a seed.")
    parser.add_argument("kind", nargs="?", choices=KINDS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=20, help="of processor time, for each kind")
    parser.add_argument("--only", type=int, help="the input of this number alone, with its text")
    given = parser.parse_args()
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    problems = 0
    for kind in [given.kind] if given.kind else KINDS:
        end, number = process_time() + given.seconds, 0
        for number in [given.only] if given.only is not None else iter(range(sys.maxsize)):
            text, problem = tried(kind, given.seed, number)
            if problem or given.only is not None:
                problems += bool(problem)
                print(f"{kind} --seed {given.seed} --only {number}: {problem or 'nothing is wrong'}\n{text}\n")
            if process_time() > end:
                break
        print(f"{kind}: {number + 1} inputs, seed {given.seed}", file=sys.stderr)
    return int(problems > 0)


if __name__ == "__main__":
    sys.exit(main())
