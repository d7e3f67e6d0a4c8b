"""Nets timed in engines, in turn, and what is known of each."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from netcount.analysis.count import Count, count
from netcount.core.errors import InputError, NetcountError, reason
from netcount.core.lazy_numpy import np
from netcount.core.units import FLOAT_BYTES
from netcount.engines.bench import Bench, ProcessBench
from netcount.engines.engine import LayerTimes, Model, Subject
from netcount.engines.known import ENGINES, chosen
from netcount.engines.machine import Machine
from netcount.execute.executor import Executor
from netcount.execute.stand_ins import distance, stand_in_weights, stand_ins
from netcount.execute.verify import allowed_memory
from netcount.execute.weights import read_caffemodel, write_caffemodel
from netcount.graph.load import load_text
from netcount.graph.options import LoadOptions

if TYPE_CHECKING:
    from netcount.kernels.run import Array

K = TypeVar("K")
PASSES = 5
"""Passes of which a layer's time is the median."""


class Wanted(NamedTuple):
    """A net to be timed.

    Attributes:
        text: The prototxt.
        file: What it is called.
        options: How it is read.
        weights: A .caffemodel, or arrays by layer name; None for random ones.
    """

    text: str
    file: str
    options: LoadOptions
    weights: str | Mapping[str, Sequence[Array]] | None = None


class TimedNet(NamedTuple):
    """What a net costs by its figures.

    Attributes:
        net: Its name.
        file: Where it was read.
        batch: The images of one pass.
        madds: Multiply-adds of one pass.
        depthwise_madds: Those of them in depthwise convolutions.
        moved_bytes: What all layers read and write in float32: bottoms, tops and weights, each layer by itself.
        random_weights: Whether no trained weights were given.
    """

    net: str
    file: str
    batch: int | None
    madds: int
    depthwise_madds: int
    moved_bytes: int
    random_weights: bool

    @property
    def depthwise_share(self) -> float:
        """Of the madds, from 0 to 1."""
        return self.depthwise_madds / self.madds if self.madds else 0.0

    @property
    def bytes_per_madd(self) -> float | None:
        """Moved bytes for each multiply-add; None where nothing is multiplied."""
        return self.moved_bytes / self.madds if self.madds else None


class TimedLayer(NamedTuple):
    """A layer in an engine.

    Attributes:
        name: Of the layer.
        type: Of the layer.
        line: Where it begins in the file.
        madds: Its multiply-adds.
        seconds: What the engine took for it; None where it was computed with another layer, or
            the engine does not say.
        within: The layer whose seconds hold this one's; "" where it has its own.
    """

    name: str
    type: str
    line: int
    madds: int
    seconds: float | None
    within: str

    @property
    def gmacs_per_second(self) -> float | None:
        """Its madds by its time, in units of 10⁹."""
        return self.madds / self.seconds / 1e9 if self.seconds and self.madds else None


class Measured(NamedTuple):
    """One net in one engine.

    Attributes:
        net: The index of the net.
        engine: The name of the engine.
        version: Of the engine; "" where it did not start.
        seconds: Of each pass, in the order of the rounds.
        peak_bytes: The most memory of its process; None where the system does not tell.
        difference: Of its outputs from the executor's, by the largest absolute value of each; None where no
            output has Caffe's name.
        layers: What each layer took, where that was asked for and the engine tells.
        rest: The seconds of no layer, where layers were asked for.
        error: Why there are no seconds.
    """

    net: int
    engine: str
    version: str = ""
    seconds: tuple[float, ...] = ()
    peak_bytes: int | None = None
    difference: float | None = None
    layers: tuple[TimedLayer, ...] = ()
    rest: float = 0.0
    error: str | None = None

    @property
    def median(self) -> float:
        """The median of the seconds."""
        return median(self.seconds)

    @property
    def minimum(self) -> float:
        """The least of the seconds."""
        return min(self.seconds)

    @property
    def spread(self) -> float:
        """How far the middle half of the passes lies apart, by the median.

        >>> Measured(0, "numpy", seconds=(1.0, 2.0, 2.0, 3.0, 9.0)).spread
        0.5
        """
        if len(self.seconds) < 2:
            return 0.0
        first, _, third = quantiles(self.seconds, n=4, method="inclusive")
        return (third - first) / self.median if self.median else 0.0


