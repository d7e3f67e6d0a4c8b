"""What once broke a promise, as its kind: a mark, an exponent, a view, a line that a log obeys."""

from __future__ import annotations

import gc
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import netcount
from netcount.analysis._support import regions
from netcount.analysis._support.liveness import usage
from netcount.analysis.count import count
from netcount.analysis.memory import memory
from netcount.budget.config import load
from netcount.core.errors import InputError, NetcountError
from netcount.core.globs import files_matching
from netcount.core.shape import Shape
from netcount.core.units import exact_quantity
from netcount.execute.executor import Executor
from netcount.execute.verify import verify
from netcount.graph.graph import Node
from netcount.report.memory import memory_document
from netcount.report.verification import document
from tests.acceptance.test_laws import inputs_for
from tests.cases import CASES, TOLD
from tests.command import Tool
from tests.fuzz import KINDS, questions, random_net, tried
from tests.helpers import conformance_cases, graph_of, inputs, net_of


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Tool:
    return Tool(tmp_path, monkeypatch, capsys)


def op(type: str, bottoms: str, tops: str, rest: str = "") -> str:
    lines = "".join(f' bottom: "{b}"' for b in bottoms.split()) + "".join(f' top: "{t}"' for t in tops.split())
    return f'layer {{ name: "{type}-{tops}" type: "{type}"{lines} {rest} }}\n'


# ------------------------------------------------------------------------------- comparisons and shapes


def test_a_mark_of_the_upgrade_is_no_field_to_compare(tool: Tool) -> None:
    short = 'input: "data" input: "b" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8\n'
    net = tool.write("a.prototxt", short + op("ReLU", "data", "y"))
    assert tool("compare", net, net).code == 0
    assert tool("check", net, "--max-params", "1").code == 0
    assert tool("check", net, "--max-params", "1", "--baseline", "b.json", "--update-baseline").code == 0


def shapes_near(shapes: list[Shape]) -> Iterator[list[Shape]]:
    """The same shapes, one of them with fewer axes, more axes, or an axis of 0 or 1; and all with fewer."""
    for index, shape in enumerate(shapes):
        others = [Shape(shape[:axes]) for axes in range(len(shape))] + [Shape((*shape, 2))]
        others += [shape.replaced(axis, extent) for axis in range(len(shape)) for extent in (0, 1)]
        for other in others:
            yield [*shapes[:index], other, *shapes[index + 1 :]]
    for axes in range(max(map(len, shapes), default=0)):
        yield [Shape(shape[:axes]) for shape in shapes]


@pytest.mark.parametrize("key", sorted(CASES))
def test_who_accepts_a_shape_answers_every_question_about_it(key: str) -> None:
    net = netcount.loads(CASES[key], batch="net", input_shapes=TOLD.get(key, {}))
    layer = net.nodes[-1].layer
    for bottoms in shapes_near(net.nodes[-1].bottom_shapes):
        try:
            tops = layer.infer(bottoms)
        except NetcountError:
            continue
        layer.blobs(bottoms)
        layer.ops(bottoms, tops)
        layer.products(bottoms, tops)
        layer.working_memory(bottoms, tops)
        layer.window(bottoms)
        layer.indices(bottoms)
        layer.data_dependent(bottoms)


def test_a_blob_of_two_axes_is_resized_as_one_of_four() -> None:
    net = net_of(inputs(x=(2, 10)) + op("Interp", "x", "y", "interp_param { zoom_factor: 3 shrink_factor: 2 }"))
    assert verify(graph_of(net)).agrees


def test_a_number_has_no_axes_to_permute() -> None:
    net = net_of(inputs(x=(2, 8)) + op("Reduction", "x", "s") + op("Permute", "s", "y", "permute_param { }"))
    found = verify(graph_of(net))
    assert found.agrees
    assert found.outputs["y"].shape == ()


# ----------------------------------------------------------------------------------------------- peaks


