"""What changed between nets: the layers that became others, and where a difference comes from."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import netcount
from netcount.analysis._support.record import record
from netcount.analysis.compare import LayerChange, NetFacts, changes, compared, facts
from netcount.analysis.count import count
from netcount.budget.baseline import baseline_text
from netcount.cli.main import run
from netcount.report.comparison import comparison_csv, comparison_document, report
from netcount.report.formats.layout import Table
from tests.helpers import SAMPLES, graph_of, inputs, net_of, valid

V10, V11 = SAMPLES / "squeezenet_v1.0.prototxt", SAMPLES / "squeezenet_v1.1.prototxt"


def conv(name: str, bottom: str, outputs: int = 5, kernel: int = 3, more: str = "") -> str:
    return (
        f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}" {more}\n'
        f"convolution_param {{ num_output: {outputs} kernel_size: {kernel} }} }}\n"
    )


def relu(name: str, bottom: str) -> str:
    return f'layer {{ name: "{name}" type: "ReLU" bottom: "{bottom}" top: "{bottom}" }}\n'


def net(*layers: str, x: tuple[int, ...] = (1, 2, 9, 11)) -> NetFacts:
    return facts(count(graph_of(net_of(inputs(x=x) + "".join(layers)))))


def told(before: NetFacts, after: NetFacts) -> list[tuple[str, str]]:
    return [(change.kind, change.layer.name) for change in changes(before, after)]


def test_equal_nets_do_not_differ() -> None:
    one = net(conv("a", "x"), relu("r", "a"))
    assert told(one, one) == []
    learning = net(conv("a", "x", more="param { lr_mult: 2 }"), relu("r", "a"))
    assert told(one, learning) == []


def test_added_removed_and_changed_fields() -> None:
    before = net(conv("a", "x"), conv("b", "a", 4), conv("c", "b", 6, 1))
    after = net(conv("a", "x"), conv("b", "a", 7), conv("d", "b", 8, 1), conv("e", "d", 3, 2))
    found = changes(before, after)
    assert {(change.kind, change.layer.name) for change in found} == {
        ("changed", "b"),
        ("removed", "c"),
        ("added", "d"),
        ("added", "e"),
    }
    (changed,) = (change for change in found if change.kind == "changed")
    assert changed.fields == {"convolution_param.num_output": ("4", "7")}
    assert changed.delta("params") == 3 * (5 * 9 + 1)


def test_the_deltas_add_up_to_the_difference_of_the_totals() -> None:
    nets = [facts(count(graph_of(netcount.load(path)))) for path in sorted(SAMPLES.glob("*.prototxt"))]
    for before in nets[:4]:
        for after in nets:
            found = changes(before, after)
            for figure in ("params", "madds", "activations", "statistics", "cost"):
                delta = sum(change.delta(figure) for change in found)
                assert delta == after.totals[figure] - before.totals[figure]


def test_renamed_layers_are_known_again() -> None:
    before = net(conv("a", "x"), relu("r", "a"), conv("b", "a", 4), conv("c", "b", 4))
    after = net(conv("A", "x"), relu("R", "A"), conv("B", "A", 4), conv("C", "B", 4))
    found = changes(before, after)
    assert {change.kind for change in found} == {"renamed"}
    assert {(change.before.name, change.layer.name) for change in found if change.before} == {
        ("a", "A"),
        ("r", "R"),
        ("b", "B"),
        ("c", "C"),
    }


def test_another_input_makes_layers_resized() -> None:
    before = net(conv("a", "x"), conv("b", "a"))
    after = net(conv("a", "x"), conv("b", "a"), x=(1, 2, 13, 15))
    found = {change.layer.name: change for change in changes(before, after)}
    assert (found["a"].kind, found["b"].kind) == ("resized", "resized")
    assert found["a"].reshaped == ((1, 5, 7, 9), (1, 5, 11, 13))
    assert record(found["b"])["tops"] == "1x5x9x11"
    turned = net(conv("a", "x"), conv("b", "a"), x=(1, 2, 11, 9))  # nothing but the shapes differs
    assert told(before, turned) == [("changed", "x"), ("resized", "a"), ("resized", "b")]


def test_another_type_and_other_bottoms_are_fields() -> None:
    before = net(conv("a", "x"), relu("r", "a"), conv("b", "x"))
    after = net(
        conv("a", "x"),
        'layer { name: "r" type: "TanH" bottom: "a" top: "a" }',
        conv("b", "a"),
    )
    found: dict[str, LayerChange] = {change.layer.name: change for change in changes(before, after)}
    assert found["r"].fields == {"type": ("ReLU", "TanH")}
    assert found["b"].fields == {"bottoms": ("x", "r")}


def test_where_the_factor_between_the_squeezenets_comes_from() -> None:
    one, two = facts(count(graph_of(netcount.load(V10)))), facts(count(graph_of(netcount.load(V11))))
    first, *rest = changes(one, two)
    assert first.layer.name == "conv1"
    assert first.fields == {
        "convolution_param.num_output": ("96", "64"),
        "convolution_param.kernel_size": ("7", "3"),
    }
    assert first.delta("madds") == 27 * 64 * 113 * 113 - 147 * 96 * 111 * 111
    moved = {change.before.name: change.layer.name for change in rest if change.before}
    assert (moved["pool4"], moved["pool8"]) == ("pool3", "pool5")
    assert all(change.kind in ("resized", "changed") for change in rest)


def test_the_frame() -> None:
    frame = netcount.load(V10).compare(V11).to_frame()
    assert frame["madds_delta"].sum() == 387_747_520 - 832_667_936
    assert frame.attrs["after"]["params"] == 1_235_496
    assert list(netcount.compare(V10, V10).to_frame().columns) == list(frame.columns)


def test_what_people_see_of_the_squeezenets() -> None:
    one, two = facts(count(graph_of(netcount.load(V10)))), facts(count(graph_of(netcount.load(V11))))
    totals, _, _, layers, *_ = report(compared([one, two]))
    madds = next(row for row in totals.rows if row[0] == "madds")
    assert madds[1:] == ("832.67M", "387.75M", "-444.92M", "-53.43%", "÷2.15")
    fire4 = next(row for row in layers.rows if row[1] == "fire4/expand3x3")
    assert fire4[-1] == "55×55×128 -> 28×28×128"
    release = facts(count(graph_of(netcount.load(SAMPLES / "squeezenet_v1.0_release.prototxt"))))
    back, *_ = report(compared([two, release]))
    assert next(row[-1] for row in back.rows if row[0] == "madds") == "×2.22"


def test_of_nothing_there_is_no_percentage() -> None:
    one, two = (
        net(conv("a", "x")),
        net(conv("a", "x"), 'layer { name: "n" type: "BatchNorm" bottom: "a" top: "n" }'),
    )
    totals, *_ = report(compared([one, two]))
    assert isinstance(totals, Table)
    assert next(row for row in totals.rows if row[0] == "statistics")[1:] == ("0", "11", "+11", "-", "-")


def test_what_cannot_be_compared_is_said() -> None:
    one = net(conv("a", "x"))
    parts = report(compared([one, one._replace(label="b", phase="TRAIN", convention="flops")]))
    assert [part for part in parts if "warning" in str(part)] == [
        "warning: phase is TEST in the first net and TRAIN in b",
        "warning: convention is madds in the first net and flops in b",
    ]


def test_documents_are_exact() -> None:
    comparison = compared([net(conv("a", "x")), net(conv("a", "x", 6)), net(conv("b", "x", 7, 1))])
    document = valid(json.loads(json.dumps(comparison_document(comparison))), "compare")
    assert [len(found["changes"]) for found in document["differences"]] == [1, 4]
    (change,) = document["differences"][0]["changes"]
    assert change["fields"] == {"convolution_param.num_output": {"was": "5", "is": "6"}}
    assert (change["tops_was"], change["tops"]) == ([[1, 5, 7, 9]], [[1, 6, 7, 9]])
    assert (change["params_was"], change["params"], change["params_delta"]) == (95, 114, 19)
    lines = comparison_csv(comparison).splitlines()
    assert len(lines) == 1 + 2 + 5
    assert sum(line.split(",")[1] == "total" for line in lines) == 2


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["netcount", *arguments])
        with pytest.raises(SystemExit) as left:
            run()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return int(left.value.code or 0), out, err

    return call


@pytest.mark.parametrize("form", ["table", "csv", "markdown", "json"])
def test_the_command(tool: Any, form: str) -> None:
    code, out, err = tool("compare", str(V10), str(V11), str(V10), "--format", form)
    assert (code, err) == (0, "")
    assert "conv1" in out


def test_against_a_baseline(tool: Any, tmp_path: Path) -> None:
    one, two = facts(count(graph_of(netcount.load(V10))), "one"), facts(count(graph_of(netcount.load(V11))), "two")
    base = tmp_path / "base.json"
    base.write_text(baseline_text({"one": one, "two": two}), encoding="utf-8")
    code, out, _ = tool("compare", str(base), str(V11))  # the net of that file
    assert code == 0
    assert "the same layers" in out
    code, _, err = tool("compare", str(base), str(SAMPLES / "nin.prototxt"))
    assert code == 2
    assert "--net is one of one, two" in err
    code, out, _ = tool("compare", str(base), str(V11), "--net", "one", "--format", "json")
    direct = tool("compare", str(V10), str(V11), "--format", "json")[1]
    ours, theirs = (valid(json.loads(text), "compare")["differences"][0]["changes"] for text in (out, direct))
    assert [{**change, "line_was": 0} for change in theirs] == ours


def test_mistakes(tool: Any, tmp_path: Path) -> None:
    assert tool("compare", str(V10))[0] == 2
    assert tool("compare", str(V10), str(tmp_path / "none.prototxt"))[0] == 2
    hostile = tmp_path / "h.prototxt"
    hostile.write_text(inputs(x=(1, 2, 5, 7)) + conv("a\\033[31m", "x"), encoding="utf-8")
    for form in ("table", "csv", "markdown", "json"):
        code, out, err = tool("compare", str(V10), str(hostile), "-f", form)
        assert code == 0
        assert "\x1b" not in out + err
