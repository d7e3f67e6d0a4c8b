"""Loading nets in Python, what a net tells, and which arguments are refused."""

from __future__ import annotations

import io
import pickle
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netcount
from netcount.cli.flags import OPTIONS
from netcount.core.errors import spelled
from tests.helpers import SAMPLES, inputs

TEXT = inputs(x=(2, 3, 9, 11)) + (
    'layer { name: "c" type: "Convolution" bottom: "x" top: "c"\n'
    "  convolution_param { num_output: 4 kernel_size: 3 } }\n"
    'layer { name: "only" type: "ReLU" bottom: "c" top: "c" include { phase: TRAIN } }\n'
    'layer { name: "f" type: "InnerProduct" bottom: "c" top: "f" inner_product_param { num_output: 5 } }\n'
)
V11 = SAMPLES / "squeezenet_v1.1.prototxt"


@pytest.fixture
def net() -> netcount.Net:
    return netcount.loads(TEXT)


def test_a_path_is_loaded_and_a_text_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "{odd}.prototxt"
    path.write_text(TEXT, encoding="utf-8")
    for source in (path, str(path)):
        found = netcount.load(source, phase="train", batch="net")
        assert (found.phase, found.batch, found.text, found.file) == ("TRAIN", 2, TEXT, str(path))
        assert [node.name for node in found.layers] == ["x", "c", "only", "f"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    assert netcount.load("-").file == "<stdin>"
    assert netcount.loads(TEXT).file == "<text>"


def test_a_text_in_place_of_a_path_is_told_where_to_go() -> None:
    with pytest.raises(netcount.InputError, match=r"^path: .*netcount\.loads") as refusal:
        netcount.load(TEXT)
    assert refusal.value.argument == "path"


def test_a_missing_file_is_both_errors() -> None:
    with pytest.raises(FileNotFoundError, match=r"cannot read no\.prototxt") as refusal:
        netcount.load("no.prototxt")
    error = refusal.value
    assert isinstance(error, netcount.MissingFileError)
    assert isinstance(error, netcount.InputError)
    copied = pickle.loads(pickle.dumps(error))
    assert (type(copied), str(copied), copied.errno) == (type(error), str(error), error.errno)


def test_what_a_net_tells(net: netcount.Net) -> None:
    assert repr(net) == "<Net '': 3 layers, TEST, batch 1>"
    assert (net.name, net.phase, net.batch, net.complete) == ("", "TEST", 1, True)
    assert [(blob.name, blob.shape) for blob in net.inputs] == [("x", (1, 3, 9, 11))]
    assert [(blob.name, blob.shape) for blob in net.outputs] == [("f", (1, 5))]
    assert net.layers is net.nodes
    assert net.layer("c").top_shapes == [(1, 4, 7, 9)]
    assert net.node("c") is net.layer("c")
    with pytest.raises(KeyError):
        net.layer("only")
    assert net.learnable() == 4 * 27 + 4 + 5 * 4 * 7 * 9 + 5
    assert not net.warnings
    assert not net.assumptions
    assert len(net.blobs) == 3
    for attribute in ("name", "phase", "complete", "layers"):
        with pytest.raises(AttributeError):
            setattr(net, attribute, None)
    with pytest.raises(AttributeError):
        net.other = 1  # type: ignore[attr-defined]


def test_a_net_travels(net: netcount.Net) -> None:
    copied = pickle.loads(pickle.dumps(net))
    assert copied.analyze().to_dict() == net.analyze().to_dict()


WRONG: list[tuple[str, str, dict[str, Any], str]] = [
    ("memory", "bits", {"bits": 0}, "from 1 to 64, not 0"),
    ("memory", "bits", {"bits": 65}, "from 1 to 64"),
    ("memory", "bits", {"bits": 8.5}, "whole number"),
    ("memory", "bits", {"bits": True}, "whole number"),
    ("memory", "weight_bits", {"weight_bits": "8"}, "whole number"),
    ("memory", "density", {"density": 1.5}, "a share above 0 and at most 1, not 1.5"),
    ("memory", "density", {"density": "0.5"}, "it is a number"),
    ("memory", "density", {"density": 10**400}, "it is a number"),
    ("memory", "weights", {"weights": 3}, "arrays by name"),
    ("memory", "fits", {"fits": 0}, "above 0"),
    ("memory", "fits", {"fits": "2 parsecs"}, "unknown unit"),
    ("memory", "fits_what", {"fits": 1, "fits_what": "weight"}, 'did you mean "weights"'),
    ("analyze", "convention", {"convention": "mads"}, 'did you mean "madds"'),
    ("analyze", "convention", {"convention": 3}, "a name or a netcount.Convention"),
    ("blocks", "pattern", {"pattern": "("}, "not a regular expression"),
    ("blocks", "pattern", {"pattern": 3}, "a regular expression, not 3"),
    ("explain", "name", {"name": 3}, "the name of a layer or block"),
    ("explain", "kind", {"name": "c", "kind": "layr"}, 'did you mean "layer"'),
    ("sweep", "widths", {"widths": ["x"]}, "such as 0.75"),
    ("sweep", "widths", {"widths": [0]}, "above 0 and at most 100, not 0"),
    ("sweep", "widths", {"widths": [101]}, "above 0 and at most 100"),
    ("sweep", "widths", {"widths": [float("nan")]}, "such as 0.75"),
    ("sweep", "widths", {"widths": [None]}, "such as 0.75"),
    ("sweep", "widths", {"widths": [True]}, "such as 0.75"),
    ("sweep", "resolutions", {"resolutions": ["1:2"]}, "N or HxW"),
    ("sweep", "resolutions", {"resolutions": [(1, 2, 3)]}, r"whole number or (height, width)"),
    ("sweep", "resolutions", {"resolutions": [(0, 2)]}, "below 2^31"),
    ("sweep", "resolutions", {"resolutions": [2.5]}, "whole number"),
    ("sweep", "limits", {"limits": {"mads": 1}}, "there is no limit on"),
    ("sweep", "limits", {"limits": {"madds": "1 parsec"}}, "unknown unit"),
    ("sweep", "limits", {"limits": {"madds": 1.5}}, '"100M"'),
    ("sweep", "limits", {"limits": ["madds"]}, "by figure"),
    ("sweep", "bits", {"bits": 0}, "from 1 to 64"),
    ("sweep", "multiple", {"multiple": 0}, "from 1 on"),
    ("sweep", "executor", {"executor": 2}, "concurrent.futures.Executor"),
    ("rescale", "width", {"width": -1}, "above 0"),
    ("rescale", "resolution", {"resolution": 2**31}, "below 2^31"),
    ("rescale", "keep", {"keep": "c"}, 'such as ["conv1"]'),
    ("rescale", "keep", {"keep": [3]}, "a name is a text"),
    ("rescale", "keep", {"keep": ["d"]}, "no convolution is called"),
    ("run", "inputs", {"inputs": [1]}, "arrays by name"),
    ("run", "weights", {"weights": 3}, "arrays by name"),
    ("run", "seed", {"seed": -1}, "from 0 on"),
    ("run", "keep", {"keep": ["d"]}, 'no blob "d"'),
    ("verify", "max_memory", {"max_memory": "x"}, "not a number"),
    ("compare", "path", {}, "no net to compare"),
]


@pytest.mark.parametrize(("method", "argument", "values", "said"), WRONG)
def test_a_wrong_value_names_its_argument(
    net: netcount.Net, method: str, argument: str, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(netcount.InputError) as refusal:
        getattr(net, method)(**values)
    if method != "compare":
        assert refusal.value.argument == argument
        assert str(refusal.value).startswith(f"{argument}: ")
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"batch": 2.5}, "batch: "),
        ({"level": "x"}, "level: "),
        ({"input_shapes": "1,3,8,8"}, "input_shapes: "),
        ({"phase": "DEPLOY"}, "phase: "),
    ],
)
def test_a_wrong_option_names_itself_wherever_it_is_given(arguments: dict[str, Any], said: str) -> None:
    for ask in (netcount.load, netcount.sweep, netcount.rescale):
        with pytest.raises(netcount.InputError, match=f"^{said}"):
            ask(V11, **arguments)
    with pytest.raises(netcount.InputError, match=f"^{said}"):
        netcount.survey([V11], **arguments)
    with pytest.raises(netcount.InputError, match="the net is read already"):
        netcount.rescale(netcount.load(V11), batch=2)


