"""The table of figures: what each one is of a layer and of a net, and that everybody goes by the table."""

from __future__ import annotations

import pytest

import netcount
from netcount.analysis.compare import facts
from netcount.analysis.count import Count, count
from netcount.analysis.figures import COMPARED, FIGURES, KEPT, LAYER, MAIN, SHARES, SWEPT, NetFigures, sums_of
from netcount.analysis.memory import memory
from netcount.analysis.sweep import LIMITED
from netcount.budget.limits import rule_names
from netcount.core.opcount import OpCount
from netcount.report.columns import COLUMNS
from netcount.report.survey import KEYS
from tests.helpers import SAMPLES, graph_of, inputs, net_of

TEXT = inputs(x=(1, 2, 9, 11)) + (
    'layer { name: "a" type: "Convolution" bottom: "x" top: "a"\n'
    "convolution_param { num_output: 4 kernel_h: 3 kernel_w: 2 } }\n"
    'layer { name: "n" type: "BatchNorm" bottom: "a" top: "n" }\n'
    'layer { name: "r" type: "ReLU" bottom: "n" top: "n" }\n'
)
# a: 4 filters of 2·3·2, outputs 7×10; n: BatchNorm keeps 4 + 4 + 1
VALUES = {
    "params": (0, 4 * 12 + 4, 0, 0),
    "statistics": (0, 0, 9, 0),
    "madds": (0, 70 * 4 * 12, 0, 0),
    "cost": (0, 70 * 4 * 12, 0, 0),
    "activations": (2 * 99, 280, 280, 0),
    "weight_bytes": (0, 4 * 52, 4 * 9, 0),
}


def counted() -> Count:
    return count(graph_of(net_of(TEXT)))


@pytest.mark.parametrize("key", VALUES)
def test_a_figure_of_layers_and_their_sum(key: str) -> None:
    figure = FIGURES[key]
    assert tuple(figure.by_layer(counted())) == VALUES[key]
    assert figure.of(counted()) == sum(VALUES[key]) == NetFigures(counted())[key]


def test_figures_that_only_a_net_has() -> None:
    found = NetFigures(counted())
    assert found["layers"] == 4
    assert found["largest_blob"] == 280
    assert (found["layer_params"], found["layer_madds"]) == (52, 3360)
    assert found["peak_bytes"] == 4 * (280 + 280) == memory(counted()).peak_bytes
    assert list(FIGURES["peak_bytes"].by_layer(counted()))[:3] == [4 * 198, 4 * (198 + 280), 4 * 560]
    assert list(FIGURES["largest_blob"].by_layer(counted())) == [198, 280, 280, 280]
    assert not FIGURES["layers"].by_layer(counted())


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.prototxt")), ids=lambda path: path.stem)
def test_the_table_and_the_fast_sums_agree(path: str) -> None:
    """Count sums up what it always needs in one loop of its own."""
    found = count(graph_of(netcount.load(path)))
    sums, totals = sums_of(found.layers), found.totals
    for name, number in {**totals.ops._asdict(), **totals._asdict()}.items():
        if name != "ops":
            assert sums[name] == number == FIGURES[name].of(found), name


def test_bytes_at_other_widths_are_rounded_up() -> None:
    weights = FIGURES["weight_bytes"]
    assert [weights.at(4 * 61, bits) for bits in (64, 32, 8, 6, 1)] == [488, 244, 61, 46, 8]
    assert FIGURES["madds"].at(61, 8) == 61


def test_every_class_of_operation_is_a_figure() -> None:
    assert [figure.key for figure in LAYER if figure.is_op_class] == [n for n in OpCount._fields if n != "madds"]


def test_everybody_goes_by_the_table() -> None:
    assert {figure.key for figure in LAYER} | set(SHARES) <= set(COLUMNS)
    sides = {f"{side}_{key}" for side in ("max", "min") for key in (*FIGURES, *SHARES)}
    assert sides | {f"max_increase_{key}" for key in FIGURES} <= set(rule_names())
    assert set(facts(counted()).totals) == {figure.key for figure in COMPARED} == set(FIGURES)
    assert set(facts(counted()).layers[0].figures) == {figure.key for figure in KEPT}
    assert {figure.key for figure in MAIN} <= set(KEYS)
    assert tuple(figure.key for figure in SWEPT) == LIMITED


def test_a_figure_says_how_it_is_had() -> None:
    for figure in FIGURES.values():
        assert (figure.layer is not None) == (figure.whole == "sum"), figure.key
        assert (figure.net is None) == (figure.whole in ("sum", "together")), figure.key
        assert bool(figure.bits or figure.sum_of) == (figure.unit == "bytes"), figure.key
        assert not figure.moved_by or FIGURES[figure.moved_by] in KEPT, figure.key
