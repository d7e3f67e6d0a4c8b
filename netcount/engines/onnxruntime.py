"""ONNX Runtime, by netcount's own export."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from netcount.engines.engine import Engine, LayerTimes, Model, Subject, medians
from netcount.export.onnx import to_onnx
from netcount.export.onnx_check import runtime, session_options
from netcount.graph.graph import Graph

if TYPE_CHECKING:
    from netcount.kernels.run import Array

_DECORATION = re.compile(r"(_nchwc|_token_\d+|_kernel_time)+$")
"""What ONNX Runtime puts behind the name of a node that it replaces, and behind that of an event."""


class OnnxRuntime(Engine):
    """The CPU provider, with all of its fusions."""

    @classmethod
    def prepared(cls, net: Graph, weights: Mapping[str, Sequence[Array]], subject: Subject) -> Model:
        """An ONNX file."""
        return onnx_model(net, weights, subject)

    def __init__(self, model: Model, threads: int) -> None:
        ort = runtime()
        self.version: str = ort.__version__
        self._model, self._threads = model, threads
        self._session = self._started(ort, {})
        self._outputs = [output.name for output in self._session.get_outputs()]

    def _started(self, ort: Any, more: Mapping[str, object]) -> Any:
        options = session_options(ort, self._threads)
        for name, value in more.items():
            setattr(options, name, value)
        return ort.InferenceSession(self._model.files[0], options, providers=["CPUExecutionProvider"])

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """By `Session.run`."""
        return dict(zip(self._outputs, self._session.run(self._outputs, inputs), strict=True))

    def layer_times(self, inputs: Mapping[str, Array], passes: int) -> LayerTimes:
        """Of a session with profiling; nodes that replace others keep their names in theirs."""
        prefix = self._model.subject.path("onnxruntime")
        profiled = self._started(runtime(), {"enable_profiling": True, "profile_file_prefix": prefix})
        for _ in range(passes):
            profiled.run(self._outputs, inputs)
        path = profiled.end_profiling()
        with open(path, encoding="utf-8") as stream:
            events = json.load(stream)
        os.remove(path)
        runs = [*_by_run(events)]
        makers = self._model.makers
        seconds = []
        for run in runs:
            one: dict[int, float] = {}
            for name, value in run:
                if name in makers:
                    one[makers[name]] = one.get(makers[name], 0.0) + value
            seconds.append(one)
        rest = [sum(value for name, value in run if name not in makers) for run in runs]
        return LayerTimes(medians(seconds), "last", rest=min(rest, default=0.0))


def _by_run(events: Sequence[Mapping[str, Any]]) -> Iterator[list[tuple[str, float]]]:
    """The nodes of each pass with their seconds, by the names they had before they were replaced."""
    nodes: list[tuple[str, float]] = []
    for event in sorted(events, key=lambda one: (one["ts"] + one["dur"], one["cat"] != "Node")):
        if event["cat"] == "Node" and event["name"].endswith("_kernel_time"):
            nodes.append((_DECORATION.sub("", event["name"]), event["dur"] / 1e6))
        elif event["name"] == "model_run":
            yield nodes
            nodes = []


def onnx_model(net: Graph, weights: Mapping[str, Sequence[Array]], subject: Subject) -> Model:
    """The net as an ONNX file, once for all engines that read one."""
    exported = to_onnx(net, weights)
    path = subject.path("net.onnx")
    if not os.path.exists(path):
        with open(path, "wb") as stream:
            stream.write(exported.model.SerializeToString())
    return Model(subject, (path,), exported.makers)