class Timing(NamedTuple):
    """Nets timed in engines.

    Attributes:
        nets: Of each net what it costs.
        runs: Each net in each engine.
        machine: Where it was measured.
        threads: Of each engine.
        rounds: How often each net ran in each engine, in turn.
        warm_up: How often it ran before.
    """

    nets: tuple[TimedNet, ...]
    runs: tuple[Measured, ...]
    machine: Machine
    threads: int
    rounds: int
    warm_up: int

    def gmacs_per_second(self, run: Measured) -> float:
        """Madds of a net by the median of its time, in units of 10⁹."""
        return self.nets[run.net].madds / run.median / 1e9 if run.median else 0.0

    @property
    def complete(self) -> bool:
        """Whether every net ran in every engine."""
        return all(run.error is None for run in self.runs)


Start = Callable[[str, Model, int], Bench]


def time_nets(
    wanted: Sequence[Wanted],
    engines: Sequence[str] | None = None,
    *,
    machine: Machine,
    threads: int = 1,
    rounds: int = 11,
    warm_up: int = 2,
    layers: bool = False,
    seed: int = 0,
    max_bytes: int | None = None,
    start: Start = ProcessBench,
    progress: Callable[[object], None] | None = None,
) -> Timing:
    """Time each net in each engine, in turn, so that whatever else the machine does hits all of them.

    Args:
        wanted: The nets.
        engines: Names of engines; None for all that are installed.
        machine: Where this runs, looked at before.
        threads: Of each engine.
        rounds: Passes that count.
        warm_up: Passes before them.
        layers: Ask the engines what each layer took, in passes of their own.
        seed: Of random weights and inputs.
        max_bytes: Refuse a net that needs more memory.
        start: What makes a bench.
        progress: Called after every pass.

    Raises:
        InputError: A net cannot be read or an engine is not there.  What an engine does not run has its error in
            its run.
        LimitError: A net needs more than `max_bytes`.
    """
    names = chosen(engines)
    with ExitStack() as stack:
        prepared = [_prepared(one, stack, seed, max_bytes) for one in wanted]
        tried: dict[tuple[int, str], Measured] = {}
        benches: dict[tuple[int, str], Bench] = {}
        for index, net in enumerate(prepared):
            for name in names:
                key = (index, name)
                try:
                    model = ENGINES[name].loaded().prepared(net.counted.net, net.weights, net.subject)
                    benches[key] = bench = start(name, model, threads)
                    stack.callback(bench.close)
                    begun = bench.start()
                except NetcountError as problem:
                    tried[key] = _failed(index, name, str(problem))
                except Exception as failure:  # engines raise kinds of their own
                    tried[key] = _failed(index, name, f"{type(failure).__name__}: {reason(failure)}")
                else:
                    off = _difference(net.expected, begun.outputs)
                    tried[key] = Measured(index, name, begun.version, difference=off)
        running = {key: benches[key].once for key, run in tried.items() if run.error is None}
        seconds, errors = in_turn(running, rounds, warm_up, progress)
        for key, why in errors.items():
            tried[key] = _failed(*key, why)
        for key, values in seconds.items():
            tried[key] = _finished(tried[key], values, benches[key], prepared[key[0]], layers)
        return Timing(
            tuple(net.timed for net in prepared), tuple(tried.values()), machine, threads, rounds, warm_up
        )


def in_turn(
    passes: Mapping[K, Callable[[], float]],
    rounds: int,
    warm_up: int,
    progress: Callable[[object], None] | None = None,
) -> tuple[dict[K, tuple[float, ...]], dict[K, str]]:
    """All passes once in each round: their seconds without the warm-up, and what went wrong."""
    seconds: dict[K, list[float]] = {key: [] for key in passes}
    errors: dict[K, str] = {}
    for number in range(warm_up + rounds):
        for key, once in passes.items():
            if key in errors:
                continue
            try:
                value = once()
            except NetcountError as problem:
                errors[key] = str(problem)
                continue
            if number >= warm_up:
                seconds[key].append(value)
            if progress is not None:
                progress(value)
    return {key: tuple(values) for key, values in seconds.items() if key not in errors}, errors