def all_nets() -> Iterator[tuple[str, netcount.Net]]:
    for key, text in CASES.items():
        yield key, netcount.loads(text, batch="net", input_shapes=TOLD.get(key, {}))
    for case in conformance_cases():
        if case["verdict"] == "accepted" and case["caffe"] == "BVLC":
            yield "", netcount.loads(case["prototxt"], batch="net")


def test_what_is_announced_is_what_is_measured() -> None:
    agreeing = 0
    for key, net in all_nets():
        if any(node.layer.data_dependent(node.bottom_shapes) for node in net.nodes) or not net.nodes:
            continue
        executor = Executor(graph_of(net))
        try:
            executor.run(inputs_for(key, net))
        except InputError:  # its data lie outside the file
            continue
        measured = [step.live_bytes for step in executor.steps]
        assert measured == [4 * live for live in usage(graph_of(net), in_place=True)], net.nodes[-1].type
        agreeing += 1
    assert agreeing > 200


PEAKS = {
    "an order that moves nothing": (inputs(x=(2, 6, 3, 4)) + op("Permute", "x", "y", "permute_param { }"), 144),
    "one bottom": (inputs(x=(2, 6, 3, 4)) + op("Concat", "x", "y"), 144),
    "one top": (inputs(x=(2, 6, 3, 4)) + op("Slice", "x", "y"), 144),
    "in place on what another name still holds": (
        inputs(x=(3, 2, 4, 4))
        + op("ReLU", "x", "x")
        + op("Split", "x", "a")
        + op("ReLU", "a", "a")
        + op("Split", "a", "b")
        + op("ReLU", "x", "y"),
        3 * 96,
    ),
    "in place on what only gave its shape": (
        inputs(x=(2, 6, 3, 4), i=(1, 3, 8, 8)) + op("PriorBox", "x i", "x", "prior_box_param { min_size: 3 }"),
        192,
    ),
    "in place by what is smaller": (
        inputs(x=(2, 6, 3, 4)) + op("InnerProduct", "x", "x", "inner_product_param { num_output: 2 }"),
        144,
    ),
    "in place on what nobody else holds": (
        inputs(x=(3, 2, 4, 4)) + op("Split", "x", "a") + op("ReLU", "a", "a") + op("Sigmoid", "a", "y"),
        2 * 96,
    ),
}


@pytest.mark.parametrize("name", PEAKS)
def test_memory_and_verify_give_one_peak(name: str) -> None:
    text, elements = PEAKS[name]
    net = net_of(text)
    told, measured = memory_document(memory(count(graph_of(net))))["peak"], document(verify(graph_of(net)))["peak"]
    assert told["bytes"] == measured["bytes"] == 4 * elements
    assert told["layer"] == measured["layer"]
    assert told["line"] == measured["line"]
    assert told["alive"] == measured["alive"]
    assert sum(blob["bytes"] for blob in measured["alive"]) == 4 * elements


# ------------------------------------------------------------------------------- time, by counting steps


def test_a_reader_of_one_blob_many_times_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from netcount.layers.shape.concat import Concat

    asked: list[int] = []

    def indices(self: Concat, bottoms: object) -> dict[int, int]:
        asked.append(1)
        return {}

    monkeypatch.setattr(Concat, "indices", indices)
    verify(graph_of(net_of(inputs(x=(1, 4)) + op("Concat", "x " * 500, "y"))))
    assert len(asked) == 1


def test_a_long_chain_of_views_is_followed_to_its_end() -> None:
    chain = "".join(op("Flatten", f"b{i}", f"b{i + 1}") for i in range(3000))
    net = net_of(inputs(b0=(3, 5)) + chain + inputs(label=(3,)) + op("SoftmaxWithLoss", "b3000 label", "loss"))
    assert verify(graph_of(net)).agrees


