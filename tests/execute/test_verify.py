"""`netcount verify`, weights and inputs from files, and OpenCV as a second judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netcount
from netcount.core.errors import InputError, LimitError
from netcount.core.shape import Shape
from netcount.execute.executor import Executor
from netcount.execute.init_weights import random_weights
from netcount.execute.inputs import Preparation, read_image, read_inputs
from netcount.execute.verify import BlobCheck, verify
from netcount.execute.weights import read_caffemodel, write_caffemodel
from netcount.layers.assumed import Assumed, Assumption
from netcount.prototxt.message import Message
from netcount.prototxt.protobuf import message_class
from tests.command import run
from tests.helpers import SAMPLES, graph_of, inputs, valid

NET = inputs(x=(1, 3, 8, 9)) + (
    'layer { name: "c" type: "Convolution" bottom: "x" top: "c" '
    "convolution_param { num_output: 4 kernel_size: 3 } }\n"
    'layer { name: "r" type: "ReLU" bottom: "c" top: "c" }\n'
    'layer { name: "f" type: "InnerProduct" bottom: "c" top: "f" inner_product_param { num_output: 5 } }\n'
)


@pytest.fixture
def net_file(tmp_path: Path) -> Path:
    path = tmp_path / "net.prototxt"
    path.write_text(NET)
    return path


def test_the_command_agrees_and_says_so(net_file: Path) -> None:
    done = run("verify", str(net_file))
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().splitlines()[-1].startswith("AGREES: 4 shapes and 5,376 madds")
    document = valid(json.loads(run("verify", str(net_file), "--format", "json").stdout), "verification")
    assert document["agrees"]
    assert [layer["madds_performed"] for layer in document["layers"]] == [0, 4536, 0, 840]
    assert sum(document["memory"][f"{part}_bytes"] for part in ("weight", "blob", "scratch")) == 9900
    assert document["needed_bytes"] == 9900
    for layer in document["layers"]:
        assert layer["gmacs_per_second"] * layer["seconds"] * 1e9 == pytest.approx(layer["madds_performed"])


def test_a_wrong_rule_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shape rule that is off by one, or a count that is too low, does not agree with the run."""
    from netcount.layers.convolution import convolution

    right = convolution.Convolution.infer
    monkeypatch.setattr(
        convolution.Convolution,
        "infer",
        lambda self, bottoms: [Shape((*top[:-1], top[-1] - 1)) for top in right(self, bottoms)],
    )
    net = netcount.loads(NET.split('layer { name: "f"')[0])
    assert not verify(graph_of(net)).agrees
    monkeypatch.undo()
    net = netcount.loads(NET)
    monkeypatch.setattr(convolution.Convolution, "ops", lambda self, bottoms, tops: netcount.OpCount(madds=1))
    found = verify(graph_of(net))
    assert not found.agrees
    assert [layer.name for layer in found.layers if not layer.agrees] == ["c"]


KEPT = inputs(x=(5, 3, 8, 9), keep=(5, 1)) + (
    'layer { name: "k" type: "Filter" bottom: "x" bottom: "keep" top: "k" }\n'
    'layer { name: "behind" type: "Convolution" bottom: "k" top: "behind" '
    "convolution_param { num_output: 4 kernel_size: 3 } }\n"
    'layer { name: "beside" type: "Pooling" bottom: "x" top: "beside" pooling_param { kernel_size: 2 } }\n'
)
"""The data decide how many images pass "k"; "beside" does not depend on it."""


def verified_kept() -> Any:
    keep = np.array([[1], [0], [1], [0], [0]], np.float32)
    return verify(graph_of(netcount.loads(KEPT, batch="net")), inputs={"keep": keep})


def test_behind_what_the_data_decide_the_rules_are_asked_anew() -> None:
    found = verified_kept()
    assert found.agrees
    layers = {layer.name: layer for layer in found.layers}
    (k,), (behind,), (beside,) = (layers[name].tops for name in ("k", "behind", "beside"))
    assert (k.inferred, k.executed, k.expected) == ((5, 3, 8, 9), (2, 3, 8, 9), None)
    assert (behind.inferred, behind.executed, behind.expected) == ((5, 4, 6, 7), (2, 4, 6, 7), (2, 4, 6, 7))
    assert layers["behind"].counted == layers["behind"].performed == 2 * 4 * 6 * 7 * 27
    assert [top.by_data for top in (k, behind, beside)] == [True, True, False]


