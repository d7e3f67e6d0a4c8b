"""An ONNX model held against the executor, blob by blob, in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from netcount.core.errors import InputError, reason
from netcount.execute.executor import Executor
from netcount.execute.stand_ins import stand_ins
from netcount.export.agreement import EngineCheck, differences, no_engine
from netcount.export.onnx import Exported

if TYPE_CHECKING:
    from netcount.kernels.run import Array


def runtime() -> Any:
    """The module onnxruntime; InputError where it is not installed."""
    try:
        import onnxruntime
    except ImportError:
        raise no_engine("onnx", "onnxruntime") from None
    onnxruntime.set_default_logger_severity(4)
    return onnxruntime


def session_options(ort: Any, threads: int = 1) -> Any:
    """Options of a session: so many threads, and no word on standard error."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return options


def session(model: bytes, threads: int = 1) -> Any:
    """A session of ONNX Runtime on the CPU."""
    ort = runtime()
    return ort.InferenceSession(model, session_options(ort, threads), providers=["CPUExecutionProvider"])


def check_onnx(
    exported: Exported,
    weights: Mapping[str, Sequence[Array]] | None = None,
    *,
    seed: int = 0,
) -> EngineCheck:
    """Run the model and the net on the same inputs.

    Raises:
        InputError: ONNX Runtime is not installed or refuses the model, or a blob differs.
    """
    import onnx
    from onnx import helper

    ort = runtime()
    net = exported.net
    names = {net.blobs[index].name: tensor for index, tensor in sorted(exported.names.items())}
    drawn = stand_ins(net, seed)
    inputs = {name: drawn[name] for name in exported.inputs}
    executor = Executor(net, weights, seed=seed, keep=names)
    expected = executor.run(drawn, until=max((net.blobs[i].producer for i in exported.names), default=-1))
    wide = onnx.ModelProto()
    wide.CopyFrom(exported.model)
    outputs = set(exported.outputs)
    made = {name for node in wide.graph.node for name in node.output}
    for tensor in names.values():
        if tensor in made and tensor not in outputs:
            wide.graph.output.append(helper.make_empty_tensor_value_info(tensor))
    worst = 0.0
    for model in (wide, exported.model):
        try:
            run = session(model.SerializeToString())
            tensors = [output.name for output in run.get_outputs()]
            by_tensor = dict(zip(tensors, run.run(tensors, inputs), strict=True))
        except Exception as failure:  # ONNX Runtime raises kinds of its own
            raise InputError(f"{net.file}: ONNX Runtime does not run the model: {reason(failure)}") from None
        computed = {name: by_tensor[tensor] for name, tensor in names.items() if tensor in by_tensor}
        worst = max([worst, *differences(net.file, "ONNX Runtime", expected, computed).values()])
    return EngineCheck(f"onnxruntime {ort.__version__}", len(names), worst)
