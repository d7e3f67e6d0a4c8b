"""One block of memory for a run: what lies in it together, how large it is, and that nets run inside it."""

from __future__ import annotations

import json
from itertools import combinations

import numpy as np
import pytest
from click.testing import CliRunner

import netcount
from netcount.analysis.arena import ALIGN, Arena, ArenaBuffer, _gap, arena
from netcount.analysis.count import count
from netcount.cli.main import netcount as command
from netcount.core.errors import InputError
from netcount.execute.arena_store import ArenaExecutor
from netcount.execute.executor import Executor
from netcount.report.formats.plot import arena_plot
from tests.analysis.test_memory import ALL_SAMPLES, CONV, op, sample
from tests.cases import CASES
from tests.helpers import graph_of, inputs, net_of, valid

BRANCHES = (
    inputs(x=(1, 2, 5, 7))
    + op("Convolution", "x", "c", CONV.format(3, 3))
    + op("ReLU", "c", "c")
    + op("Convolution", "c", "d", CONV.format(4, 1))
    + op("Convolution", "c", "e", CONV.format(5, 1))
    + op("Concat", "d e", "j")
    + op("Flatten", "j", "f")
    + op("InnerProduct", "f", "y", "inner_product_param { num_output: 6 }")
)


def planned(net: netcount.Net, bits: int = 32, align: int = ALIGN, scratch: bool = True) -> Arena:
    return arena(count(graph_of(net)), bits, align, scratch=scratch)


def test_a_plan_by_hand() -> None:
    plan = planned(net_of(BRANCHES), 8, 1)
    assert [(one.name, one.kind, one.first, one.last, one.bytes) for one in plan.buffers] == [
        ("x", "activations", 0, 1, 70),
        ("c", "activations", 1, 4, 45),
        ("d", "activations", 3, 5, 60),
        ("e", "activations", 4, 5, 75),
        ("j", "activations", 5, 7, 135),
        ("y", "activations", 7, 7, 6),
        ("Convolution-c", "scratch", 1, 1, 270),
    ]
    assert plan.buffers[1].blobs == ("c",)
    assert plan.buffers[4].blobs == ("j", "f")
    assert plan.bound_bytes == plan.peak_bytes == plan.total_bytes == 70 + 45 + 270
    assert plan.homes == (0, 1, 1, 2, 3, 4, 4, 5)
    assert plan.scratch == (None, 6, None, None, None, None, None, None)


@pytest.mark.parametrize("name", ALL_SAMPLES)
@pytest.mark.parametrize("scratch", [False, True])
def test_nothing_lies_over_what_is_needed_at_the_same_time(name: str, scratch: bool) -> None:
    plan = planned(sample(name), 8, 64, scratch)
    for one, other in combinations(plan.buffers, 2):
        if one.meets(other):
            assert one.offset + one.bytes <= other.offset or other.offset + other.bytes <= one.offset
    assert all(one.offset % 64 == one.bytes % 64 == 0 for one in plan.buffers)
    assert plan.total_bytes == max(one.offset + one.bytes for one in plan.buffers)
    assert plan.total_bytes == min(plan.sizes.values())
    assert plan.peak_bytes <= plan.bound_bytes <= plan.total_bytes
    memory = sample(name).memory(8)
    assert plan.peak_bytes == (memory.working_bytes if scratch else memory.peak_bytes)


def test_the_smallest_gap_is_taken_that_holds_a_buffer() -> None:
    taken = [(0, 10), (30, 40), (35, 50), (62, 70)]
    assert [_gap(taken, size) for size in (12, 13, 20, 21)] == [50, 10, 10, 70]
    assert _gap([], 5) == 0


def runs(text: str, bits: int = 32) -> None:
    """The outputs inside the arena are those of a run outside, bit by bit."""
    net = netcount.loads(text, batch="net")
    expected = Executor(graph_of(net), fuse=False).run()
    outputs = ArenaExecutor(planned(net, bits)).run()
    assert outputs.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(outputs[name], array)


@pytest.mark.parametrize("bits", [8, 16, 32])
def test_a_net_runs_inside_its_arena(bits: int) -> None:
    runs(BRANCHES, bits)


