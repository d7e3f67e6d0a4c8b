"""OpenCV's dnn, which reads Caffe's own files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from netcount.engines.engine import Engine, LayerTimes, Model, Subject, medians
from netcount.export.part import is_source
from netcount.graph.graph import Graph, Node

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class OpenCV(Engine):
    """cv2.dnn on the CPU, with its fusions."""

    @classmethod
    def prepared(cls, net: Graph, weights: Mapping[str, Sequence[Array]], subject: Subject) -> Model:
        """The text in today's form; the weights are Caffe's own."""
        path = subject.path("opencv.prototxt")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(deploy_text(net))
        return Model(subject, (path,))

    def __init__(self, model: Model, threads: int) -> None:
        import cv2

        self.version: str = cv2.__version__
        cv2.setNumThreads(threads)
        self._net: Any = cv2.dnn.readNetFromCaffe(model.files[0], model.subject.weights)
        self._ends = list(self._net.getUnconnectedOutLayersNames())
        self._layers = _told_apart(model.subject.net(), list(self._net.getLayerNames()))
        self._ticks = cv2.getTickFrequency()

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """By `forward`."""
        for name, array in inputs.items():
            self._net.setInput(array, name)
        arrays = zip(self._ends, self._net.forward(self._ends), strict=True)
        return {self._layers[name].tops[0].name: array for name, array in arrays if name in self._layers}

    def layer_times(self, inputs: Mapping[str, Array], passes: int) -> LayerTimes:
        """Fused layers stand with the first of them."""
        names = self._net.getLayerNames()
        seconds = []
        rest = 0.0
        for _ in range(passes):
            self.run(inputs)
            ticks = [float(value) / self._ticks for value in self._net.getPerfProfile()[1].ravel()]
            told = list(zip(names, ticks, strict=True))
            seconds.append({self._layers[n].index: value for n, value in told if value and n in self._layers})
            rest = sum(value for name, value in told if name not in self._layers)
        return LayerTimes(medians(seconds), rest=rest)


def _told_apart(net: Graph, names: Sequence[str]) -> dict[str, Node]:
    """The layers by the names that OpenCV gives them: some are named after their top, but all stand in order."""
    nodes = [node for node in net.nodes if not is_source(node)]
    if len(names) == len(nodes):
        return dict(zip(names, nodes, strict=True))
    return {node.name: node for node in reversed(nodes) if node.name in names}


def deploy_text(net: Graph) -> str:
    """The net as a prototxt of today's Caffe, in its phase and with the shapes that it has here."""
    from google.protobuf import text_format

    from netcount.prototxt.protobuf import message_class, net_to_protobuf

    whole = message_class("NetParameter")()
    whole.name = net.name
    for node in net.nodes:
        if is_source(node):
            layer = whole.layer.add(name=node.name, type="Input", top=[blob.name for blob in node.tops])
            for shape in node.top_shapes:
                layer.input_param.shape.add(dim=list(shape))
        else:
            whole.layer.extend(net_to_protobuf("", net.phase, [node.message]).message.layer)
    return text_format.MessageToString(whole)
