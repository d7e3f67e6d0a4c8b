"""How messages become a net: batch, given shapes, state, sharing, in-place tops, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import netcount
from netcount.errors import InputError
from netcount.execute.verify import verify
from tests.helpers import inputs, net_of

CONV = (
    'layer { name: "c" type: "Convolution" bottom: "x" top: "c" '
    "convolution_param { num_output: 4 kernel_size: 3 } }\n"
)


def madds(text: str, **options: object) -> int:
    return netcount.load(text, **options).analyze().totals.madds  # type: ignore[arg-type]


def test_counts_are_for_one_image_whatever_the_file_says() -> None:
    one, ten = inputs(x=(1, 3, 8, 9)) + CONV, inputs(x=(10, 3, 8, 9)) + CONV
    assert madds(ten) == madds(one) == 4536
    assert madds(ten, batch="net") == madds(one, batch=10) == 45360
    assert netcount.load(ten).blobs[0].shape == (1, 3, 8, 9)


def test_only_inputs_of_the_same_batch_change_with_it() -> None:
    text = inputs(x=(2, 3, 8, 9), rois=(300, 5), label=(2,))
    assert [blob.shape for blob in netcount.load(text).blobs] == [(1, 3, 8, 9), (300, 5), (1,)]


@pytest.mark.parametrize(
    ("layer", "obstacle"),
    [
        ('type: "Reshape" reshape_param { shape { dim: 10 dim: -1 } }', 'blob "y" would become 10×36'),
        ('type: "Reshape" reshape_param { shape { dim: 10 dim: 360 } }', "would not build"),
        ('type: "InnerProduct" inner_product_param { num_output: 2 axis: 0 }', 'the weights of "l"'),
    ],
)
def test_a_net_that_cannot_be_rebatched_is_told_as_declared(layer: str, obstacle: str) -> None:
    net = netcount.load(inputs(x=(10, 5, 8, 9)) + f'layer {{ name: "l" bottom: "x" top: "y" {layer} }}')
    assert net.batch == 10
    assert net.blobs[0].shape == (10, 5, 8, 9)
    (warning,) = net.warnings
    assert "the batch of 10 cannot be changed to 1" in warning.message
    assert obstacle in warning.message


def test_axis_0_of_a_recurrent_net_is_time() -> None:
    text = inputs(x=(5, 2, 7), c=(5, 2)) + (
        'layer { name: "l" type: "LSTM" bottom: "x" bottom: "c" top: "h" recurrent_param { num_output: 3 } }'
    )
    net = netcount.load(text)
    assert net.analyze().totals.madds == 5 * 2 * 12 * (7 + 3)
    assert "is time" in net.warnings[0].message


def test_given_shapes_override_and_supply() -> None:
    text = inputs(x=(1, 3, 8, 9)) + CONV
    assert netcount.load(text, input_shapes={"x": (1, 3, 10, 11)}).node("c").top_shapes == [(1, 4, 8, 9)]
    assert netcount.load(text, input_shapes={"": (1, 3, 10, 11)}).node("c").top_shapes == [(1, 4, 8, 9)]
    assert netcount.load(CONV, input_shapes={"x": (1, 3, 8, 9)}).node("c").top_shapes == [(1, 4, 6, 7)]
    assert netcount.load('input: "x"\n' + CONV, input_shapes={"x": (2, 3, 8, 9)}).batch == 1


def test_a_data_dependent_extent_can_be_given() -> None:
    text = inputs(x=(4, 3, 2, 2), s=(4,)) + 'layer { name: "f" type: "Filter" bottom: "x" bottom: "s" top: "y" }'
    net = netcount.load(text, batch="net")
    assert net.node("f").top_shapes == [(4, 3, 2, 2)]
    assert "4 is the most" in (net.analyze().layers[-1].note or "")
    assert net_of(text, input_shapes={"y": (2, 3, 2, 2)}).node("f").top_shapes == [(2, 3, 2, 2)]


@pytest.mark.parametrize(
    ("given_shapes", "message"),
    [
        ({"c": (1, 4, 5, 5)}, "computes that blob from its bottoms"),
        ({"q": (1, 4, 5, 5)}, "the net has no blob of that name; the inputs are x"),
        ({"x": (1, 3, -8, 9)}, "negative"),
        ({"x": (1, 3, 2**20, 2**20)}, "INT_MAX"),
    ],
)
def test_given_shapes_that_make_no_sense(given_shapes: dict[str, tuple[int, ...]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        netcount.load(inputs(x=(1, 3, 8, 9)) + CONV, input_shapes=given_shapes)


def test_database_layers_tell_what_they_know() -> None:
    text = (
        'layer { name: "d" type: "Data" top: "x" top: "l" data_param { batch_size: 8 }'
        " transform_param { crop_size: 9 } }"
    )
    net = netcount.load(text, batch="net")
    assert [blob.shape for blob in net.blobs] == [(8, 3, 9, 9), (8,)]
    assert "3 channels are assumed" in net.warnings[0].message
    grey = net_of(text, input_shapes={"x": (8, 1, 9, 9)})
    assert [blob.shape for blob in grey.blobs] == [(8, 1, 9, 9), (8,)]
    assert not grey.warnings
    with pytest.raises(InputError, match=r"--input-shape x=N,C,H,W"):
        netcount.load(text.replace("crop_size: 9", ""))


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
    net = netcount.load(STATES, **options)  # type: ignore[arg-type]
    assert {node.name for node in net.nodes[1:]} == kept


def _relu(top: str, bottom: str = "x", name: str = "r") -> str:
    return f'layer {{ name: "{name}" type: "ReLU" bottom: "{bottom}" top: "{top}" }}\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (inputs(x=(1, 3)) + _relu("y") + _relu("y", name="s"), 'top "y" is made already by "r" \\(line 2\\)'),
        (inputs(x=(1, 3)) + _relu("y") + _relu("x", name="s"), "is overwritten in place while another"),
        (
            inputs(x=(1, 3)) + _relu("y").replace("}", "loss_weight: 1 }") + _relu("y", "y", "s"),
            "is overwritten in place although it has a loss_weight",
        ),
        (inputs(x=(1, 3)) + _relu("y", "z"), 'unknown bottom "z"; nothing makes it'),
        (_relu("y") + inputs(x=(1, 3)), 'made only later, by "x" \\(line 2\\)'),
        (inputs(xylo=(1, 3)) + _relu("y", "xylp"), 'did you mean "xylo"'),
        (inputs(x=(1, 3)) + 'layer { name: "s" type: "Softmax" bottom: "x" }', "takes 1 top, not 0"),
        (inputs(x=(1, 3)) + _relu("y").replace("}", "param { lr_mult: 1 } }"), "0 parameter blobs but 1 param"),
        (inputs(x=(1, 3)) + _relu("y").replace("}", "relu6_paran { } }"), "has no field"),
        (inputs(x=(65536, 65536)), "INT_MAX"),
        (inputs(x=(1,) * 33), "33 axes"),
        ('base_lr: 0.1 net: "nowhere.prototxt"\n', 'the net it names, "nowhere.prototxt", is not there'),
        ("base_lr: 0.1\n", "it names no net"),
    ],
)
def test_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as refusal:
        netcount.load(text)
    assert refusal.value.place


def _shared(first: int, second: int, mode: str = "", rates: tuple[int, int] = (1, 1)) -> str:
    return inputs(x=(1, 6), z=(1, 4)) + "".join(
        f'layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{name}" '
        f"inner_product_param {{ num_output: {outputs} bias_term: false }} "
        f'param {{ name: "w" lr_mult: {rate} {mode} }} }}\n'
        for name, bottom, outputs, rate in (("a", "x", first, rates[0]), ("b", "z", second, rates[1]))
    )


def test_shared_blobs_must_fit() -> None:
    with pytest.raises(InputError, match='cannot share param "w": 6×4 here and 4×6'):
        netcount.load(_shared(4, 6))
    assert netcount.load(_shared(4, 6, "share_mode: PERMISSIVE")).analyze().totals.params == 24
    with pytest.raises(InputError, match="cannot share"):
        netcount.load(_shared(4, 5, "share_mode: PERMISSIVE"))
    with pytest.raises(InputError, match="lr_mult 2"):
        netcount.load(_shared(4, 6, "share_mode: PERMISSIVE", (1, 2)))


def test_in_place_tops_are_versions_and_take_no_memory() -> None:
    net = netcount.load(inputs(x=(1, 3, 8, 9)) + CONV + _relu("c", "c") + _relu("y", "c", "s"))
    assert [blob.name for blob in net.blobs] == ["x", "c", "c", "y"]
    assert net.blobs[2].overwrites == 1
    assert [row.activations for row in net.analyze().layers] == [216, 168, 0, 168]


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


extents = st.integers(1, 14)
small = st.integers(1, 5)


@settings(max_examples=150, deadline=None)
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
        assert verify(net).agrees


@settings(max_examples=150, deadline=None)
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
    found = verify(net)
    assert found.agrees
    (array,) = found.outputs.values()
    # without padding Caffe keeps a last window that starts behind the input: nothing / 0 there
    seen = [-(-(extent + p) // s) for extent, s, p in zip(shape[2:], stride, pad, strict=True)]
    assert np.isfinite(array[:, :, : seen[0], : seen[1]]).all()