@pytest.mark.parametrize("flip", [False, True])
def test_ratios_nearer_than_a_millionth_are_one(flip: bool) -> None:
    def boxes(*ratios: float) -> int:
        text = " ".join(f"aspect_ratio: {ratio!r}" for ratio in ratios)
        param = f"prior_box_param {{ min_size: 8 flip: {str(flip).lower()} {text} }}"
        net = net_of(inputs(x=(1, 2, 1, 1), i=(1, 3, 8, 8)) + op("PriorBox", "x i", "y", param))
        return net.nodes[-1].tops[0].shape[2] // 4

    each = 2 if flip else 1
    assert boxes(2.0) == 1 + each
    assert boxes(1.0) == boxes(1 + 9e-7) == boxes(1 - 9e-7) == 1
    assert boxes(2.0, 2.0000009, 1.9999991) == 1 + each
    assert boxes(2.0, 2.0000019, 1.9999981) == 1 + 3 * each
    assert boxes(2.0, 0.5) == (3 if not flip else 1 + each)
    assert boxes(*(1 + number / 1000 for number in range(1, 20_001))) == 1 + each * 20_000


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("(a+)+$", "takes more than 1 s"),
        ("a{1,4294967296}", "not a regular expression"),
        ("(" * 1000 + ")" * 1000, "not a regular expression"),
        ("(", "not a regular expression"),
        ("(a|", "not a regular expression"),
    ],
)
def test_a_pattern_takes_a_second_or_is_refused(pattern: str, told: str) -> None:
    net = net_of(inputs(x=(1, 2)) + f'layer {{ name: "{"a" * 60}!" type: "ReLU" bottom: "x" top: "y" }}')
    with pytest.raises(InputError, match=told):
        net.analyze().blocks(pattern)


def test_a_pattern_finds_the_same_in_this_process_and_in_its_own() -> None:
    text = inputs(x=(1, 2))
    for block in ("one", "two"):
        for part in ("a", "b"):
            text += op("InnerProduct", "x", f"{block}-{part}", "inner_product_param { num_output: 2 }")
    analysis = net_of(text).analyze()
    assert [block.name for block in analysis.blocks("(one)-")] == ["one"]
    assert [block.name for block in analysis.blocks("(one|two)-")] == ["one", "two"]
    assert [block.name for block in analysis.blocks("(?:x(y))?(one|two)-[ab]")] == ["one", "two"]


def test_what_a_pattern_is_matched_in_imports_nothing_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json", "re", "types", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("open('executed', 'w')\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    net_of(inputs(x=(1, 2)) + op("ReLU", "x", "y")).analyze().blocks("(a|b)+")
    assert not (tmp_path / "executed").exists()


CONFIGURATIONS = {
    "dotted": "a." * 5000 + "a = 1\n",
    "dotted head": "[" + "a." * 5000 + "a]\n",
    "dotted inside": "x = { " + "a . " * 5000 + "a = 1 }\n",
    "nested": "x = " + "[" * 5000 + "]" * 5000 + "\n",
    "open": "x = " + '"\\' * 5000,
    "large": "#" * 2**20,
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_that_would_take_long_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "netcount.toml"
    path.write_text(CONFIGURATIONS[name], encoding="utf-8")
    with pytest.raises(InputError):
        load(path)


def test_dots_in_texts_and_numbers_are_no_dotted_key(tmp_path: Path) -> None:
    (tmp_path / "a.prototxt").touch()
    path = tmp_path / "netcount.toml"
    path.write_text(
        '\ufeff# a.a.a.a.a.a.a.a.a.a\n[[net]]\npath = ["a.prototxt", "./a.prototxt"]\nmax_params = 1\n'
        'name = """a.a.a.a.a\n.a.a.a.a.a.a"""\n',
        encoding="utf-8",
    )
    assert len(load(path).nets) == 1


def test_a_number_of_many_digits_is_none() -> None:
    for text in ("1" * 500_000 + "x", "1" * 500_000, "1_" * 250_000):
        with pytest.raises(ValueError, match="not a number"):
            exact_quantity(text)


def test_a_glob_looks_through_each_folder_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path.joinpath(*["d"] * 30)
    deep.mkdir(parents=True)
    (deep / "a.prototxt").touch()
    looked: list[object] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: looked.append(path) or scandir(path))
    assert files_matching("**/" * 12 + "*.prototxt", tmp_path) == [str(Path(*["d"] * 30, "a.prototxt"))]
    assert len(looked) == 31


