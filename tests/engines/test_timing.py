"""How times are taken and told, by a clock and by benches of the test's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import count as numbers
from pathlib import Path
from typing import Any

import pytest

from netcount.core.errors import InputError, LimitError, NetcountError
from netcount.engines.bench import LocalBench, ProcessBench, Started, peak_bytes
from netcount.engines.engine import LayerTimes, Model
from netcount.engines.machine import Machine
from netcount.engines.predicted import predictions
from netcount.engines.timing import Measured, TimedNet, Timing, Wanted, in_turn, time_nets
from netcount.graph.options import LoadOptions
from netcount.report.formats.layout import plain
from netcount.report.formats.plot import time_plot
from netcount.report.timing import timing_csv, timing_document, timing_report
from tests.command import run
from tests.engines.test_engines import NET, loaded, subject
from tests.helpers import valid

MACHINE = Machine("a processor", 4, "Linux x86_64", "3.11.0", "0.1.0", 0.25)
WANTED = Wanted(NET, "net.prototxt", LoadOptions())


def ticking(step: float) -> Any:
    """A clock that moves on by one more step each time it is looked at."""
    moments: Iterator[int] = numbers()
    return lambda: step * sum(range(next(moments) + 1))


def timed(*wanted: Wanted, **more: Any) -> Timing:
    """Timed in this process, by a clock of the test."""
    return time_nets(
        wanted or [WANTED],
        more.pop("engines", ["numpy"]),
        machine=MACHINE,
        start=lambda name, model, threads: LocalBench(name, model, threads, ticking(0.5)),
        **more,
    )


def test_a_pass_takes_what_the_clock_says(tmp_path: Path) -> None:
    loaded("numpy", subject(tmp_path))
    bench = LocalBench("numpy", Model(subject(tmp_path)), 1, ticking(2.0))
    bench.start()
    assert [bench.once(), bench.once()] == [2.0, 6.0], "from the first look to the second, and so on"
    bench.close()
    with pytest.raises(NetcountError, match="not started"):
        bench.once()


def test_all_take_turns_and_the_warm_up_does_not_count() -> None:
    calls: list[str] = []

    def once(name: str) -> float:
        calls.append(name)
        return float(len(calls))

    seen: list[object] = []
    seconds, errors = in_turn({name: lambda name=name: once(name) for name in "ab"}, 2, 1, seen.append)  # type: ignore[misc]
    assert "".join(calls) == "ababab"
    assert seconds == {"a": (3.0, 5.0), "b": (4.0, 6.0)}
    assert errors == {}
    assert len(seen) == 6


def test_what_fails_stops_alone() -> None:
    def broken() -> float:
        raise NetcountError("no more")

    seconds, errors = in_turn({"a": broken, "b": lambda: 3.0}, 3, 1)
    assert seconds == {"b": (3.0, 3.0, 3.0)}
    assert errors == {"a": "no more"}


def test_the_figures_of_a_run() -> None:
    answer = timed(rounds=3, warm_up=1, layers=True)
    (one,) = answer.runs
    assert one.seconds == (1.5, 2.5, 3.5), "of a clock whose steps grow by half a second, after one pass"
    assert (one.median, one.minimum, one.spread) == (2.5, 1.5, 0.4)
    assert one.difference == 0
    (net,) = answer.nets
    # conv 9·11·8·27, dw 7·7·8·15, fc 16·16·5 (pooled 4×4 twice 8)
    assert (net.madds, net.depthwise_madds) == (9 * 11 * 8 * 27 + 7 * 7 * 8 * 15 + 16 * 16 * 5, 7 * 7 * 8 * 15)
    assert answer.gmacs_per_second(one) == net.madds / 2.5 / 1e9
    assert [layer.name for layer in one.layers][:3] == ["x", "conv", "bn"]
    assert one.layers[1].madds == 9 * 11 * 8 * 27
    assert all((layer.seconds is None) == bool(layer.within) for layer in one.layers)
    assert one.layers[2].within == "conv", "the executor does the BatchNorm along with it"
    assert answer.complete


def test_bytes_are_what_layers_read_and_write() -> None:
    text = """layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 7 } } }
    layer { name: "f" type: "InnerProduct" bottom: "x" top: "f" inner_product_param { num_output: 3 } }
    layer { name: "r" type: "ReLU" bottom: "f" top: "f" }
    layer { name: "s" type: "Reshape" bottom: "f" top: "s" reshape_param { shape { dim: 3 dim: 1 } } }"""
    (net,) = timed(Wanted(text, "net.prototxt", LoadOptions()), rounds=1).nets
    assert net.moved_bytes == 4 * (7 + 3 + 21 + 3 + 3 + 3)
    assert net.bytes_per_madd == 4 * 40 / 21


def test_an_engine_that_fails_has_its_reason_in_its_row() -> None:
    class Failing:
        def __init__(self, error: Exception, late: bool) -> None:
            self.error, self.late = error, late

        def start(self) -> Started:
            if not self.late:
                raise self.error
            return Started("9", {})

        def once(self) -> float:
            raise self.error

        def peak_bytes(self) -> int | None:
            return None

        def layer_times(self, passes: int) -> LayerTimes | None:
            return None

        def close(self) -> None:
            pass

    for error, late, said in (
        (NetcountError("no words"), False, "no words"),
        (ValueError("its own"), False, "ValueError: its own"),
        (NetcountError("gone"), True, "gone"),
    ):
        answer = time_nets(
            [WANTED],
            ["numpy"],
            machine=MACHINE,
            start=lambda *_, e=error, at_once=not late: Failing(e, not at_once),  # type: ignore[misc]
        )
        assert answer.runs[0].error == said
        assert not answer.complete
        assert said in plain(timing_report(answer))
        assert valid(timing_document(answer), "time")["runs"][0]["median"] is None
        assert timing_csv(answer).records[0][timing_csv(answer).header.index("error")] == said


def test_what_cannot_be_timed_is_refused_before() -> None:
    with pytest.raises(LimitError, match="a run needs"):
        timed(max_bytes=10)
    empty = 'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 0 } } }'
    with pytest.raises(InputError, match="nothing to time"):
        timed(Wanted(empty, "net.prototxt", LoadOptions()))


def test_a_process_of_its_own_does_the_same(tmp_path: Path) -> None:
    one = subject(tmp_path)
    bench = ProcessBench("numpy", Model(one), 1)
    try:
        begun = bench.start()
        assert begun.outputs["prob"].shape == (1, 5)
        assert bench.once() > 0
        assert (bench.peak_bytes() or 1) > 0
        times = bench.layer_times(1)
        assert times is not None
        assert len(times.seconds) + sum(len(group) - 1 for group in times.groups) == len(one.net().nodes)
    finally:
        bench.close()
    with pytest.raises(NetcountError):
        bench.once()


def test_the_most_memory_does_not_fall() -> None:
    before = peak_bytes()
    assert before is None or 0 < before <= (peak_bytes() or 0)


def net(name: str, madds: int, depthwise: int = 0, moved: int = 0) -> TimedNet:
    return TimedNet(name, f"{name}.prototxt", 1, madds, depthwise, moved, random_weights=True)


def of(times: Mapping[str, list[float]], *nets: TimedNet) -> Timing:
    """A timing with these seconds: by engine, a net each."""
    runs = [
        Measured(index, engine, "1", (seconds,), 2**20, 0.0)
        for engine, row in times.items()
        for index, seconds in enumerate(row)
    ]
    return Timing(nets, tuple(runs), MACHINE, 1, 1, 0)


THREE = (net("thin", 100, 60, 900), net("thick", 400, 0, 800), net("old", 900, 0, 900))


def test_pairs_where_madds_mislead_are_found() -> None:
    mislead, kept = predictions(of({"a": [3.0, 2.0, 5.0], "b": [1.0, 2.0, 3.0]}, *THREE))
    assert (mislead.engine, mislead.nets, mislead.rank_correlation) == ("a", 3, 0.5)
    (pair,) = mislead.surprises
    assert (pair.fewer, pair.more, pair.madds_ratio, pair.time_ratio) == (0, 1, 0.25, 1.5)
    assert (kept.rank_correlation, kept.surprises) == (1.0, ())
    assert predictions(of({"a": [1.0]}, THREE[0])) == []


def test_the_report_explains_a_pair() -> None:
    text = plain(timing_report(of({"a": [3.0, 2.0, 5.0]}, *THREE)))
    assert (
        "a: thin has 0.25 times the madds of thick and took 1.50 times as long: "
        "depthwise 60.00% against 0.00%, 9.00 against 2.00 bytes a madd" in text
    )
    assert "busy" not in text
    busy = of({"a": [1.0]}, THREE[0])._replace(machine=MACHINE._replace(load=3.0))
    assert "the machine was busy" in plain(timing_report(busy))


def test_a_net_without_madds_has_no_bytes_a_madd() -> None:
    answer = of({"a": [3.0, 2.0]}, net("pools", 0, 0, 700), net("thick", 400, 0, 800))
    document: Any = valid(json.loads(json.dumps(timing_document(answer))), "time")
    assert [one["bytes_per_madd"] for one in document["nets"]] == [None, 2.0]
    text = plain(timing_report(answer))
    assert "took 1.50 times as long\n" in text, "no reason is known"
    rows = [line.split() for line in text.splitlines()]
    assert ["pools", "0", "-"] in [[*row[:2], row[-1]] for row in rows if row]


def test_other_outputs_are_told() -> None:
    answer = of({"a": [1.0]}, THREE[0])
    (one,) = answer.runs
    for off, agrees in ((0.5, False), (float("inf"), False), (float("nan"), False), (1e-6, True), (None, None)):
        told = answer._replace(runs=(one._replace(difference=off),))
        assert ("OTHER OUTPUTS" in plain(timing_report(told))) == (agrees is False)
        assert json.loads(json.dumps(timing_document(told), allow_nan=False))["runs"][0]["agrees"] == agrees


def test_a_plot_shows_names_as_they_are() -> None:
    pytest.importorskip("matplotlib")
    svg = time_plot(of({"a": [1.0, 2.0]}, net("$x$", 5), net("<b>", 7)), "x.svg")
    assert svg.startswith(b"<?xml")
    with pytest.raises(InputError, match=r"\.png, \.svg or \.pdf"):
        time_plot(of({"a": [1.0]}, THREE[0]), "x.gif")


def test_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "net.prototxt"
    file.write_text(NET, encoding="utf-8")
    ask = ["time", str(file), "--engine", "numpy", "--rounds", "1", "--warm-up", "0"]
    done = run(*ask, "--layers", "--top", "2", "--format", "json")
    assert done.returncode == 0, done.stderr
    document = valid(json.loads(done.stdout), "time")
    assert (document["rounds"], document["warm_up"], document["threads"]) == (1, 0, 1)
    assert len(document["runs"][0]["layers"]) == 12
    shown = run(*ask, "--layers", "--top", "2").stdout
    assert "layer by layer" in shown
    assert len([line for line in shown.splitlines() if "Convolution" in line or "InnerProduct" in line]) <= 2
    assert run("time", str(file), "--engine", "numpi").returncode == 2
    assert run("time", str(tmp_path / "no.prototxt")).returncode == 2
    assert run(*ask, "-o", str(file)).returncode == 2
    assert file.read_text(encoding="utf-8") == NET
