"""One engine with one net, in this process or in one of its own, and a clock beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from netcount.analysis._support.workers import Workers
from netcount.core.errors import NetcountError
from netcount.core.lazy_numpy import np
from netcount.engines.engine import Engine, LayerTimes, Model
from netcount.engines.known import ENGINES

if TYPE_CHECKING:
    from netcount.kernels.run import Array

T = TypeVar("T")
Clock = Callable[[], float]
"""Seconds since some moment."""
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""By which the BLAS of numpy and others learn of a limit, before they start."""


class Started(NamedTuple):
    """What a bench says of itself.

    Attributes:
        version: Of the engine.
        outputs: What came out of the first pass, by name.
    """

    version: str
    outputs: Mapping[str, Array]


class Bench(Protocol):
    """What is timed.  Whatever goes wrong is a NetcountError."""

    def start(self) -> Started:
        """Load the net and run it once."""

    def once(self) -> float:
        """The seconds of one pass."""

    def peak_bytes(self) -> int | None:
        """The most memory that the process has had; None where the system does not tell."""

    def layer_times(self, passes: int) -> LayerTimes | None:
        """The seconds of each layer, if the engine tells."""

    def close(self) -> None:
        """Let go of it."""


class LocalBench:
    """A bench in this process.  clock: what the passes are measured by."""

    def __init__(self, name: str, model: Model, threads: int, clock: Clock = perf_counter) -> None:
        self._name, self._model, self._threads, self._clock = name, model, threads, clock
        self._engine: Engine | None = None
        self._inputs: dict[str, Array] = {}

    def start(self) -> Started:
        """Load the net and run it once."""
        self._engine = ENGINES[self._name].loaded()(self._model, self._threads)
        with np.load(self._model.subject.inputs) as arrays:
            self._inputs = {name: arrays[name] for name in arrays.files}
        return Started(self._engine.version, dict(self._engine.run(self._inputs)))

    def once(self) -> float:
        """The seconds of one pass."""
        engine = self._loaded()
        before = self._clock()
        engine.run(self._inputs)
        return self._clock() - before

    def peak_bytes(self) -> int | None:
        """As the system counts it."""
        return peak_bytes()

    def layer_times(self, passes: int) -> LayerTimes | None:
        """The seconds of each layer, if the engine tells."""
        return self._loaded().layer_times(self._inputs, passes)

    def close(self) -> None:
        """Let go of it."""
        self._engine = None

    def _loaded(self) -> Engine:
        if self._engine is None:
            raise NetcountError("the engine has not started")
        return self._engine


class ProcessBench:
    """A bench in a process of its own, whose memory nothing else fills; threads are set before it starts."""

    def __init__(self, name: str, model: Model, threads: int) -> None:
        limits = dict.fromkeys(_THREADS, str(threads))
        self._workers = Workers(1, limits)
        self._arguments = name, model, threads

    def start(self) -> Started:
        """Load the net and run it once."""
        return self._ask(_start, *self._arguments)

    def once(self) -> float:
        """The seconds of one pass."""
        return self._ask(_once)

    def peak_bytes(self) -> int | None:
        """Of the process."""
        return self._ask(peak_bytes)

    def layer_times(self, passes: int) -> LayerTimes | None:
        """The seconds of each layer, if the engine tells."""
        return self._ask(_layer_times, passes)

    def close(self) -> None:
        """End the process."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _ask(self, function: Callable[..., T], *arguments: object) -> T:
        try:
            return self._workers.submit(function, *arguments).result()
        except RuntimeError:  # also where it has been closed
            raise NetcountError("its process ended") from None


_here: list[LocalBench] = []
"""The bench of a process that has one."""


def _start(name: str, model: Model, threads: int) -> Started:
    _here[:] = [LocalBench(name, model, threads)]
    return _here[0].start()


def _once() -> float:
    return _here[0].once()


def _layer_times(passes: int) -> LayerTimes | None:
    return _here[0].layer_times(passes)


def peak_bytes() -> int | None:
    """The most memory that this process has had; None where the system does not tell."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as stream:
            for line in stream:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    if os.name == "nt":
        return None
    import resource
    import sys

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