def test_a_glob_finds_what_pythons_finds(tmp_path: Path) -> None:
    names = ["x", "a/x", "a/b/c/x", ".h/x", "a/.h/x", "a/b/.x", "b/a/b/a/y", "b/[z]/x", "b/b"]
    for name in names:
        path = tmp_path / f"{name}.p"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    from glob import glob

    patterns = [
        "*.p", "**/*.p", "**", "a/**", "a/**/x.p", "*/*.p", "**/a/**/*.p", "a/../*.p", ".h/*", "**/.h/*",
        "b/[[]z]/*", "x.p", "a/b/.*", "**/**/x*", "none/*", "?.p", "**/*", "a", "[!x].p",
        str(tmp_path / "*" / "x.p"),
    ]  # fmt: skip
    for pattern in patterns:
        found = glob(pattern, root_dir=tmp_path, recursive=True)
        files = {os.path.normpath(name) for name in found if (tmp_path / name).is_file()}
        assert {os.path.normpath(name) for name in files_matching(pattern, tmp_path)} == files, pattern


def test_links_that_go_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.p").touch()
    try:
        (tmp_path / "a" / "up").symlink_to("..", target_is_directory=True)
        (tmp_path / "b").symlink_to("a", target_is_directory=True)
    except OSError:
        pytest.skip("this system makes no links")
    assert str(Path("a", "x.p")) in files_matching("**/*.p", tmp_path)
    assert files_matching("b/*.p", tmp_path) == [str(Path("b", "x.p"))]


# ----------------------------------------------------------------------------------- outputs and memory


def test_no_line_of_junit_begins_with_what_a_name_holds(tool: Tool) -> None:
    tool.net(layer="x\\n::error file=evil,title=pwn::obeyed")
    ran = tool("check", "a.prototxt", "--max-params", "1", "-f", "junit")
    assert ran.code == 1
    assert "obeyed" in ran.out
    assert not [line for line in ran.out.splitlines() if line.startswith("::")]
    assert "\\n::error" in ran.out


@pytest.mark.parametrize("name", ["=1+1", " =1+1", "＝1+1", "\\t+1", "　＠x", "﹣1"])
def test_no_cell_is_a_formula(tool: Tool, name: str) -> None:
    tool.net(layer=name)
    (record,) = [line for line in tool("analyze", "a.prototxt", "-f", "csv").out.splitlines() if "Conv" in line]
    assert record[0] in "'\"\\"
    assert record.lstrip('"')[0] in "'\\"


def test_nets_that_nobody_keeps_are_let_go() -> None:
    layer = op("Convolution", "x", "y", "convolution_param { num_output: 4 kernel_size: 3 }")
    text = inputs(x=(1, 3, 8, 8)) + layer
    broken = text.replace("num_output: 4", "num_output: 0")
    gc.collect()
    before = len(gc.get_objects())
    for number in range(6000):
        try:
            netcount.loads(broken if number % 2 else text).analyze()
        except InputError:
            continue
    assert len(gc.get_objects()) - before < 350_000


def test_many_layers_of_other_names_are_paired_in_their_order() -> None:
    before, after = (
        netcount.loads(inputs(x=(1, 2)) + "".join(op("ReLU", "x", f"{name}{number}") for number in range(1500)))
        for name in ("a", "b")
    )
    (changes,) = netcount.compare(before, after).changes
    assert {change.kind for change in changes} == {"renamed"}
    pairs = {(change.before.name, change.after.name) for change in changes if change.before and change.after}
    assert pairs == {(f"ReLU-a{number}", f"ReLU-b{number}") for number in range(1500)}