@pytest.mark.parametrize("kind", ["Convolution", "Pooling"])
def test_a_wrong_rule_is_found_out_behind_and_beside_what_the_data_decide(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    cls: Any = netcount.CATALOGUE.get(kind)
    right = cls.infer
    monkeypatch.setattr(
        cls, "infer", lambda self, bottoms: [Shape((*top[:-1], top[-1] + 1)) for top in right(self, bottoms)]
    )
    found = verified_kept()
    name = {"Convolution": "behind", "Pooling": "beside"}[kind]
    assert name in [layer.name for layer in found.layers if not layer.agrees]


@pytest.mark.parametrize(("shape", "agrees"), [((2, 3, 7), False), ((1, 9, 9, 9), True)])
def test_data_decide_extents_and_not_the_number_of_axes(shape: tuple[int, ...], agrees: bool) -> None:
    assert BlobCheck("k", Shape((5, 3, 8, 9)), Shape(shape), None).agrees is agrees


def test_inputs_and_outputs_are_files(net_file: Path, tmp_path: Path) -> None:
    array = np.random.default_rng(3).standard_normal((1, 3, 8, 9), dtype=np.float32)
    np.save(tmp_path / "x.npy", array)
    np.savez(tmp_path / "x.npz", x=array)
    found = []
    for name in ("x.npy", "x.npz"):
        out = tmp_path / name.replace(".", "_")
        done = run(
            "verify", str(net_file), "--input", f"x={tmp_path / name}", "--save-outputs", str(out), "--seed", "4"
        )
        assert done.returncode == 0, done.stderr
        found.append(np.load(out / "f.npy"))
    assert (found[0] == found[1]).all()
    weights = random_weights(graph_of(netcount.loads(NET)), seed=4)
    expected = netcount.loads(NET).run({"x": array}, weights=weights)["f"]
    np.testing.assert_array_equal(found[0], expected)


def test_outputs_of_several_nets_do_not_overwrite_each_other(net_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.prototxt"
    other.write_text(NET.replace("num_output: 5", "num_output: 7"))
    done = run("verify", str(net_file), str(other), "--save-outputs", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    sizes = [np.load(path).size for path in sorted((tmp_path / "out").glob("*/f.npy"))]
    assert sizes == [5, 7]


def test_an_assumed_layer_makes_the_run_incomplete(tmp_path: Path) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(NET.replace('type: "ReLU"', 'type: "Unheard"'))
    done = run("verify", str(path), "--assume", "Unheard=identity")
    assert done.returncode == 3, done.stderr
    assert "incomplete" in done.stdout
    assert not json.loads(run("verify", str(path), "--assume", "Unheard=identity", "-f", "json").stdout)[
        "complete"
    ]


def test_the_limit_is_asked_before_weights_are_read(net_file: Path) -> None:
    done = run("verify", str(net_file), "--weights", "nowhere.caffemodel", "--max-memory", "1KiB")
    assert done.returncode == 2
    assert "a run needs" in done.stderr


def test_an_image_is_scaled_and_blue_comes_first(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (31, 17), (200, 100, 50)).save(tmp_path / "i.png")
    array = read_image(str(tmp_path / "i.png"), Shape((2, 3, 8, 9)), Preparation((10, 20, 30), 0.5))
    assert array.shape == (2, 3, 8, 9)
    assert array[1, :, 4, 5].tolist() == [20.0, 40.0, 85.0]
    grey = read_image(str(tmp_path / "i.png"), Shape((1, 1, 8, 9)), Preparation())
    assert 100 < grey[0, 0, 0, 0] < 130


@pytest.mark.parametrize(
    "arguments",
    [
        ["--input", "x=nowhere.npy"],
        ["--input", "nothing=x.npy"],
        ["--input", "x"],
        ["--weights", "nowhere.caffemodel"],
        ["--max-memory", "1 parsec"],
        ["--max-memory", "1 KiB"],
        ["--mean", "a,b"],
        ["--seed", "-1"],
        ["--input", "x=pyproject.toml", "--input", "x=pyproject.toml"],
    ],
)
def test_mistakes_are_exit_code_2(net_file: Path, arguments: list[str]) -> None:
    done = run("verify", str(net_file), *arguments)
    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr


def damaged_npz(folder: Path) -> bytes:
    np.savez(folder / "whole.npz", x=np.zeros((1, 3, 8, 9), np.float32))
    return (folder / "whole.npz").read_bytes()


def test_damaged_and_strange_arrays_are_refused_in_one_line(net_file: Path, tmp_path: Path) -> None:
    whole = damaged_npz(tmp_path)
    flipped = bytearray(whole)
    flipped[200] ^= 0xFF
    huge = b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999,), }".ljust(117) + b"\n"
    contents = {
        "cut.npz": whole[: len(whole) // 2],
        "flipped.npz": bytes(flipped),
        "huge.npy": b"\x93NUMPY\x01\x00v\x00" + huge,
        "empty.npy": b"",
        "cut.png": b"\x89PNG\r\n\x1a\n\x00\x00",
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    np.save(tmp_path / "complex.npy", np.zeros((1, 3, 8, 9), complex))
    np.save(tmp_path / "text.npy", np.full((1, 3, 8, 9), "1"))
    for name in (*contents, "complex.npy", "text.npy"):
        with pytest.raises(InputError, match=name):
            read_inputs([f"x={tmp_path / name}"], graph_of(netcount.loads(NET)), Preparation())


def test_an_npz_is_known_by_its_content_and_other_numbers_become_float32(tmp_path: Path) -> None:
    (tmp_path / "x.npy").write_bytes(damaged_npz(tmp_path))
    np.save(tmp_path / "bytes.npy", np.full((1, 3, 8, 9), 200, np.uint8))
    np.save(tmp_path / "large.npy", np.full((1, 3, 8, 9), 1e300))
    for name, value in (("x.npy", 0), ("bytes.npy", 200), ("large.npy", np.inf)):
        (array,) = read_inputs([f"x={tmp_path / name}"], graph_of(netcount.loads(NET)), Preparation()).values()
        assert array.dtype == np.float32
        assert (array == value).all()


def test_an_image_of_16_bits_is_not_cut_off_at_255(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("I;16", (9, 8), 3000).save(tmp_path / "deep.png")
    with pytest.raises(InputError, match="more than 8 bits"):
        read_image(str(tmp_path / "deep.png"), Shape((1, 1, 8, 9)), Preparation())


def test_wrong_inputs_are_refused() -> None:
    net = netcount.loads(NET)
    for given, message in (
        ({"x": np.zeros((1, 3, 8, 8))}, "1×3×8×8"),
        ({"y": np.zeros(3)}, "no such blob"),
        ({"f": np.zeros((1, 5))}, "computes that blob"),
    ):
        with pytest.raises(InputError, match=message):
            net.run(given)
    with pytest.raises(LimitError, match="KiB"):
        verify(graph_of(net), max_bytes=100)


def test_a_layer_says_itself_whether_its_tops_may_be_given() -> None:
    class Judged(Assumed):
        """Runs by itself, and takes the caller's top all the same."""

        type = "Judged"

        def __init__(self, message: Message, top_count: int, phase: str) -> None:
            super().__init__(message, top_count, phase, Assumption())

    class Computed(Judged):
        """Its top is its own affair."""

        type = "Computed"
        replaceable = False

    text = NET + 'layer { name: "j" type: "%s" bottom: "f" top: "j" }'
    given = {"j": np.full((1, 5), 7.0)}
    made = netcount.loads(text % "Judged", catalogue=netcount.CATALOGUE.with_(Judged))
    assert (made.run(given)["j"] == 7).all()
    with pytest.raises(InputError, match='"j" computes that blob'):
        netcount.loads(text % "Computed", catalogue=netcount.CATALOGUE.with_(Computed)).run(given)


def test_weights_go_through_a_caffemodel(tmp_path: Path) -> None:
    net = netcount.loads(NET)
    weights = random_weights(graph_of(net), seed=9)
    path = tmp_path / "net.caffemodel"
    write_caffemodel(path, graph_of(net), weights)
    back = read_caffemodel(path, graph_of(net))
    assert back.extra == ()
    assert all((a == b).all() for name in weights for a, b in zip(weights[name], back.blobs[name], strict=True))
    array = np.ones((1, 3, 8, 9), dtype=np.float32)
    np.testing.assert_array_equal(
        net.run({"x": array}, weights=path)["f"], net.run({"x": array}, weights=weights)["f"]
    )


def test_weights_of_another_net_are_refused_with_both_shapes(tmp_path: Path) -> None:
    net = netcount.loads(NET)
    path = tmp_path / "net.caffemodel"
    write_caffemodel(path, graph_of(net), random_weights(graph_of(net)))
    wider = netcount.loads(NET.replace("num_output: 4", "num_output: 6"))
    with pytest.raises(InputError, match="4×3×3×3 for blob 0, the net 6×3×3×3"):
        read_caffemodel(path, graph_of(wider))
    renamed = netcount.loads(NET.replace('name: "f"', 'name: "g"'))
    with pytest.raises(InputError, match="has no layer of that name"):
        read_caffemodel(path, graph_of(renamed))
    smaller = netcount.loads(NET.split('layer { name: "f"')[0])
    assert read_caffemodel(path, graph_of(smaller)).extra == ("f",)


SHAPES = {"c": [(4, 3, 3, 3), (4,)], "f": [(5, 168), (5,)]}
"""The blobs of NET."""


def stored(path: Path, layers: list[tuple[str, list[tuple[int, ...]], float]], form: str = "current") -> Path:
    """A .caffemodel of (name, shapes, value) layers, made by protobuf; "v1" has the old four axes and doubles."""
    model = message_class("NetParameter")()
    for name, shapes, value in layers:
        layer = (model.layers if form == "v1" else model.layer).add(name=name)
        for shape in shapes:
            values = [value] * int(np.prod(shape))
            if form == "current":
                layer.blobs.add(shape={"dim": shape}, data=values)
            else:
                axes = dict(zip(("num", "channels", "height", "width"), shape, strict=True))
                layer.blobs.add(double_data=values, **axes)
    path.write_bytes(model.SerializeToString())
    return path


def test_a_v1_model_with_four_axes_and_doubles_is_read(tmp_path: Path) -> None:
    old = {"c": [(4, 3, 3, 3), (1, 1, 1, 4)], "f": [(1, 1, 5, 168), (1, 1, 1, 5)]}
    path = stored(tmp_path / "v1", [(name, shapes, 0.5) for name, shapes in old.items()], "v1")
    found = read_caffemodel(path, graph_of(netcount.loads(NET))).blobs
    assert {name: [array.shape for array in arrays] for name, arrays in found.items()} == SHAPES
    assert all((array == 0.5).all() for arrays in found.values() for array in arrays)


def test_weights_of_a_file_are_aligned_once(tmp_path: Path) -> None:
    net = netcount.loads(NET)
    for shift in range(4):
        path = stored(
            tmp_path / f"{shift}", [("z" * shift, [(1,)], 0.0), *((n, s, 1.0) for n, s in SHAPES.items())]
        )
        executor = Executor(graph_of(net), read_caffemodel(path, graph_of(net)).blobs)
        assert all(array.flags.aligned for row in executor.weights for array in row)


def test_of_two_stored_layers_of_one_name_the_last_counts(tmp_path: Path) -> None:
    """As Caffe copies them, one after the other."""
    layers = [("c", SHAPES["c"], 1.0), ("c", SHAPES["c"], 2.0), ("f", SHAPES["f"], 3.0)]
    assert (
        read_caffemodel(stored(tmp_path / "m", layers), graph_of(netcount.loads(NET))).blobs["c"][0] == 2
    ).all()


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ({**SHAPES, "c": [(4, 3, 3, 3), (1, 1, 1, 4)]}, "has 1×1×1×4 for blob 1, the net 4"),
        ({**SHAPES, "f": [(168, 5), (5,)]}, "has 168×5 for blob 0, the net 5×168"),
        ({**SHAPES, "f": [(5, 168)]}, "has 1 blobs, the net 2"),
        ({**SHAPES, "f": [(5, 168), (5,), (1,)]}, "has 3 blobs, the net 2"),
        ({**SHAPES, "f": []}, "has 0 blobs, the net 2"),
        ({"f": SHAPES["f"]}, "has no layer of that name"),
        ({**SHAPES, "r": [(4,)]}, "has 1 blobs, the net 0"),
    ],
)
def test_a_model_that_does_not_match_is_refused(
    tmp_path: Path, layers: dict[str, list[tuple[int, ...]]], said: str
) -> None:
    path = stored(tmp_path / "m", [(name, shapes, 1.0) for name, shapes in layers.items()])
    with pytest.raises(InputError, match=said):
        read_caffemodel(path, graph_of(netcount.loads(NET)))


def test_two_layers_of_one_name_run_but_take_no_weights_by_name(tmp_path: Path) -> None:
    net = netcount.loads(NET.replace('name: "f"', 'name: "c"'))
    assert verify(graph_of(net)).agrees
    for refused in (
        lambda: random_weights(graph_of(net)),
        lambda: net.run(weights={"c": []}),
        lambda: read_caffemodel(stored(tmp_path / "m", [("c", SHAPES["c"], 1.0)]), graph_of(net)),
    ):
        with pytest.raises(InputError, match="cannot tell them apart"):
            refused()


def test_shared_blobs_are_read_from_their_owner() -> None:
    text = inputs(x=(1, 4)) + "".join(
        f'layer {{ name: "{name}" type: "InnerProduct" bottom: "x" top: "{name}" '
        'inner_product_param { num_output: 4 bias_term: false } param { name: "w" } }\n'
        for name in ("a", "b")
    )
    found = netcount.loads(text).run(seed=2)
    np.testing.assert_array_equal(found["a"], found["b"])
    analysis = netcount.loads(text).analyze()
    assert analysis.totals.params == 16
    assert analysis.layers[2].blobs[0].shared_with == "a/0"


SUPPORTED = sorted(path.stem for path in SAMPLES.glob("*.prototxt"))


@pytest.mark.parametrize("name", SUPPORTED)
def test_opencv_computes_the_same(name: str, tmp_path: Path) -> None:
    cv2: Any = pytest.importorskip("cv2")
    file = SAMPLES / f"{name}.prototxt"
    net = netcount.load(file)
    if net.learnable() > 5 * 10**7:  # AlexNet and VGG-16 at a quarter of their width, which shows as much
        file = tmp_path / "narrow.prototxt"
        file.write_text(net.rescale(width=0.25, dense=True).text, encoding="utf-8")
        net = netcount.load(file)
    weights = random_weights(graph_of(net), seed=11)
    for node in net.nodes:  # without this, deep nets grow beyond float32's digits
        if node.type == "BatchNorm":
            weights[node.name][1] *= 4
    path = tmp_path / "net.caffemodel"
    write_caffemodel(path, graph_of(net), weights)
    (blob,) = net.inputs
    data = np.random.default_rng(5).standard_normal(blob.shape, dtype=np.float32)
    ours = net.run({blob.name: data}, weights=path)
    judge = cv2.dnn.readNetFromCaffe(str(file), str(path))
    judge.setInput(data, blob.name)
    for output, array in ours.items():
        theirs = judge.forward(output)
        scale = np.abs(theirs).max()
        np.testing.assert_allclose(array.reshape(theirs.shape), theirs, rtol=1e-3, atol=1e-3 * scale)


def test_random_inputs_are_labels_where_they_are_read_as_such() -> None:
    """The labels of three layers, one behind a Reshape, and indices; others stay normal."""
    text = inputs(x=(40, 3), y=(40, 1), i=(40,)) + (
        'layer { name: "f" type: "Reshape" bottom: "y" top: "f" reshape_param { shape { dim: -1 } } }\n'
        'layer { name: "s" type: "Split" bottom: "f" top: "labels" top: "once" }\n'
        'layer { name: "l" type: "SoftmaxWithLoss" bottom: "x" bottom: "labels" top: "l" }\n'
        'layer { name: "a" type: "Accuracy" bottom: "x" bottom: "once" top: "a" }\n'
        'layer { name: "e" type: "Embed" bottom: "i" top: "e" embed_param { input_dim: 7 num_output: 2 } }\n'
    )
    net = netcount.loads(text, batch="net")
    assert verify(graph_of(net)).agrees
    found = Executor(graph_of(net), keep=["x", "y", "i"]).run()
    assert np.unique(found["y"]).tolist() == [0, 1, 2]
    assert np.unique(found["i"]).tolist() == list(range(7))
    assert (found["x"] % 1).all()
