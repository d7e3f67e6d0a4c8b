"""Timings read again from the JSON that `netcount time` wrote."""

from __future__ import annotations

from typing import Any

from netcount.core.records import Kind, Misfit, Record, flag, list_of, optional, read_record, text, whole
from netcount.engines.machine import Machine
from netcount.engines.timing import Measured, TimedNet, Timing

_KIND = Kind("timing", "netcount/time/1", "netcount time -f json writes a new one")


def read_timing(path: str) -> Timing:
    """What a file holds, without the times of layers.

    Raises:
        InputError: It cannot be read, or is no such document.
    """
    document = read_record(path, _KIND)
    nets = tuple(map(_net, document.records("nets")))
    machine = document.record("machine")
    here = Machine(
        processor=machine.get("processor", text),
        processors=machine.get("processors", whole),
        system=machine.get("system", text),
        python=machine.get("python", text),
        netcount=machine.get("netcount", text),
        load=machine.get("load", optional(_number)),
    )
    threads, rounds, warm_up = (document.get(key, whole) for key in ("threads", "rounds", "warm_up"))
    runs = tuple(_run(run, len(nets)) for run in document.records("runs"))
    return Timing(nets, runs, here, threads, rounds, warm_up)


def _net(net: Record) -> TimedNet:
    return TimedNet(
        net=net.get("net", text),
        file=net.get("file", text),
        batch=net.get("batch", optional(whole)),
        madds=net.get("madds", whole),
        depthwise_madds=net.get("depthwise_madds", whole),
        moved_bytes=net.get("moved_bytes", whole),
        random_weights=net.get("random_weights", flag),
    )


def _run(run: Record, nets: int) -> Measured:
    index, error = run.get("net", whole), run.get("error", optional(text))
    if index >= nets:
        run.wrong(f"is {index}, and there is no net of that index", "net")
    seconds = run.get("seconds", list_of(_number))
    if error is None and not seconds:
        run.wrong("is empty, though there is no error", "seconds")
    return Measured(
        index,
        run.get("engine", text),
        run.get("version", text),
        seconds,
        run.get("peak_bytes", optional(whole)),
        error=error,
    )


def _number(value: Any) -> float:
    """Seconds, or a load."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not (value == 0 or 1e-12 <= value <= 1e12):
        raise Misfit("0 or a number from 1e-12 to 1e12", value)
    return float(value)
