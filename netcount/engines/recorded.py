"""Timings read again from the JSON that `netcount time` wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from netcount.core.errors import InputError, Place
from netcount.core.files import read_text, shown_path
from netcount.engines.machine import Machine
from netcount.engines.timing import Measured, TimedNet, Timing

SCHEMA = "netcount/time/1"


def read_timing(path: str) -> Timing:
    """What a file holds, without the times of layers.

    Raises:
        InputError: It cannot be read, or is no such document.
    """
    file = shown_path(path)
    try:
        document = json.loads(read_text(path))
    except json.JSONDecodeError as failure:
        raise InputError(
            f"not a timing: not valid JSON: {failure.msg}", Place(file, failure.lineno, failure.colno)
        ) from None
    except (RecursionError, ValueError):
        raise InputError("not a timing: nested too deeply, or a number too long", Place(file)) from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise InputError(f'not a timing: its schema is not "{SCHEMA}" (netcount time -f json)', Place(file))
    try:
        return _timing(document)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as failure:
        what = f"{type(failure).__name__}: {failure}"
        raise InputError(f"not a complete timing ({what})", Place(file)) from None


def _timing(document: Mapping[str, Any]) -> Timing:
    nets = tuple(_net(net) for net in document["nets"])
    machine = document["machine"]
    load = machine["load"]
    here = Machine(
        processor=str(machine["processor"]),
        processors=_whole(machine["processors"]),
        system=str(machine["system"]),
        python=str(machine["python"]),
        netcount=str(machine["netcount"]),
        load=None if load is None else _seconds(load),
    )
    threads, rounds, warm_up = (_whole(document[key]) for key in ("threads", "rounds", "warm_up"))
    return Timing(nets, tuple(_run(run, len(nets)) for run in document["runs"]), here, threads, rounds, warm_up)


def _net(net: Mapping[str, Any]) -> TimedNet:
    batch = net["batch"]
    return TimedNet(
        net=str(net["net"]),
        file=str(net["file"]),
        batch=None if batch is None else _whole(batch),
        madds=_whole(net["madds"]),
        depthwise_madds=_whole(net["depthwise_madds"]),
        moved_bytes=_whole(net["moved_bytes"]),
        random_weights=bool(net["random_weights"]),
    )


def _run(run: Mapping[str, Any], nets: int) -> Measured:
    index, error = _whole(run["net"]), run["error"]
    if index >= nets:
        raise ValueError(f"there is no net {index}")
    seconds = tuple(_seconds(value) for value in run["seconds"])
    if error is None and not seconds:
        raise ValueError("a run without seconds and without an error")
    peak = run["peak_bytes"]
    return Measured(
        index,
        str(run["engine"]),
        str(run["version"]),
        seconds,
        None if peak is None else _whole(peak),
        error=None if error is None else str(error),
    )


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is not a whole number from 0")
    return value


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not (value == 0 or 1e-12 <= value <= 1e12):
        raise ValueError(f"{value!r} is not a number from 0")
    return float(value)