def test_joins_that_close_nothing_are_not_searched_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    value_bottoms = Node.value_bottoms.fget
    assert value_bottoms is not None
    monkeypatch.setattr(regions, "MOST_IN_VAIN", 1000)
    net = net_of(inputs(x0=(1, 2)) + "".join(op("Eltwise", f"x{i} x0", f"x{i + 1}") for i in range(600)))
    monkeypatch.setattr(Node, "value_bottoms", property(lambda node: asked.append(1) or value_bottoms(node)))
    assert regions.regions(graph_of(net)) == []
    assert len(asked) < 3000


# -------------------------------------------------------------------------------- what the fuzz once found

FOUND = {
    "CTCGreedyDecoder": inputs(b0=(6, 2, 5, 5), b1=(3, 5, 6, 1)) + op("CTCGreedyDecoder", "b0 b1 b0", "a b c"),
    "TripletSelectLayer": inputs(b=(5, 8, 4, 3))
    + op(
        "Python",
        "b b",
        "x y z",
        'python_param { module: "tripletselectlayer" layer: "TripletSelectLayer" param_str: "" }',
    ),
    "BoxOutput of few channels": inputs(b=(5, 3, 9, 11))
    + op("BoxOutput", "b", "y", "box_output_param { field_w: 40 field_h: 30 downsample_rate: 8 }"),
    "BoxOutput of other images": inputs(b=(5, 6, 2, 3), c=(6, 6, 2, 3))
    + op(
        "BoxOutput",
        "b c",
        "y",
        "box_output_param { field_w: [40, 9] field_h: [30, 9] downsample_rate: [8, 9] }",
    ),
    "BoxGroupOutput": inputs(b=(5, 9, 8, 8), c=(5, 4, 8, 8))
    + op(
        "BoxGroupOutput",
        "b c",
        "y",
        "box_group_output_param { box_group_param { field_w: [40, 80] field_h: [30, 60] stride: 8 } }",
    ),
    "PoolingND of many dilations": inputs(b=(3, 5, 9, 8))
    + op("PoolingND", "b", "y", "pooling_param { kernel_size: 2 dilation: [1, 2, 1] }"),
    "PoolingND": inputs(b=(3, 5, 2, 8))
    + op("PoolingND", "b", "y m", "pooling_param { kernel_size: 1 stride: 2 pad: 2 dilation: 2 }"),
}
"""Nets that were accepted and then could not be run, or ran otherwise."""


@pytest.mark.parametrize("name", FOUND)
def test_what_cannot_be_run_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        net_of(FOUND[name])


RUNNING = {
    "BoxOutput of two axes": inputs(b=(5, 6))
    + op("BoxOutput", "b", "y", "box_output_param { field_w: 40 field_h: 30 downsample_rate: 8 }"),
    "BoxGroupOutput of two axes": inputs(b=(6, 4))
    + op(
        "BoxGroupOutput",
        "b b",
        "y",
        "box_group_output_param { box_group_param { field_w: [40, 80] field_h: [30, 60] stride: 8 } }",
    ),
    "LpqLoss of one axis": inputs(b=(3,))
    + op("LpqLoss", "b b", "y", "lpq_loss_param { p: 2 q: 0.4 l2_prescale_by_channels: true }"),
    "PriorBoxClustered of a number": inputs(b=(), i=(1, 3, 8, 8))
    + op("PriorBoxClustered", "b i", "y", "prior_box_param { width: 4 height: 7 }"),
}


@pytest.mark.parametrize("name", RUNNING)
def test_what_is_accepted_runs_as_inferred(name: str) -> None:
    assert verify(graph_of(net_of(RUNNING[name]))).agrees


@pytest.mark.parametrize("kind", KINDS)
def test_the_fuzz_finds_nothing_in_its_first_inputs(kind: str) -> None:
    for number in range(300):
        text, problem = tried(kind, 0, number, most_seconds=None)
        assert not problem, f"{problem}\n{text}"


def test_the_fuzz_makes_the_same_inputs_again_and_many_that_are_accepted() -> None:
    texts = [random_net(random.Random(f"nets 0 {number}")) for number in range(300)]
    assert texts == [random_net(random.Random(f"nets 0 {number}")) for number in range(300)]
    assert sum(questions(text) is not None for text in texts) > 15
