"""An ncnn model held against the executor, blob by blob, in ncnn's wheel."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from netcount.core.errors import InputError
from netcount.core.lazy_numpy import np
from netcount.execute.executor import Executor
from netcount.execute.stand_ins import stand_ins
from netcount.export.agreement import EngineCheck, differences, no_engine
from netcount.export.graph_of_layers import mat
from netcount.export.ncnn import NcnnModel

if TYPE_CHECKING:
    from netcount.kernels.run import Array


def runtime() -> Any:
    """The module ncnn; InputError where it is not installed."""
    try:
        import ncnn
    except ImportError:
        raise no_engine("ncnn", "ncnn") from None
    return ncnn


class Loaded:
    """An ncnn net that computes in float32 on the CPU.

    Attributes:
        version: Of ncnn.
    """

    def __init__(self, param: str, weights: str, threads: int = 1, keep: bool = False) -> None:
        """Load two files.  keep: let every blob be read, not only those that come out at the end.

        Raises:
            InputError: ncnn is not installed, or refuses them.
        """
        self._ncnn = runtime()
        self.version: str = self._ncnn.__version__
        self._net = self._ncnn.Net()
        options = self._net.opt
        options.num_threads = threads
        options.lightmode = not keep
        for name in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_packed", "bf16_storage"):
            if hasattr(options, f"use_{name}"):
                setattr(options, f"use_{name}", False)
        if self._net.load_param(param) or self._net.load_model(weights):
            raise InputError(f"ncnn {self.version} does not load the model")

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> dict[str, Array]:
        """One pass; arrays without an axis of images.

        Raises:
            InputError: ncnn gives nothing for an output.
        """
        extractor = self._net.create_extractor()
        for name, array in inputs.items():
            # a mat that owns its memory: layers that work in place may overwrite it
            extractor.input(name, self._ncnn.Mat(array).clone())
        arrays = {}
        for name in outputs:
            code, made = extractor.extract(name)
            if code or made.empty():
                raise InputError(f'ncnn {self.version} does not compute "{name}"')
            arrays[name] = np.array(made)
        return arrays


def write_model(model: NcnnModel, folder: str, checked: str = "no") -> tuple[str, str]:
    """The paths of the model's two files in a folder."""
    paths = os.path.join(folder, "net.param"), os.path.join(folder, "net.bin")
    with open(paths[0], "w", encoding="utf-8", newline="\n") as stream:
        stream.write(model.param(checked))
    with open(paths[1], "wb") as binary:
        binary.write(model.weights)
    return paths


def mats(names: Mapping[str, str], arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The inputs of a net as the model's, without the axis of images.  names: by the model's, those of the net."""
    return {
        name: np.ascontiguousarray(arrays[blob], np.float32).reshape(mat(arrays[blob].shape))
        for name, blob in names.items()
    }


def check_ncnn(model: NcnnModel, weights: Mapping[str, Sequence[Array]], *, seed: int = 0) -> EngineCheck:
    """Run the model and the net on the same inputs.

    Raises:
        InputError: ncnn is not installed or refuses the model, or a blob differs.
    """
    net = model.net
    names = {net.blobs[index].name: name for index, name in sorted(model.names.items())}
    drawn = stand_ins(net, seed)
    executor = Executor(net, weights, seed=seed, keep=names)
    expected = executor.run(drawn, until=max((net.blobs[i].producer for i in model.names), default=-1))
    inputs = mats(model.inputs, drawn)
    computed = {blob: name for blob, name in names.items() if name not in model.inputs and blob in expected}
    with TemporaryDirectory(prefix="netcount-", ignore_cleanup_errors=True) as folder:
        paths = write_model(model, folder)
        kept = Loaded(*paths, keep=True)
        arrays = kept.run(inputs, list(computed.values()))
        ends = Loaded(*paths).run(inputs, list(model.outputs))
    by_blob = {blob: arrays[name].reshape(-1) for blob, name in computed.items()}
    flat = {blob: array.reshape(-1) for blob, array in expected.items()}
    errors = differences(net.file, "ncnn", flat, by_blob)
    last = {model.outputs[name]: array.reshape(-1) for name, array in ends.items()}
    errors |= differences(net.file, "ncnn", flat, last)
    return EngineCheck(f"ncnn {kept.version}", len(names), max(errors.values(), default=0.0))