class _Prepared(NamedTuple):
    counted: Count
    timed: TimedNet
    weights: Mapping[str, Sequence[Array]]
    subject: Subject
    expected: Mapping[str, Array]


def _prepared(wanted: Wanted, stack: ExitStack, seed: int, max_bytes: int | None) -> _Prepared:
    """A net with its weights and inputs in a folder, and what comes out of it."""
    net = load_text(wanted.text, wanted.options, wanted.file)
    if not any(blob.shape.count() for blob in net.blobs):
        raise InputError(f"{net.file}: there is nothing to time: no blob of the net holds anything")
    allowed_memory(net, max_bytes)
    counted = count(net)
    if wanted.weights is None:
        weights: Mapping[str, Sequence[Array]] = stand_in_weights(net, seed)
    elif isinstance(wanted.weights, str):
        weights = read_caffemodel(wanted.weights, net).blobs
    else:
        weights = wanted.weights
    folder = stack.enter_context(TemporaryDirectory(prefix="netcount-", ignore_cleanup_errors=True))
    subject = Subject(
        wanted.text,
        wanted.file,
        wanted.options,
        os.path.join(folder, "net.caffemodel"),
        os.path.join(folder, "inputs.npz"),
        folder,
    )
    inputs = stand_ins(net, seed)
    expected = Executor(net, weights, seed=seed).run(inputs)
    write_caffemodel(subject.weights, net, weights)
    np.savez(subject.inputs, allow_pickle=False, **inputs)
    return _Prepared(counted, _timed(counted, wanted.weights is None), weights, subject, expected)


def _timed(counted: Count, random_weights: bool) -> TimedNet:
    net = counted.net
    rows = counted.layers
    moved = sum(
        FLOAT_BYTES * (sum(blob.shape.count() for blob in (*node.value_bottoms, *node.tops)))
        + FLOAT_BYTES * sum(blob.shape.count() for blob in node.params)
        for node in net.nodes
        if not node.layer.passes_bottom and node.bottoms
    )
    return TimedNet(
        net.name,
        net.file,
        net.batch,
        sum(row.madds for row in rows),
        sum(row.madds for row in rows if row.window is not None and row.window.depthwise),
        moved,
        random_weights,
    )


def _difference(expected: Mapping[str, Array], outputs: Mapping[str, Array]) -> float | None:
    """The largest difference of an output that both have."""
    off = [
        distance(array, np.asarray(outputs[name]).reshape(array.shape))
        if np.asarray(outputs[name]).size == array.size
        else float("inf")
        for name, array in expected.items()
        if name in outputs
    ]
    return max(off, default=None)


def _failed(net: int, engine: str, problem: str) -> Measured:
    return Measured(net, engine, error=problem)


def _finished(run: Measured, seconds: tuple[float, ...], bench: Bench, net: _Prepared, layers: bool) -> Measured:
    """The run with its seconds, its memory and, if asked for, its layers."""
    run = run._replace(seconds=seconds, peak_bytes=bench.peak_bytes())
    if not layers:
        return run
    with suppress(NetcountError):
        times = bench.layer_times(PASSES)
        if times is not None:
            return run._replace(layers=_layers(net.counted, times), rest=times.rest)
    return run


def _layers(counted: Count, times: LayerTimes) -> tuple[TimedLayer, ...]:
    from netcount.engines.groups import grouped

    leader = grouped(counted.net, times)
    return tuple(
        TimedLayer(
            row.name,
            row.type,
            row.line,
            row.madds,
            leader.seconds.get(index),
            counted.layers[leader.of[index]].name if leader.of.get(index, index) != index else "",
        )
        for index, row in enumerate(counted.layers)
    )
