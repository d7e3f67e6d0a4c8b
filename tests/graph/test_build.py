"""How messages become a net: state, sharing, in-place tops, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import netcount
from netcount.core.errors import InputError
from netcount.execute.verify import verify
from tests.helpers import examples, graph_of, inputs, net_of

CONV = (
    'layer { name: "c" type: "Convolution" bottom: "x" top: "c" '
    "convolution_param { num_output: 4 kernel_size: 3 } }\n"
)


STATES = inputs(x=(1, 3)) + "".join(
    f'layer {{ name: "{name}" type: "ReLU" bottom: "x" top: "{name}" {rule} }}\n'
    for name, rule in {
        "train": "include { phase: TRAIN }",
        "either": 'include { phase: TRAIN } include { stage: "s" }',
        "both": 'include { phase: TEST stage: "s" not_stage: "t" }',
        "level": "include { min_level: 1 max_level: 2 }",
        "out": 'exclude { phase: TEST } exclude { stage: "t" }',
    }.items()
)


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, set()),
        ({"phase": "TRAIN"}, {"train", "either", "out"}),
        ({"phase": "TRAIN", "stages": ("t",)}, {"train", "either"}),
        ({"stages": ("s",)}, {"either", "both"}),
        ({"stages": ("s", "t")}, {"either"}),
        ({"level": 2}, {"level"}),
        ({"level": 3}, set()),
    ],
)
def test_rules_select_layers(options: dict[str, object], kept: set[str]) -> None:
    net = netcount.loads(STATES, **options)  # type: ignore[arg-type]
    assert {node.name for node in net.nodes[1:]} == kept


def _relu(top: str, bottom: str = "x", name: str = "r") -> str:
    return f'layer {{ name: "{name}" type: "ReLU" bottom: "{bottom}" top: "{top}" }}\n'


WEIGHTED = _relu("y").replace("}", "loss_weight: 1 }")


def test_a_top_with_a_loss_weight_stays_an_output_when_it_is_read() -> None:
    net = netcount.loads(inputs(x=(1, 3)) + WEIGHTED + _relu("z", "y"))
    assert [blob.name for blob in net.outputs] == ["y", "z"]
    twice = WEIGHTED.replace("loss_weight: 1", "loss_weight: 1 loss_weight: 2")
    netcount.loads(inputs(x=(1, 3)) + twice + _relu("z", "y"))  # the weights go to the Split behind y
    with pytest.raises(InputError, match="loss_weight is given 2 times for 1 tops"):
        netcount.loads(inputs(x=(1, 3)) + twice)
    unweighted = netcount.loads(inputs(x=(1, 3)) + WEIGHTED.replace(": 1", ": 0") + _relu("y", "y"))
    assert [blob.name for blob in unweighted.outputs] == ["y"]


OTHER_PHASE = (
    'unknown bottom "y"; "r" \\(line 1\\), which makes it, is left out by its include or exclude rules; '
    'try phase="TRAIN", or give it with input_shapes={"y": \\(N, C, H, W\\)}'
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (inputs(x=(1, 3)) + _relu("y") + _relu("y", name="s"), 'top "y" is made already by "r" \\(line 2\\)'),
        (inputs(x=(1, 3)) + _relu("y") + _relu("x", name="s"), "is overwritten in place while another"),
        (inputs(x=(1, 3)) + WEIGHTED + _relu("y", "y", "s"), "is overwritten in place while the loss reads"),
        (inputs(x=(1, 3)) + _relu("y", "z"), 'unknown bottom "z"; nothing makes it'),
        (_relu("y") + inputs(x=(1, 3)), 'made only later, by "x" \\(line 2\\)'),
        (_relu("y").replace("}", "include { phase: TRAIN } }") + _relu("z", "y", "s"), OTHER_PHASE),
        (_relu("y").replace("}", "exclude { phase: TEST } }") + _relu("z", "y", "s"), OTHER_PHASE),
        (
            _relu("y").replace("}", 'include { stage: "all" } }') + _relu("z", "y", "s"),
            'rules; try stages=\\["all"\\], or',
        ),
        (
            _relu("y").replace("}", "include { min_level: 1 } }") + _relu("z", "y", "s"),
            "rules; try level=1, or give it with",
        ),
        ('item { name: "cat" }', 'this is a label map, not a net: it has "item", and no layer'),
        ("layers { type: 77 }", '"type" is 77, no V1 layer\'s type'),
        (inputs(xylo=(1, 3)) + _relu("y", "xylp"), 'did you mean "xylo"'),
        (inputs(x=(1, 3)) + 'layer { name: "s" type: "Softmax" bottom: "x" }', "takes 1 top, not 0"),
        (inputs(x=(1, 3)) + _relu("y").replace("}", "param { lr_mult: 1 } }"), "0 parameter blobs but 1 param"),
        (inputs(x=(1, 3)) + _relu("y").replace("}", "relu6_paran { } }"), "has no field"),
        (inputs(x=(1, 3)) + _relu("y").replace("}", "include { phase: TRAIN } relu6_paran { } }"), "has no field"),
        (inputs(x=(65536, 65536)), "INT_MAX"),
        (inputs(x=(1,) * 33), "33 axes"),
        ('base_lr: 0.1 net: "nowhere.prototxt"\n', 'the net it names, "nowhere.prototxt", is not there'),
        ("base_lr: 0.1\n", "it names no net"),
    ],
)
def test_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as refusal:
        netcount.loads(text)
    assert refusal.value.place


def test_a_shape_by_custom_can_be_another() -> None:
    text = """
    layer { name: "d" type: "Python" top: "data" top: "rois" top: "labels" top: "targets"
            python_param { module: "roi_data_layer.layer" layer: "RoIDataLayer" param_str: "'num_classes': 21" } }
    """ + inputs(boxes=(128, 8, 1, 1))
    text += 'layer { name: "l" type: "SmoothL1Loss" bottom: "boxes" bottom: "targets" top: "loss" }'
    with pytest.raises(InputError, match='"targets" is only assumed to be 128×84×1×1; give its shape with'):
        netcount.loads(text)
    assert [blob.shape for blob in netcount.loads(text.split("boxes")[0].rsplit("layer", 1)[0]).blobs] == [
        (1, 3, 600, 1000), (128, 5, 1, 1), (128, 1, 1, 1), (128, 84, 1, 1)
    ]  # fmt: skip
    net = netcount.loads(text, input_shapes={"targets": [128, 8]})
    assert net.nodes[-1].bottoms[1].shape == (128, 8)
    with pytest.raises(InputError) as refusal:
        netcount.loads(text, input_shapes={"targets": [128, 12]})
    assert "taken to be" not in str(refusal.value)


def test_a_loss_of_an_old_net_needs_no_top() -> None:
    net = netcount.loads("""input: "x" input_dim: 2 input_dim: 3 input_dim: 1 input_dim: 1
    input: "l" input_dim: 2 input_dim: 1 input_dim: 1 input_dim: 1
    layers { layer { name: "loss" type: "softmax_loss" } bottom: "x" bottom: "l" }""")
    assert [blob.shape for blob in net.nodes[-1].tops] == [()]


def _shared(first: int, second: int, mode: str = "", rates: tuple[int, int] = (1, 1)) -> str:
    return inputs(x=(1, 6), z=(1, 4)) + "".join(
        f'layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{name}" '
        f"inner_product_param {{ num_output: {outputs} bias_term: false }} "
        f'param {{ name: "w" lr_mult: {rate} {mode} }} }}\n'
        for name, bottom, outputs, rate in (("a", "x", first, rates[0]), ("b", "z", second, rates[1]))
    )


def test_shared_blobs_must_fit() -> None:
    with pytest.raises(InputError, match='cannot share param "w": 6×4 here and 4×6'):
        netcount.loads(_shared(4, 6))
    assert netcount.loads(_shared(4, 6, "share_mode: PERMISSIVE")).analyze().totals.params == 24
    with pytest.raises(InputError, match="cannot share"):
        netcount.loads(_shared(4, 5, "share_mode: PERMISSIVE"))
    with pytest.raises(InputError, match="lr_mult 2"):
        netcount.loads(_shared(4, 6, "share_mode: PERMISSIVE", (1, 2)))


def test_in_place_tops_are_versions_and_take_no_memory() -> None:
    net = netcount.loads(inputs(x=(1, 3, 8, 9)) + CONV + _relu("c", "c") + _relu("y", "c", "s"))
    assert [blob.name for blob in net.blobs] == ["x", "c", "c", "y"]
    assert net.blobs[2].overwrites == 1
    assert [row.activations for row in net.analyze().layers] == [216, 168, 0, 168]


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="needs devices")
@pytest.mark.parametrize("named", ["/dev/zero", "/dev/stdin", "pipe", "folder"])
def test_a_solver_opens_regular_files_only(tmp_path: Path, named: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    solver = tmp_path / "solver.prototxt"
    solver.write_text(f'net: "{named}"\nbase_lr: 0.1\n')
    with pytest.raises(netcount.InputError, match=r"solver.prototxt:1:1: .*is no regular file"):
        netcount.load(solver)


def test_a_file_called_as_standard_input_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("-").write_text(inputs(x=(1, 2)) + 'layer { name: "r" type: "ReLU" bottom: "x" top: "y" }')
    Path("solver.prototxt").write_text('net: "-"\nbase_lr: 0.1\n')
    assert len(netcount.load("solver.prototxt").nodes) == 2


def test_a_solver_is_followed(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    (folder / "net.prototxt").write_text(inputs(x=(1, 3, 8, 9)) + CONV)
    solver = folder / "solver.prototxt"
    solver.write_text('net: "models/net.prototxt"\nbase_lr: 0.1\n')
    assert netcount.load(solver).node("c").top_shapes == [(1, 4, 6, 7)]
    solver.write_text('train_net: "net.prototxt"\ntest_net: "missing.prototxt"\nbase_lr: 0.1\n')
    assert netcount.load(solver, phase="TRAIN").phase == "TRAIN"
    with pytest.raises(InputError, match=r"missing\.prototxt"):
        netcount.load(solver)


def test_a_solver_merges_its_state_and_gives_one_net() -> None:
    net = "net_param { " + STATES + ' state { stage: "s" } } base_lr: 0.1 '
    for options, kept in (
        ({}, {"either", "both", "level"}),
        ({"level": 3}, {"either", "both"}),
        ({"phase": "TRAIN"}, {"train", "either", "out"}),
    ):
        found = netcount.loads(net + "test_state { level: 2 }", **options)  # type: ignore[arg-type]
        assert {node.name for node in found.nodes[1:]} == kept
    with pytest.raises(InputError, match="one net to train, not net_param and train_net"):
        netcount.loads(net + 'train_net: "other.prototxt"')


extents = st.integers(1, 14)
small = st.integers(1, 5)


@examples(150)
@given(
    st.tuples(st.integers(1, 2), st.sampled_from([2, 4, 6]), extents, extents),
    st.tuples(small, small),
    st.tuples(small, small),
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
    st.integers(1, 3),
    st.sampled_from([1, 2]),
    st.sampled_from(["Convolution", "Deconvolution"]),
)
def test_any_convolution_runs_as_inferred(
    shape: tuple[int, ...],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pad: tuple[int, int],
    dilation: int,
    group: int,
    type: str,
) -> None:
    text = inputs(x=shape) + (
        f'layer {{ name: "c" type: "{type}" bottom: "x" top: "y" convolution_param {{ num_output: 4 '
        f"kernel_h: {kernel[0]} kernel_w: {kernel[1]} stride_h: {stride[0]} stride_w: {stride[1]} "
        f"pad_h: {pad[0]} pad_w: {pad[1]} dilation: {dilation} group: {group} }} }}"
    )
    try:
        net = net_of(text)
    except InputError:
        return
    if net.node("c").top_shapes[0].count():
        assert verify(graph_of(net)).agrees


@examples(150)
@given(
    st.tuples(st.integers(1, 2), st.integers(1, 3), extents, extents),
    st.tuples(small, small),
    st.tuples(small, small),
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
    st.sampled_from(["MAX", "AVE"]),
    st.sampled_from(["", "round_mode: FLOOR", "ceil_mode: false"]),
)
def test_any_pooling_runs_as_inferred(
    shape: tuple[int, ...],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pad: tuple[int, int],
    method: str,
    rounding: str,
) -> None:
    text = inputs(x=shape) + (
        f'layer {{ name: "p" type: "Pooling" bottom: "x" top: "y" pooling_param {{ pool: {method} '
        f"kernel_h: {kernel[0]} kernel_w: {kernel[1]} stride_h: {stride[0]} stride_w: {stride[1]} "
        f"pad_h: {pad[0]} pad_w: {pad[1]} {rounding} }} }}"
    )
    try:
        net = net_of(text)
    except InputError:
        return
    found = verify(graph_of(net))
    assert found.agrees
    (array,) = found.outputs.values()
    # without padding Caffe keeps a last window that starts behind the input: nothing / 0 there
    seen = [-(-(extent + p) // s) for extent, s, p in zip(shape[2:], stride, pad, strict=True)]
    assert np.isfinite(array[:, :, : seen[0], : seen[1]]).all()
