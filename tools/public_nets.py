"""The public nets whose shapes netcount gives as Caffe gave them: where they are, and whether they still agree.

    python tools/public_nets.py list          a row per net: repository, commit, path, SHA-256
    python tools/public_nets.py clone         the git commands that bring them into this folder
    python tools/public_nets.py run FOLDER    compare every (net, phase) pair whose net is in FOLDER

The nets belong to others and are not part of the project; tests/data/public_nets.jsonl has their names and hashes
alone.  A pair has the input shapes Caffe was given in place of a database, and the SHA-256 of what Caffe
inferred: `answer` in this file says of what exactly.  FOLDER holds the repositories as OWNER/NAME, or the files
as OWNER__NAME__PATH with __ for each slash.

Exit codes of `run`: 0 all agree, 1 some differ, 3 nothing differs but some nets are missing or are other files.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import netcount

LIST = Path(__file__).resolve().parent.parent / "tests" / "data" / "public_nets.jsonl"
AGREES, DIFFERS, INCOMPLETE = 0, 1, 3


class Pair(NamedTuple):
    """A net in a phase; `sha256` is of what Caffe answered."""

    phase: str
    inputs: Mapping[str, list[int]]
    sha256: str


class PublicNet(NamedTuple):
    """A file of a public repository; `sha256` is of the file."""

    repository: str
    commit: str
    path: str
    sha256: str
    pairs: tuple[Pair, ...]

    @property
    def name(self) -> str:
        """One file name for all of it."""
        return f"{self.repository}/{self.path}".replace("/", "__")

    def within(self, folder: Path) -> Path | None:
        """The file in a folder, by either name; None where it is missing or another file."""
        for path in (folder / self.name, folder / self.repository / self.path):
            if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == self.sha256:
                return path
        return None


def public_nets(path: Path = LIST) -> list[PublicNet]:
    """The list, in the order of the file."""
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return [PublicNet(**{**row, "pairs": tuple(Pair(**pair) for pair in row["pairs"])}) for row in rows]


def answer(
    layers: Iterable[tuple[str, str, Mapping[str, list[int]], list[list[int]]]],
    inputs: Mapping[str, list[int]],
    learnable: int,
    outputs: Iterable[str],
) -> str:
    """The SHA-256 of what a net is: JSON without spaces, its keys sorted, of {layers, learnable, outputs}.

    layers: [name, type, {top: shape}, [shape of each parameter blob]] in the order of the net, without those that
    only make `inputs`.  learnable: the size of all parameter blobs, shared ones once.  outputs:
    their names, sorted.
    """
    judged = [layer for layer in layers if not layer[2] or not layer[2].keys() <= inputs.keys()]
    value = {"layers": judged, "learnable": learnable, "outputs": sorted(outputs)}
    text = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def netcounts_answer(path: Path, phase: str, inputs: Mapping[str, list[int]]) -> str:
    """`answer` for what netcount makes of a file."""
    net = netcount.load(path, phase=phase, batch="net", input_shapes=inputs)
    layers = [
        (
            node.name,
            node.type,
            {top.name: list(top.shape) for top in node.tops if top.name != "(automatic)"},
            [list(blob.shape) for blob in node.params],
        )
        for node in net.nodes
    ]
    return answer(layers, inputs, net.learnable(), [blob.name for blob in net.outputs])


def clone_commands(nets: Iterable[PublicNet]) -> Iterator[str]:
    """A line for each repository, which fetches that one commit."""
    for repository, commit in dict.fromkeys((net.repository, net.commit) for net in nets):
        git = f"git -C {repository}"
        yield (
            f"git init -q {repository} && {git} fetch -q --depth 1 https://github.com/{repository} {commit}"
            f" && {git} checkout -q FETCH_HEAD"
        )


def run(folder: Path, nets: Iterable[PublicNet]) -> int:
    """Compare, say what differs, and how many pairs agree."""
    counted: Counter[str] = Counter()
    for net in nets:
        path = net.within(folder)
        for pair in net.pairs:
            verdict = "missing"
            if path is not None:
                try:
                    agrees = netcounts_answer(path, pair.phase, pair.inputs) == pair.sha256
                    verdict = "agrees" if agrees else "differs"
                except netcount.NetcountError as mistake:
                    verdict = "differs"
                    print(mistake)
            counted[verdict] += 1
            if verdict != "agrees":
                print(f"{verdict}: {net.repository} {net.path} {pair.phase}")
    print(f"{counted['agrees']} pairs agree, {counted['differs']} differ, {counted['missing']} have no net here")
    if counted["differs"]:
        return DIFFERS
    return INCOMPLETE if counted["missing"] or not counted["agrees"] else AGREES


def main(arguments: list[str]) -> int:
    """The command."""
    match arguments:
        case ["list"]:
            for net in public_nets():
                print(net.repository, net.commit, net.path, net.sha256, sep="\t")
        case ["clone"]:
            print(*clone_commands(public_nets()), sep="\n")
        case ["run", folder]:
            return run(Path(folder), public_nets())
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