def test_other_wrong_arguments() -> None:
    for call, argument in [
        (lambda: netcount.load(3), "path"),  # type: ignore[arg-type]
        (lambda: netcount.load(b"x"), "path"),  # type: ignore[arg-type]
        (lambda: netcount.loads(V11), "text"),  # type: ignore[arg-type]
        (lambda: netcount.survey(3), "paths"),  # type: ignore[arg-type]
        (lambda: netcount.survey([3]), "paths"),  # type: ignore[list-item]
        (lambda: netcount.survey([V11], jobs=0), "jobs"),
        (lambda: netcount.survey([V11], executor="x"), "executor"),  # type: ignore[arg-type]
        (lambda: netcount.Executor(V11), "net"),  # type: ignore[arg-type]
        (lambda: netcount.write_caffemodel("x", V11, {}), "net"),  # type: ignore[arg-type]
        (lambda: netcount.loads(TEXT).compare(3), "path"),  # type: ignore[arg-type]
    ]:
        with pytest.raises(netcount.InputError) as refusal:
            call()
        assert refusal.value.argument == argument


def test_the_command_line_calls_it_by_its_flag(net: netcount.Net) -> None:
    with pytest.raises(netcount.InputError) as refusal:
        net.sweep(["x"])
    with spelled(OPTIONS):
        assert str(refusal.value).startswith("--width: a factor")


