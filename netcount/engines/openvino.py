"""OpenVINO on the CPU, by netcount's export to ONNX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from netcount.engines.engine import Engine, LayerTimes, Model, Subject, medians
from netcount.engines.onnxruntime import onnx_model
from netcount.graph.graph import Graph

if TYPE_CHECKING:
    from netcount.kernels.run import Array

_ORIGINALS = "originalLayersNames"
"""What a node of the compiled model says of the nodes that it computes, with commas."""


class OpenVINO(Engine):
    """The CPU plugin in float32, one stream."""

    @classmethod
    def prepared(cls, net: Graph, weights: Mapping[str, Sequence[Array]], subject: Subject) -> Model:
        """The ONNX file of ONNX Runtime."""
        return onnx_model(net, weights, subject)

    def __init__(self, model: Model, threads: int) -> None:
        import openvino

        self.version: str = openvino.__version__.partition("-")[0]
        self._model, self._threads = model, threads
        self._compiled = self._compile(openvino.Core(), profiled=False)
        self._request = self._compiled.create_infer_request()

    def _compile(self, core: Any, profiled: bool) -> Any:
        settings = {
            "INFERENCE_NUM_THREADS": self._threads,
            "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": "f32",
            "PERF_COUNT": profiled,
        }
        return core.compile_model(core.read_model(self._model.files[0]), "CPU", settings)

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """By one request, that is used again."""
        results = self._request.infer(dict(inputs), share_inputs=True, share_outputs=True)
        return {name: results[output] for output in self._compiled.outputs for name in output.names}

    def layer_times(self, inputs: Mapping[str, Array], passes: int) -> LayerTimes:
        """Of a model with counters; what a node computes together, it says itself."""
        import openvino

        compiled = self._compile(openvino.Core(), profiled=True)
        groups = self._groups(compiled)
        request = compiled.create_infer_request()
        seconds: list[dict[int, float]] = []
        rest = 0.0
        for _ in range(passes):
            request.infer(dict(inputs))
            told = [(one.node_name, one.real_time.total_seconds()) for one in request.profiling_info]
            one_pass: dict[int, float] = {}
            for name, value in told:
                if value and name in groups:
                    head = groups[name][0]
                    one_pass[head] = one_pass.get(head, 0.0) + value
            seconds.append(one_pass)
            rest = sum(value for name, value in told if name not in groups)
        return LayerTimes(medians(seconds), "last", list({tuple(group) for group in groups.values()}), rest)

    def _groups(self, compiled: Any) -> dict[str, list[int]]:
        """The layers of each node; a layer that several nodes compute belongs to the first."""
        owner: dict[int, list[int]] = {}
        groups: dict[str, list[int]] = {}
        for node in compiled.get_runtime_model().get_ordered_ops():
            info = node.get_rt_info()
            names = str(info[_ORIGINALS].astype(str)).split(",") if _ORIGINALS in info else []
            layers = sorted({self._model.makers[name] for name in names if name in self._model.makers})
            if layers:
                shared = next((owner[index] for index in layers if index in owner), layers)
                shared += [index for index in layers if index not in shared]
                owner |= dict.fromkeys(layers, shared)
                groups[node.friendly_name] = shared
        return groups
