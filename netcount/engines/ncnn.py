"""ncnn, by netcount's own export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from netcount.engines.engine import Engine, LayerTimes, Model, Subject
from netcount.export.ncnn import to_ncnn
from netcount.export.ncnn_check import Loaded, mats, write_model
from netcount.graph.graph import Graph

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class Ncnn(Engine):
    """ncnn on the CPU in float32, for one image."""

    @classmethod
    def prepared(cls, net: Graph, weights: Mapping[str, Sequence[Array]], subject: Subject) -> Model:
        """A .param and a .bin file."""
        model = to_ncnn(net, weights)
        return Model(subject, write_model(model, subject.folder), inputs=model.inputs, outputs=model.outputs)

    def __init__(self, model: Model, threads: int) -> None:
        self._model = model
        param, weights = model.files
        self._loaded = Loaded(param, weights, threads)
        self.version: str = self._loaded.version

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """By one extractor, as ncnn's own programs do it."""
        made = self._loaded.run(mats(self._model.inputs, inputs), list(self._model.outputs))
        return {self._model.outputs[name]: array[None] for name, array in made.items()}

    def layer_times(self, inputs: Mapping[str, Array], passes: int) -> LayerTimes | None:
        """The wheel does not tell."""
        return None
