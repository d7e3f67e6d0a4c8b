"""What an engine has to do to be timed."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from netcount.graph.graph import Graph
from netcount.graph.load import load_text
from netcount.graph.options import LoadOptions

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class Subject(NamedTuple):
    """A net with its weights, as files that any process can read.

    Attributes:
        text: The prototxt.
        file: What it is called.
        options: How it is read.
        weights: The path of a .caffemodel with blobs for all its layers.
        inputs: The path of a .npz with an array for each of its inputs.
        folder: Where an engine may keep files.
    """

    text: str
    file: str
    options: LoadOptions
    weights: str
    inputs: str
    folder: str

    def net(self) -> Graph:
        """The net."""
        return load_text(self.text, self.options, self.file)

    def path(self, name: str) -> str:
        """Where a file of an engine lies."""
        return os.path.join(self.folder, name)


class Model(NamedTuple):
    """A net in the form that an engine loads.

    Attributes:
        subject: The net.
        files: The paths of the engine's files.
        makers: For each name that the engine's report may have the index of the layer it belongs to.
        inputs: By the engine's name of an input its name in the net, where they may differ.
        outputs: By the engine's name of an output its name in the net.
    """

    subject: Subject
    files: tuple[str, ...] = ()
    makers: Mapping[str, int] = {}
    inputs: Mapping[str, str] = {}
    outputs: Mapping[str, str] = {}


class LayerTimes(NamedTuple):
    """The seconds of layers by index.

    Attributes:
        seconds: Of the layers that the engine names; of layers computed together one stands for all of them.
        named_after: Which of those it is, where the engine does not say which they are.
        groups: Layers that are computed together, as far as the engine says so; the first of each has the seconds.
        rest: What the engine spends on no layer that is known.
    """

    seconds: Mapping[int, float]
    named_after: Literal["first", "last"] = "first"
    groups: Sequence[Sequence[int]] = ()
    rest: float = 0.0


class Engine(ABC):
    """One net, loaded in an engine.  Its name, and what it takes to import it, stand in `known`.

    Attributes:
        version: Of the engine.
    """

    version: str

    @classmethod
    @abstractmethod
    def prepared(cls, net: Graph, weights: Mapping[str, Sequence[Array]], subject: Subject) -> Model:
        """The net as files of the engine.  This is done in another process than the timing.

        Raises:
            InputError: The engine has no words for the net.
        """

    @abstractmethod
    def __init__(self, model: Model, threads: int) -> None:
        """Load a model; it runs on so many threads."""

    @abstractmethod
    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """One forward pass; the outputs by name, as far as the engine keeps Caffe's names."""

    @abstractmethod
    def layer_times(self, inputs: Mapping[str, Array], passes: int) -> LayerTimes | None:
        """The seconds of each layer, the median of so many passes; None where the engine does not tell."""


def medians(passes: Sequence[Mapping[int, float]]) -> dict[int, float]:
    """The median of each layer over several passes.

    >>> medians([{3: 1.0}, {3: 7.0, 4: 2.0}, {3: 2.0}])
    {3: 2.0, 4: 2.0}
    """
    from statistics import median

    seconds: dict[int, list[float]] = {}
    for one in passes:
        for index, value in one.items():
            seconds.setdefault(index, []).append(value)
    return {index: median(values) for index, values in seconds.items()}
