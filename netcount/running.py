"""Running a net layer by layer, and writing its weights: for those who want more than `Net.run`."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from netcount.api import graph_of
from netcount.core import arguments
from netcount.execute import executor
from netcount.execute import weights as stored

if TYPE_CHECKING:
    from netcount.api import Net
    from netcount.kernels.run import Array


class Executor(executor.Executor):
    """A net with its weights, ready to run (phase and batch are the net's); `run` fills `steps`.

    Args:
        net: What is run.
        weights: Arrays by layer name, in Caffe's order of blobs; without them they are random, by the net's
            own fillers, seeded.
        seed: For random weights and inputs.
        keep: Names of blobs to return besides the outputs; of a blob that is overwritten in place the last
            version is kept.

    Raises:
        InputError: A blob of the weights has another shape, or `keep` names no blob.
    """

    def __init__(
        self,
        net: Net,
        weights: Mapping[str, Sequence[Array]] | None = None,
        *,
        seed: int = 0,
        keep: Collection[str] = (),
    ) -> None:
        graph = graph_of("net", net)
        seed = arguments.whole("seed", seed, 0)
        super().__init__(graph, weights, seed=seed, keep=arguments.names("keep", keep, "pool1"))


def write_caffemodel(path: str | os.PathLike[str], net: Net, weights: Mapping[str, Sequence[Array]]) -> None:
    """Write the blobs of `net` in Caffe's current binary format; the file is replaced whole.

    Args:
        path: The file.
        net: Whose blobs they are.
        weights: Arrays by layer name, one a blob; a layer whose blobs are all shared may be left out.

    Raises:
        InputError: A blob is missing or has another shape, or the file cannot be written.
    """
    stored.write_caffemodel(arguments.path("path", path), graph_of("net", net), weights)
