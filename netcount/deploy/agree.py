"""Whether a folded net computes what the net before it computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from netcount.core.errors import InputError
from netcount.deploy.fold import Folded, fold
from netcount.execute.executor import Executor
from netcount.execute.stand_ins import distance, stand_in_weights, stand_ins
from netcount.execute.verify import allowed_memory
from netcount.graph.graph import Graph
from netcount.graph.load import DEFAULTS, load_text
from netcount.graph.options import LoadOptions

if TYPE_CHECKING:
    from netcount.kernels.run import Array

TOLERANCE = 1e-4
"""By how much of its largest absolute value an output may differ."""


class Agreed(NamedTuple):
    """A folded net that was run beside the net before it.

    Attributes:
        folded: The net.
        error: The largest difference of an output, by the output's largest absolute value.
    """

    folded: Folded
    error: float


def fold_and_run(
    text: str,
    file: str = "<text>",
    options: LoadOptions = DEFAULTS,
    weights: Mapping[str, Sequence[Array]] | None = None,
    *,
    seed: int = 0,
    max_bytes: int | None = None,
) -> Agreed:
    """`fold`, and a run of both nets on the same seeded inputs.

    Args:
        text: As for `fold`.
        file: As for `fold`.
        options: As for `fold`.
        weights: Arrays by layer name; without them both run on random ones that hide nothing.
        seed: For inputs, and for weights that are not given.
        max_bytes: Refuse a run that needs more memory.

    Raises:
        InputError: The net cannot be built or run, or an output differs.
    """
    folded = fold(text, file, options, weights)
    allowed_memory(folded.before, max_bytes)
    blobs = stand_in_weights(folded.before, seed) if weights is None else weights
    again = folded if weights is not None else fold(text, file, options, blobs)
    if again.text != folded.text:  # values of 0 among the random ones let more be folded
        raise InputError(f"{file}: give weights to fold it; by random ones it cannot be decided")
    given = stand_ins(folded.before, seed)
    after = load_text(folded.text, options._replace(define={}), file)
    keep = _last(folded.before) & {blob.name for blob in after.blobs}
    was = Executor(folded.before, blobs, seed=seed, keep=keep, fuse=False).run(given)
    now = Executor(after, again.weights, seed=seed, keep=keep, fuse=False).run(given)
    worst = 0.0
    for name, array in was.items():
        error = distance(array, now[name]) if name in now else float("inf")
        if not error <= TOLERANCE:
            raise InputError(
                f'{file}: folded, its output "{name}" would differ by {error:.1e} of its largest value; '
                "nothing is written"
            )
        worst = max(worst, error)
    return Agreed(folded, worst)


def _last(net: Graph) -> set[str]:
    """What the layers read that make the outputs: a Softmax hides what its bottom shows."""
    makers = {net.blobs[index].producer for index in net.outputs}
    return {blob.name for index in makers for blob in net.nodes[index].bottoms}
