"""Two timings beside each other: what is the same net, and what is said of either machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from netcount.core.errors import InputError
from netcount.engines.between import compare_timings, read_and_compare
from netcount.engines.recorded import read_timing
from netcount.report.formats.layout import plain
from netcount.report.times import times_csv, times_document, times_report
from netcount.report.timing import timing_document
from tests.command import run
from tests.engines.test_timing import MACHINE, THREE, of
from tests.helpers import ROOT, valid

DATA = ROOT / "tests" / "data"
A, B = str(DATA / "time_a.json"), str(DATA / "time_b.json")


def test_what_time_writes_is_read_again(tmp_path: Path) -> None:
    written = of({"a": [3.0, 2.0, 5.0], "b": [1.0, 2.0, 4.0]}, *THREE)
    path = tmp_path / "a.json"
    path.write_text(json.dumps(timing_document(written)), encoding="utf-8")
    again = read_timing(str(path))
    assert again.machine == MACHINE
    assert again.nets == written.nets
    assert [run._replace(difference=0.0) for run in again.runs] == list(written.runs)


def test_nets_are_the_same_wherever_they_lie() -> None:
    moved = tuple(net._replace(file=f"elsewhere/{net.file}") for net in THREE)
    compared = compare_timings(of({"a": [1.0, 2.0, 4.0]}, *THREE), of({"a": [2.0, 4.0, 3.0]}, *reversed(moved)))
    assert [pair.ratio for pair in compared.pairs] == [3.0, 2.0, 0.5]
    (engine,) = compared.engines
    assert (engine.engine, engine.nets, engine.ratio, engine.rank_correlation) == (
        "a",
        3,
        pytest.approx(3 ** (1 / 3)),
        -0.5,
    )
    other = compare_timings(of({"a": [1.0]}, THREE[0]), of({"a": [1.0]}, THREE[0]._replace(madds=7)))
    assert [(pair.before is None, pair.after is None) for pair in other.pairs] == [(False, True), (True, False)]
    twice = compare_timings(of({"a": [1.0, 4.0]}, THREE[0], THREE[0]), of({"a": [2.0, 2.0]}, THREE[0], THREE[0]))
    assert [pair.ratio for pair in twice.pairs] == [2.0, 0.5]


def test_what_one_lacks_is_shown() -> None:
    after = of({"a": [2.0, 4.0], "b": [1.0]}, *THREE[:2])
    broken = after.runs[1]._replace(seconds=(), error="no words")
    after = after._replace(runs=(after.runs[0], broken, *after.runs[2:]), threads=4)
    compared = compare_timings(of({"a": [1.0, 2.0]}, *THREE[:2]), after, ("x", "y"))
    text = plain(times_report(compared))
    assert "B: thick in a: no words" in text
    assert "only in B" in text
    assert "not the same number of threads" in text
    document: Any = valid(json.loads(json.dumps(times_document(compared))), "times")
    assert [pair["ratio"] for pair in document["pairs"]] == [2.0, None, None]
    assert document["engines"] == [{"engine": "a", "nets": 1, "ratio": 2.0, "rank_correlation": None}]
    assert [record[-1] for record in times_csv(compared).records] == ["", "no words", ""]


def test_the_command_line(tmp_path: Path) -> None:
    done = run("compare", A, B, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert valid(json.loads(done.stdout), "times")["timings"][1]["file"] == B
    other = str(ROOT / "prototxt_samples" / "nin.prototxt")
    for files, said in (
        ((A, B, A), "two at a time"),
        ((A, other), f"{other}:1:1: not a timing: "),
        (("no.json", A), "cannot read no.json: No such file"),
    ):
        refused = run("compare", *files)
        assert refused.returncode == 2
        assert said in refused.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda d: d["runs"][0].update(net=9),
            r"complete timing: runs\[0\]\.net is 9, and there is no net of that index",
        ),
        (lambda d: d["runs"][0].update(seconds=[]), r"runs\[0\]\.seconds is empty, though there is no error"),
        (lambda d: d["runs"][0].update(seconds=["1"]), r'seconds\[0\] is "1", not 0 or a number from 1e-12'),
        (lambda d: d["runs"][0].update(seconds=[1e308]), r"runs\[0\]\.seconds\[0\] is 1e\+308, not 0 or a number"),
        (lambda d: d["nets"][0].update(madds=-1), r"nets\[0\]\.madds is -1, not a whole number"),
        (lambda d: d.pop("machine"), "machine is missing; netcount time -f json writes a new one"),
        (lambda d: d["machine"].update(load=True), r"machine\.load is true"),
        (lambda d: d.update(nets=3), "nets is 3, not a list"),
        (lambda d: d.update(schema="netcount/time/9"), 'its schema is "netcount/time/9", not "netcount/time/1"'),
    ],
)
def test_a_broken_document_is_one_error(change: Any, said: str, tmp_path: Path) -> None:
    document = json.loads(Path(A).read_text(encoding="utf-8"))
    change(document)
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_and_compare(A, str(path))
    path.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="not valid JSON"):
        read_and_compare(A, str(path))
