"""netcount's own executor, by numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from netcount.engines.engine import Engine, LayerTimes, Model, Subject, medians
from netcount.graph.graph import Graph

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class Numpy(Engine):
    """The executor, whose products are numpy's: the threads are those of its BLAS, set before it starts."""

    @classmethod
    def prepared(cls, net: Graph, weights: Mapping[str, Sequence[Array]], subject: Subject) -> Model:
        """As it is."""
        return Model(subject)

    def __init__(self, model: Model, threads: int) -> None:
        import numpy

        from netcount.execute.executor import Executor
        from netcount.execute.weights import read_caffemodel

        self.version: str = numpy.__version__
        net = model.subject.net()
        self._executor = Executor(net, read_caffemodel(model.subject.weights, net).blobs)

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """By the executor."""
        return self._executor.run(inputs)

    def layer_times(self, inputs: Mapping[str, Array], passes: int) -> LayerTimes:
        """As it measures each layer itself."""
        seconds = []
        for _ in range(passes):
            self._executor.run(inputs)
            seconds.append({step.node.index: step.seconds for step in self._executor.steps if not step.done_with})
        groups: dict[int, list[int]] = {}
        for step in self._executor.steps:
            if step.done_with is not None:
                groups.setdefault(step.done_with.index, [step.done_with.index]).append(step.node.index)
        return LayerTimes(medians(seconds), groups=list(groups.values()))