SHAPES = (
    inputs(x=(2, 6, 9, 7), z=(2, 1, 5, 4))
    + op("Split", "x", "p q")
    + op("Sigmoid", "p", "p2")
    + op("Slice", "q", "u v", "slice_param { slice_point: 2 }")
    + op("Concat", "v u", "w")
    + op("Eltwise", "p2 w", "s")
    + op("ReLU", "s", "s")
    + op("Crop", "s z", "k", "crop_param { axis: 2 offset: 3 offset: 1 }")
    + op("Reshape", "k", "r", "reshape_param { shape { dim: 0 dim: -1 } }")
    + op("Dropout", "r", "t")
    + op("Scale", "t", "t", "scale_param { bias_term: true filler { type: 'gaussian' } }")
    + op("BatchNorm", "k", "b")
)


def test_what_shares_moves_and_outlives_its_shape_runs_too() -> None:
    runs(SHAPES)
    runs(SHAPES, 8)


def test_a_sample_runs_inside_its_arena() -> None:
    text = sample("squeezenet_v1.1").text
    runs(text.replace("227", "67"), 8)


def test_a_wrong_plan_shows_in_the_outputs() -> None:
    net = net_of(BRANCHES)
    plan = planned(net)
    there = plan.buffers[2].offset
    moved = [one._replace(offset=there) if one.name == "e" else one for one in plan.buffers]
    over = plan._replace(buffers=tuple(moved))
    expected = ArenaExecutor(plan).run()["y"]
    assert not np.array_equal(ArenaExecutor(over).run()["y"], expected)
    assert np.isfinite(expected).all()


def test_python_runs_it_and_refuses_what_has_no_whole_values() -> None:
    net = net_of(BRANCHES)
    np.testing.assert_array_equal(net.arena(8).run(seed=3)["y"], net.run(seed=3)["y"])
    with pytest.raises(InputError, match="plan for values of 6 bits"):
        net.arena(6).run()
    assert (net.arena(8, fits=512).fits, net.arena(8, fits=100).fits, net.arena().fits) == (True, False, None)


def test_what_depends_on_the_data_can_outgrow_its_plan() -> None:
    net = netcount.loads(CASES["YoloDetectionOutput"], batch="net")
    with pytest.raises(InputError, match="depends on the data"):
        net.arena().run()
    assert "planned for the shapes shown, though they depend on the data" in str(net.arena())


def test_the_document_says_where_a_layer_finds_its_blobs() -> None:
    done = CliRunner().invoke(command, ["memory", "-", "--arena", "--bits", "8", "-f", "json"], input=BRANCHES)
    document = valid(json.loads(done.stdout), "arena")
    (layer,) = [layer for layer in document["layers"] if layer["name"] == "Concat-j"]
    assert ([document["buffers"][i]["name"] for i in layer["bottoms"]], layer["scratch"]) == (["d", "e"], None)
    assert document["layers"][1]["scratch"] == 6
    assert document["total_bytes"] == 400, "385 in sizes of whole 16"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--fits", "400", "--bits", "8"], 0, "fits: 400 B"),
        (["--fits", "384", "--bits", "8"], 1, "does not fit: 400 B"),
        (["--no-scratch", "--align", "1", "--bits", "8"], 0, "the arena holds 270 bytes"),
        (["--weight-bits", "8"], 2, "--weight-bits: not with --arena"),
    ],
)
def test_the_command(arguments: list[str], code: int, said: str) -> None:
    done = CliRunner().invoke(command, ["memory", "-", "--arena", *arguments], input=BRANCHES)
    assert done.exit_code == code, done.output
    assert said in done.stdout + done.stderr


def test_the_picture_has_a_rectangle_for_each_buffer() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib (extra plot) is not installed")
    plan = planned(net_of(BRANCHES), 8)
    svg = arena_plot(plan, "arena.svg").decode()
    empty = arena_plot(plan._replace(buffers=()), "arena.svg").decode()
    assert svg.count("<path") - empty.count("<path") >= len(plan.buffers)
    assert isinstance(plan.buffers[0], ArenaBuffer)
