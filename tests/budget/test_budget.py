"""Limits held against counted nets: inclusive, exact, and told with what costs most."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import netcount
from netcount.analysis.compare import NetFacts, facts
from netcount.analysis.count import Count, count
from netcount.budget.baseline import baseline_text, read_baseline
from netcount.budget.budget import Budget, Checked, Finding, check, exit_code
from netcount.budget.limits import limits_of
from netcount.core.errors import InputError
from netcount.report.check import amounts, details, summary
from netcount.testing import assert_within
from tests.helpers import graph_of, inputs, net_of, valid

CONV = (
    'layer {{ name: "{0}" type: "Convolution" bottom: "{1}" top: "{0}"\n'
    "convolution_param {{ num_output: {2} kernel_size: {3} bias_term: false }} }}\n"
)


def text_of(outputs: int = 5) -> str:
    # x 1x2x9x11 -> a: 3x3, 4 outputs (7x9): 72 params, 4536 madds -> b: 1x1
    return inputs(x=(1, 2, 9, 11)) + CONV.format("a", "x", 4, 3) + CONV.format("b", "a", outputs, 1)


def counted(outputs: int = 5) -> Count:
    return count(graph_of(net_of(text_of(outputs))))


def findings(base: NetFacts | None = None, budget: dict[str, Any] | None = None, **limits: Any) -> list[Finding]:
    found = [limit for rule, value in limits.items() for limit in limits_of(rule, value)]
    return list(check(counted(), [Budget(tuple(found), **(budget or {}))], "net", base).findings)


VALUES = {
    "params": 92,
    "statistics": 0,
    "madds": 4536 + 1260,
    "cost": 4536 + 1260,
    "adds": 0,
    "activations": 2 * 9 * 11 + 4 * 63 + 5 * 63,
    "weight_bytes": 368,
    "peak_bytes": 4 * (4 * 63 + 5 * 63),
    "layers": 3,
    "largest_blob": 315,
    "layer_params": 72,
    "layer_madds": 4536,
}


@pytest.mark.parametrize(("figure", "value"), VALUES.items())
def test_limits_are_inclusive_on_both_sides(figure: str, value: int) -> None:
    (most,) = findings(**{f"max_{figure}": value})
    (least,) = findings(**{f"min_{figure}": value})
    assert (most.passed, least.passed, most.value) == (True, True, value)
    (above,) = findings(**{f"min_{figure}": value + 1})
    assert (above.passed, above.over) == (False, 1)
    if value:
        (below,) = findings(**{f"max_{figure}": value - 1})
        assert (below.passed, below.over) == (False, 1)


def test_weight_bytes_at_a_bit_width_are_rounded_up() -> None:
    for bits, held in ((8, 92), (4, 46), (3, 35), (1, 12)):
        (found,) = findings(budget={"weight_bits": bits}, max_weight_bytes=held)
        assert (found.value, found.passed) == (held, True)


def test_the_peak_is_told_at_a_bit_width_with_the_layers_that_make_it() -> None:
    (found,) = findings(budget={"activation_bits": 8}, max_peak_bytes="0.5 KiB")
    assert (found.value, found.bound, found.passed) == (4 * 63 + 5 * 63, 512, False)
    assert [(row.name, value) for row, value in found.rows] == [("b", 567), ("a", 450), ("x", 198)]
    (found,) = findings(facts(counted(4)), max_increase_peak_bytes="10%")
    assert (found.base, found.value, found.passed) == (4 * 8 * 63, 4 * 9 * 63, False)


def test_a_bound_between_whole_numbers_lets_nothing_past_it() -> None:
    bounds = {
        ("max_weight_bytes", "6.1 MiB"): 6_396_313,
        ("min_weight_bytes", "6.1 MiB"): 6_396_314,
        ("max_params", "0.0926k"): 92,
        ("max_params", "1,234.5k"): 1_234_500,
    }
    for (rule, text), bound in bounds.items():
        (limit,) = limits_of(rule, text)
        assert limit.bound == bound
    (grown,) = limits_of("max_increase_params", "0.0106k")
    assert grown.floor == 10


def test_a_share_is_exact() -> None:
    exact = Fraction(4536, 5796)
    (found,) = findings(max_share={"3x3": "78.26%"})
    assert (found.passed, found.value, found.over) == (False, exact, exact - Fraction(7826, 10_000))
    (found,) = findings(max_share={"3x3": "78.27%"})
    assert found.passed
    (found,) = findings(min_share_params={"1x1": "21%"})
    assert (found.passed, found.value) == (True, Fraction(20, 92))


def test_types() -> None:
    (found,) = findings(forbidden_types=["LRN"])
    assert found.passed
    (found,) = findings(forbidden_types=["Convolution"])
    assert (found.passed, [row.name for row, _ in found.rows]) == (False, ["a", "b"])
    (found,) = findings(allowed_types=["Input", "Pooling"])
    assert (found.value, [row.name for row, _ in found.rows]) == (2, ["a", "b"])


def test_layers_by_pattern_are_each_held() -> None:
    found = findings(budget={"layers": ("[ab]",)}, max_madds=2000)
    assert [(item.layer, item.value, item.passed) for item in found] == [("a", 4536, False), ("b", 1260, True)]
    (number,) = findings(budget={"layers": ("[ab]",)}, max_layers=1)
    assert (number.value, number.passed) == (2, False)


def test_the_dearest_layers_come_first_with_their_lines() -> None:
    (found,) = findings(max_madds=1)
    assert [(row.name, value) for row, value in found.rows] == [("a", 4536), ("b", 1260)]
    assert found.line == found.rows[0][0].line == 2


@pytest.mark.parametrize(
    ("limit", "passed"),
    [
        ("27.7%", False),  # 72 -> 92 params is 20 of 72, 27.78 %
        ("27.8%", True),
        (19, False),
        (20, True),
        ("1% and 19", False),
        ("1% and 20", True),
        ("28% and 1", True),
        ("27% and 19", False),
    ],
)
def test_an_increase_is_measured_from_the_base(limit: object, passed: bool) -> None:
    base = facts(counted(), "net")
    base = base._replace(totals={**base.totals, "params": 72})
    (found,) = findings(base, max_increase_params=limit)
    assert (found.passed, found.base) == (passed, 72)


def test_what_changed_since_the_baseline_is_told() -> None:
    base = facts(counted(3), "net")
    result = check(counted(), [Budget(tuple(limits_of("max_increase_params", "2%")))], "net", base)
    (found,) = result.findings
    assert [(change.kind, change.layer.name) for change in found.changes] == [("changed", "b")]
    said = "\n".join([summary(result, found), *details(result, found)])
    assert "params grew from 84 to 92, 9.52% of the baseline" in said
    assert "convolution_param.num_output 3 -> 5" in said


def test_what_moved_the_limited_figure_most_is_told_first() -> None:
    big = inputs(x=(1, 2, 9, 11)) + CONV.format("wide", "x", 4, 3)
    big += 'layer { name: "g" type: "Pooling" bottom: "wide" top: "g" pooling_param { global_pooling: true } }\n'
    text = (
        big
        + 'layer { name: "fc" type: "InnerProduct" bottom: "g" top: "fc" inner_product_param { num_output: N } }'
    )
    new_text = text.replace("N", "90").replace("num_output: 4", "num_output: 5")
    base, new = facts(count(graph_of(net_of(text.replace("N", "3")))), "net"), count(graph_of(net_of(new_text)))
    for rule, first in (("max_params", "fc"), ("max_weight_bytes", "fc"), ("max_madds", "wide")):
        result = check(new, [Budget(tuple(limits_of(rule, 1)))], "net", base)
        (found,) = result.findings
        assert found.changes[0].layer.name == first, rule
        assert len(found.changes) == 3
    new = count(graph_of(net_of(new_text.replace("\n", " "))))  # all layers on one line
    result = check(new, [Budget(tuple(limits_of("max_madds", 1)), layers=("[fw]*",))], "net", base)
    assert [[change.layer.name for change in item.changes] for item in result.findings] == [["wide"], ["fc"]]


def test_growth_from_nothing_has_no_percent() -> None:
    base = facts(counted(), "net")
    base = base._replace(totals={**base.totals, "params": 0})
    result = check(counted(), [Budget(tuple(limits_of("max_increase_params", "2% and 10")))], "net", base)
    said = summary(result, result.findings[0])
    assert said == "net: params grew from 0 to 92; max_increase_params is 2% and 10, exceeded by 82"


def test_a_share_of_a_limit_is_not_rounded_to_nothing() -> None:
    limit = tuple(limits_of("max_madds", 10**7))
    result = check(counted(), [Budget(limit)], "net")
    close = result._replace(findings=(result.findings[0]._replace(value=10**7 + 1, passed=False),))
    assert summary(close, close.findings[0]) == "net: madds 10,000,001 is over max_madds 10,000,000 by 1"


def test_a_baseline_of_another_question_is_refused() -> None:
    base = facts(counted(), "net")
    for other in (base._replace(phase="TRAIN"), base._replace(batch=7)):
        with pytest.raises(InputError, match="--update-baseline updates it"):
            findings(other, max_increase_madds="1%")
    with pytest.raises(InputError, match="--update-baseline adds it"):
        findings(None, max_increase_madds="1%")


def test_a_baseline_comes_back_as_it_was_written(tmp_path: Path) -> None:
    net = facts(count(graph_of(netcount.load(Path("prototxt_samples/squeezenet_v1.1.prototxt")))), "s")
    text = baseline_text({"s": net, "b": facts(counted(), "b")})
    valid(json.loads(text), "baseline")
    assert len(text.splitlines()) < 2 * len(net.layers)
    path = tmp_path / "base.json"
    path.write_text(text, encoding="utf-8")
    back = read_baseline(str(path))["s"]
    assert back.totals == net.totals
    assert [layer._replace(line=0) for layer in net.layers] == list(back.layers)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"schema": "other"}',
        '{"schema": "netcount/baseline/1"}',
        "[" * 100_000,
        '{"schema": "netcount/baseline/1", "nets": {"a": {"file": 1}}}',
        '{"x": ' + "9" * 5000 + "}",
    ],
)
def test_what_is_no_baseline_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "base.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"base\.json"):
        read_baseline(str(path))


def test_exact_numbers_where_rounded_ones_look_equal() -> None:
    assert amounts("madds", 1_300_001, 1_300_000) == ["1,300,001", "1,300,000"]
    assert amounts("madds", 1_300_000, 1_300_000) == ["1.30M", "1.30M"]
    assert amounts("weight_bytes", 2**20 + 1, 2**20) == ["1,048,577", "1,048,576"]


def test_the_code_of_several_nets() -> None:
    fine = check(counted(), [], "fine")
    over = check(counted(), [Budget(tuple(limits_of("max_params", 1)))], "over")
    warned = check(counted(), [Budget(tuple(limits_of("max_params", 1)), level="warn")], "warned")
    broken = Checked("broken", "x", error=InputError("no"))
    text = text_of() + 'layer { name: "f" type: "Foo" bottom: "b" top: "f" }'
    assumed = count(graph_of(net_of(text, assume={"Foo": "identity"})))
    incomplete = check(assumed, [], "incomplete")
    assert [exit_code([net]) for net in (fine, over, warned, broken, incomplete)] == [0, 1, 0, 2, 3]
    assert exit_code([incomplete, over]) == 1
    assert exit_code([over, broken]) == 2
    assert exit_code([check(assumed, [], allow_incomplete=True)]) == 0
    assert exit_code([]) == 0


def test_assert_within() -> None:
    net = net_of(text_of())
    assert_within(net, max_madds="5796", min_params=92)
    assert_within(net.analyze(), max_params="1k")
    with pytest.raises(AssertionError, match=r"madds 5\.80k is over max_madds 5\.00k by 796"):
        assert_within(net, max_madds="5k")
    with pytest.raises(TypeError, match='did you mean "max_params"'):
        assert_within(net, max_parms=1)
    with pytest.raises(TypeError, match="needs a limit"):
        assert_within(net)
    with pytest.raises(ValueError, match="max_params: "):
        assert_within(net, max_params="1Q")
    text = text_of() + 'layer { name: "f" type: "Foo" bottom: "b" top: "f" }'
    assumed = net_of(text, assume={"Foo": "identity"})
    with pytest.raises(AssertionError, match="incomplete"):
        assert_within(assumed, max_params="1k")
    assert_within(assumed, max_params="1k", allow_incomplete=True)