def test_widths_and_sizes_in_every_form(net: netcount.Net) -> None:
    ways: list[Any] = [0.5, "1/2", ".5", Fraction(1, 2), np.float64(0.5)]
    texts = {net.rescale(width=way).text for way in ways}
    assert len(texts) == 1
    sizes: list[Any] = ["18x22", (18, 22), [18, 22], (np.int64(18), 22), netcount.Resolution(18, 22)]
    shapes = {net.rescale(resolution=size).net.inputs[0].shape for size in sizes}
    assert shapes == {(1, 3, 18, 22)}
    assert net.rescale(resolution=18).net.inputs[0].shape == (1, 3, 18, 18)
    swept = net.sweep("1/2", netcount.Resolution(18, 22), limits={"madds": "1M", "weight_bytes": "2 MiB"})
    assert [(v.width, v.resolution) for v in swept.variants] == [("1/2", (18, 22))]
    assert swept.limits == {"madds": 10**6, "weight_bytes": 2 * 2**20}


def test_a_rescaled_net_can_be_asked_on(net: netcount.Net) -> None:
    made = net.rescale(width=0.5)
    assert made.before is net
    assert made.net.layer("c").top_shapes == [(1, 2, 7, 9)]
    assert made.net.rescale(width=2).text == TEXT
    given = netcount.loads(TEXT, input_shapes={"x": (1, 3, 12, 10)}).rescale(resolution=(20, 18))
    assert given.net.inputs[0].shape == (1, 3, 20, 18)
    assert given.net.rescale(width=0.5).net.inputs[0].shape == (1, 3, 20, 18)


def test_older_names_say_the_same() -> None:
    net = netcount.load(V11)
    analysis = net.analyze("flops")
    assert analysis.blocks().to_dict() == net.blocks(convention="flops").to_dict()
    assert analysis.explain("fire2").to_dict() == net.explain("fire2", convention="flops").to_dict()
    assert analysis.memory(8).to_dict() == net.memory(8).to_dict()
    assert netcount.sweep(V11, [0.5]) == net.sweep([0.5])
    v10 = SAMPLES / "squeezenet_v1.0.prototxt"
    assert netcount.compare(net, v10, "flops") == net.compare(v10, convention="flops")


def test_any_executor_counts_the_same(net: netcount.Net) -> None:
    asked: dict[str, Any] = {"widths": [1, 0.5, "1/9"], "resolutions": [(18, 22), 16], "limits": {"madds": "10k"}}
    here = net.sweep(**asked)
    seen: list[str] = []
    with ThreadPoolExecutor(2) as threads:
        assert net.sweep(**asked, executor=threads, on_variant=lambda variant: seen.append(variant.width)) == here
    assert seen == [variant.width for variant in here.variants]
    with ProcessPoolExecutor(1, get_context("spawn")) as processes:
        assert net.sweep(**asked, executor=processes) == here


def test_an_executor_of_ones_own_runs_a_public_net(net: netcount.Net, tmp_path: Path) -> None:
    executor = netcount.Executor(net, seed=3, keep=["c"])
    assert executor.run()["c"].shape == (1, 4, 7, 9)
    assert sum(step.madds for step in executor.steps) == net.analyze().totals.madds
    blobs = {"c": [np.ones((4, 3, 3, 3)), np.zeros(4)], "f": [np.ones((5, 252)), np.zeros(5)]}
    netcount.write_caffemodel(tmp_path / "x.caffemodel", net, blobs)
    given = {"x": np.ones((1, 3, 9, 11))}
    assert (net.run(given, weights=tmp_path / "x.caffemodel")["f"] == 27 * 252).all()
    assert net.verify(given, weights=str(tmp_path / "x.caffemodel"), max_memory="1 MiB").agrees
    with pytest.raises(netcount.LimitError, match="more than the"):
        net.verify(max_memory=1)
