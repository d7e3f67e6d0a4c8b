"""Blocks by name, by pattern and by graph, and the plain convolution each stands for."""

from __future__ import annotations

from math import prod

import pytest

import netcount
from netcount.analysis._support.names import block_of
from netcount.analysis._support.plain import Plain
from netcount.analysis.blocks import Block, blocks, outside
from netcount.analysis.count import count, totals_of
from netcount.core.errors import InputError
from tests.helpers import SAMPLES, graph_of, inputs, net_of

ALL_SAMPLES = sorted(path.stem for path in SAMPLES.glob("*.prototxt"))


def sample_blocks(name: str, pattern: str | None = None) -> dict[str, Block]:
    found = netcount.load(SAMPLES / f"{name}.prototxt").analyze().blocks(pattern)
    return {block.name: block for block in found}


def conv(name: str, bottom: str, top: str, rest: str) -> str:
    return (
        f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{top}" '
        f"convolution_param {{ {rest} }} }}\n"
    )


def op(type: str, name: str, bottoms: str, top: str, rest: str = "") -> str:
    lines = "".join(f' bottom: "{bottom}"' for bottom in bottoms.split())
    return f'layer {{ name: "{name}" type: "{type}"{lines} top: "{top}" {rest} }}\n'


@pytest.mark.parametrize("name", ALL_SAMPLES)
def test_blocks_and_the_rest_are_the_net(name: str) -> None:
    counted = count(graph_of(netcount.load(SAMPLES / f"{name}.prototxt")))
    found = blocks(counted)
    rest = outside(counted, found)
    taken = [node.index for block in found for node in block.nodes]
    assert len(taken) == len(set(taken))
    assert len(taken) + len(rest) == len(counted.layers)
    assert totals_of([*rest, *(row for block in found for row in block.rows)]) == counted.totals
    for block in found:
        assert block.totals == totals_of(block.rows)
        assert sum(share.madds for share in block.kernels) == block.totals.madds


def test_fire_7_is_a_twelfth_of_a_plain_convolution() -> None:
    fire7 = sample_blocks("squeezenet_v1.1")["fire7"]
    c, s, e1, e3 = 384, 48, 192, 192
    assert [blob.name for blob in fire7.inputs] == ["fire6/concat"]
    assert [blob.name for blob in fire7.outputs] == ["fire7/concat"]
    assert isinstance(fire7.plain, Plain)
    assert fire7.plain.kernel == (3, 3)
    assert fire7.plain.own_params == c * s + s * e1 + 9 * s * e3 == 110_592
    assert fire7.plain.params == 9 * c * (e1 + e3) == 12 * fire7.plain.own_params
    assert fire7.plain.madds == 14 * 14 * fire7.plain.params


@pytest.mark.parametrize("name", ["conv2_1", "conv5_3", "conv6"])
def test_a_separable_block_is_an_nth_and_a_ninth(name: str) -> None:
    found = sample_blocks("mobilenet_v1")[name]
    assert isinstance(found.plain, Plain)
    n = found.plain.outputs
    assert found.plain.own_madds * 9 * n == found.plain.madds * (9 + n)
    assert found.rows[-1].type == "ReLU", "what works in place behind the block belongs to it"


def test_a_shortcut_belongs_to_the_block_it_goes_around() -> None:
    found = sample_blocks("mobilenet_v2")
    assert found["conv3_1"].rows[-1].name == "block_3_1"
    assert [blob.name for blob in found["conv3_1"].inputs] == ["conv2_2/linear"]
    assert [blob.name for blob in found["conv3_1"].outputs] == ["block_3_1"]
    resnet = sample_blocks("resnet50")
    assert {row.name for row in resnet["res2a"].rows} >= {"res2a", "res2a_branch1", "scale2a_branch2c"}
    assert len(resnet) == 16


def test_a_convolution_that_skips_sees_as_many_positions_as_its_kernel() -> None:
    plain = sample_blocks("resnet50")["res3a"].plain  # its 1×1 has stride 2, its 3×3 then stride 1
    assert isinstance(plain, Plain)
    assert plain.kernel == (3, 3)


def two_convolutions(first: str, second: str, end: str = "") -> Block:
    net = net_of(inputs(x=(1, 4, 20, 22)) + conv("a1/p", "x", "p", first) + conv("a1/q", "p", "q", second) + end)
    (found,) = net.analyze().blocks()
    return found


@pytest.mark.parametrize(
    ("first", "second", "kernel"),
    [
        ("num_output: 6 kernel_size: 3", "num_output: 7 kernel_size: 3", (5, 5)),
        ("num_output: 6 kernel_size: 3 stride: 2", "num_output: 7 kernel_size: 3", (7, 7)),
        ("num_output: 6 kernel_h: 1 kernel_w: 7", "num_output: 7 kernel_h: 5 kernel_w: 1", (5, 7)),
        ("num_output: 6 kernel_size: 1", "num_output: 7 kernel_size: 3 dilation: 4", (3, 3)),
        ("num_output: 6 kernel_size: 2 stride: 2", "num_output: 7 kernel_size: 3 dilation: 2", (6, 6)),
    ],
)
def test_the_plain_kernel_is_what_one_output_sees(first: str, second: str, kernel: tuple[int, int]) -> None:
    plain = two_convolutions(first, second).plain
    assert isinstance(plain, Plain)
    assert plain.kernel == kernel
    assert (plain.channels, plain.outputs) == (4, 7)
    assert plain.params == prod(kernel) * 4 * 7


def test_branches_see_together_what_each_sees() -> None:
    text = inputs(x=(1, 4, 20, 22))
    text += conv("m1/a", "x", "a", "num_output: 3 kernel_h: 1 kernel_w: 5 pad_h: 0 pad_w: 2")
    text += conv("m1/b", "x", "b", "num_output: 2 kernel_h: 3 kernel_w: 1 pad_h: 1 pad_w: 0")
    text += op("Concat", "m1/out", "a b", "out")
    (block,) = net_of(text).analyze().blocks()
    assert isinstance(block.plain, Plain)
    assert block.plain.kernel == (3, 5)
    assert block.plain.own_params == 4 * 3 * 5 + 4 * 2 * 3


def test_what_has_no_plain_equivalent_says_why() -> None:
    global_pool = op("Pooling", "a1/pool", "q", "pool", "pooling_param { pool: AVE global_pooling: true }")
    last = conv("a1/r", "pool", "r", "num_output: 5 kernel_size: 1")
    first, second = "num_output: 6 kernel_size: 3", "num_output: 7 kernel_size: 3"
    assert two_convolutions(first, second, global_pool + last).plain == (
        '"a1/pool" sees more than a window of the input'
    )
    branch = conv("a1/r", "p", "r", "num_output: 5 kernel_size: 1")
    assert "2 outputs" in str(two_convolutions(first, second, branch).plain)
    dense = op("InnerProduct", "a1/fc", "q", "fc", "inner_product_param { num_output: 9 }")
    assert "a convolution cannot lead from" in str(two_convolutions(first, second, dense).plain)
    huge = "num_output: 7 kernel_h: 20000 kernel_w: 1 pad_h: 20000 pad_w: 0"
    assert "too large a window" in str(two_convolutions(first, huge).plain)


def test_a_pattern_names_blocks() -> None:
    found = sample_blocks("vgg16", r"^conv(\d)_")
    assert list(found) == ["1", "2", "3", "4", "5"]
    assert [row.name for row in found["3"].rows if row.madds] == ["conv3_1", "conv3_2", "conv3_3"]
    assert isinstance(found["3"].plain, Plain)
    assert found["3"].plain.kernel == (7, 7)
    whole = sample_blocks("squeezenet_v1.1", "fire[23]")
    assert list(whole) == ["fire2", "fire3"]
    with pytest.raises(InputError, match="not a regular expression"):
        sample_blocks("vgg16", "(")


def test_names_that_share_a_folder_are_told_apart_below_it() -> None:
    text = inputs(x=(1, 4, 20, 22))
    for number, (bottom, top) in enumerate((("x", "a"), ("b", "c"))):
        text += conv(f"Net/v1/part{number}/one", bottom, top, "num_output: 6 kernel_size: 1")
        text += conv(f"Net/v1/part{number}/two", top, chr(ord(top) + 1), "num_output: 4 kernel_size: 3")
    assert [block.name for block in net_of(text).analyze().blocks()] == ["part0", "part1"]


def test_a_net_without_telling_names_has_no_blocks() -> None:
    assert sample_blocks("alexnet") == {}
    assert block_of("data") is None


def norm(name: str, blob: str) -> str:
    return op("BatchNorm", f"norm{name}", blob, blob) + op("ReLU", f"relu{name}", blob, blob)


def residual(number: int, start: str, end: str, gate: str = "") -> str:
    """Two convolutions and a sum around them, under names that say nothing."""
    a, b = f"a{number}", f"b{number}"
    text = conv(f"conv{2 * number}", start, a, "num_output: 4 kernel_size: 3 pad: 1") + norm(f"{2 * number}", a)
    text += conv(f"conv{2 * number + 1}", a, b, "num_output: 4 kernel_size: 3 pad: 1")
    text += norm(f"{2 * number + 1}", b)
    if gate:
        pool = "pooling_param { pool: AVE global_pooling: true }"
        text += op("Pooling", f"pool{number}", b, f"p{number}", pool)
        text += conv(f"squeeze{number}", f"p{number}", f"s{number}", "num_output: 4 kernel_size: 1")
        text += op("Flatten", f"flat{number}", f"s{number}", f"f{number}")
        text += op("Scale", f"gate{number}", f"{b} f{number}", f"g{number}", "scale_param { axis: 0 }")
        b = f"g{number}"
    return text + op("Eltwise", f"add{number}", f"{start} {b}", end) + op("ReLU", f"out{number}", end, end)


TOWER = inputs(x=(1, 4, 20, 22)) + residual(1, "x", "y") + residual(2, "y", "z", gate="yes")


def test_a_residual_block_is_what_lies_between_a_fork_and_its_sum() -> None:
    first, second = net_of(TOWER).analyze().blocks()
    assert (first.name, second.name) == ("add1", "add2")
    assert [row.name for row in first.rows] == [
        "conv2", "norm2", "relu2", "conv3", "norm3", "relu3", "add1", "out1",
    ]  # fmt: skip
    assert {"squeeze2", "gate2", "add2", "out2"} <= {row.name for row in second.rows}
    assert [blob.name for blob in second.inputs] == ["y"]


def test_of_skip_connections_around_each_other_the_inner_one_is_a_block() -> None:
    keep = "num_output: 4 kernel_size: 3 pad: 1"
    text = inputs(x=(1, 4, 20, 22)) + conv("down", "x", "d", keep)
    text += conv("inner", "d", "i", keep) + op("Concat", "join1", "d i", "j")
    text += conv("up", "j", "u", keep) + op("Concat", "join2", "x u", "y")
    (block,) = net_of(text).analyze().blocks()
    assert [row.name for row in block.rows] == ["inner", "join1"]


def test_a_join_whose_inner_blobs_are_read_elsewhere_closes_no_block() -> None:
    keep = "num_output: 4 kernel_size: 3 pad: 1"
    text = inputs(x=(1, 4, 20, 22)) + conv("one", "x", "a", keep) + conv("two", "a", "b", keep)
    text += op("Eltwise", "add", "x b", "y")
    assert [block.name for block in net_of(text).analyze().blocks()] == ["add"]
    assert not net_of(text + conv("head", "a", "h", keep)).blocks()


def test_a_normalization_is_part_of_the_block_of_its_convolution() -> None:
    text = inputs(x=(1, 4, 20, 22))
    text += conv("conv1_1/dw", "x", "a", "num_output: 4 group: 4 kernel_size: 3")
    text += op("BatchNorm", "bn_conv1_1/dw", "a", "b") + op("Scale", "norm", "b", "c")
    text += conv("conv1_1/sep", "c", "d", "num_output: 8 kernel_size: 1")
    text += op("BatchNorm", "last", "d", "e")
    (block,) = net_of(text).analyze().blocks()
    assert [row.name for row in block.rows] == ["conv1_1/dw", "bn_conv1_1/dw", "norm", "conv1_1/sep", "last"]


@pytest.mark.parametrize("prefix", ["bn", "scale"])
def test_a_prefix_of_a_normalization_makes_no_block(prefix: str) -> None:
    keep = "num_output: 4 kernel_size: 3 pad: 1"
    text = inputs(x=(1, 4, 20, 22))
    for part, bottom in (("branch1", "x"), ("branch2", "branch1")):
        text += conv(f"unitA/{part}", bottom, part, keep)
        text += op("BatchNorm", f"{prefix}A/{part}", part, part) + op("Scale", f"scaleA/{part}", part, part)
    (block,) = net_of(text).analyze().blocks()
    assert (block.name, len(block.rows)) == ("unitA", 6)


@pytest.mark.parametrize(("names", "found"), [("conv1/bn conv1/scale", ["conv1"]), ("bn_conv1 scale_conv1", [])])
def test_a_folder_of_a_convolution_is_a_block_and_a_prefix_none(names: str, found: list[str]) -> None:
    first, second = names.split()
    text = inputs(data=(1, 4, 20, 22)) + op("BatchNorm", "bn_data", "data", "x")
    text += conv("conv1", "x", "c", "num_output: 4 kernel_size: 3")
    text += op("BatchNorm", first, "c", "c") + op("Scale", second, "c", "c") + op("ReLU", "relu_conv1", "c", "c")
    made = net_of(text).analyze().blocks()
    assert [block.name for block in made] == found
    for block in made:
        assert [row.name for row in block.rows] == ["conv1", first, second, "relu_conv1"]


def unit(name: str, bottom: str, rest: str, relu: bool = True) -> str:
    text = conv(name, bottom, name, rest)
    text += op("BatchNorm", f"{name}_bn", name, name) + op("Scale", f"{name}_scale", name, name)
    return text + (op("ReLU", f"{name}_relu", name, name) if relu else "")


def retina_face() -> str:
    """Two levels of a pyramid with a context module each, as RetinaFace's exported nets have them."""
    text = inputs(data=(1, 3, 64, 48)) + unit("net_conv0", "data", "num_output: 8 kernel_size: 3 stride: 2 pad: 1")
    text += unit("net_conv1", "net_conv0", "num_output: 16 kernel_size: 3 stride: 2 pad: 1")
    text += unit("rf_c2_lateral", "net_conv0", "num_output: 16 kernel_size: 1")
    text += unit("rf_c3_lateral", "net_conv1", "num_output: 16 kernel_size: 1")
    up = "convolution_param { num_output: 16 group: 16 kernel_size: 4 stride: 2 pad: 1 bias_term: false }"
    text += op("Deconvolution", "rf_c3_upsampling", "rf_c3_lateral", "up", up)
    text += op("Eltwise", "_plus0", "rf_c2_lateral up", "plus")
    text += unit("rf_c2_aggr", "plus", "num_output: 16 kernel_size: 3 pad: 1")
    keep = "num_output: 4 kernel_size: 3 pad: 1"
    for level, bottom in (("c3", "rf_c3_lateral"), ("c2", "rf_c2_aggr")):
        module = f"rf_{level}_det"
        text += unit(f"{module}_conv1", bottom, "num_output: 8 kernel_size: 3 pad: 1", False)
        text += unit(f"{module}_context_conv1", bottom, keep)
        text += unit(f"{module}_context_conv2", f"{module}_context_conv1", keep, False)
        text += unit(f"{module}_context_conv3_1", f"{module}_context_conv1", keep)
        text += unit(f"{module}_context_conv3_2", f"{module}_context_conv3_1", keep, False)
        ends = f"{module}_conv1 {module}_context_conv2 {module}_context_conv3_2"
        text += op("Concat", f"{module}_concat", ends, f"{module}_concat")
        text += op("ReLU", f"{module}_relu", f"{module}_concat", f"{module}_concat")
        text += conv(f"cls_{level}", f"{module}_concat", f"cls_{level}", "num_output: 4 kernel_size: 1")
        text += conv(f"box_{level}", f"{module}_concat", f"box_{level}", "num_output: 8 kernel_size: 1")
    return text


def test_retina_faces_context_modules_are_blocks() -> None:
    found = net_of(retina_face()).analyze().blocks()
    assert [block.name for block in found] == ["rf_c3_det_concat", "rf_c2_det_concat"]
    assert [(block.rows[0].name, block.rows[-1].name, len(block.rows)) for block in found] == [
        ("rf_c3_det_conv1", "rf_c3_det_relu", 19),
        ("rf_c2_det_conv1", "rf_c2_det_relu", 19),
    ]


def bottleneck(number: int, bottom: str, rest: str, gate: bool) -> str:
    """MobileNetV3's: expand, depthwise, squeeze and excite, project; the sum is the caller's."""
    first, second, third = (f"conv{3 * number + step}" for step in range(3))
    text = unit(first, bottom, "num_output: 12 kernel_size: 1")
    text += unit(second, first, f"num_output: 12 group: 12 kernel_size: 5 pad: 2 {rest}")
    whole = second
    if gate:
        text += op(
            "Pooling", f"pool{number}", second, f"p{number}", "pooling_param { pool: AVE global_pooling: true }"
        )
        for step, channels in ((1, 3), (2, 12)):
            made = f"fc{number}_{step}"
            param = f"inner_product_param {{ num_output: {channels} }}"
            text += op("InnerProduct", made, f"p{number}" if step == 1 else f"fc{number}_1", made, param)
        text += op("Sigmoid", f"gate{number}", f"fc{number}_2", f"fc{number}_2")
        text += op("Scale", f"scaled{number}", f"{second} fc{number}_2", f"s{number}", "scale_param { axis: 0 }")
        whole = f"s{number}"
    return text + unit(third, whole, "num_output: 8 kernel_size: 1", False)


@pytest.mark.parametrize("gate", [False, True])
def test_mobilenet_v3s_bottlenecks_are_blocks(gate: bool) -> None:
    text = inputs(x=(1, 8, 20, 22)) + bottleneck(0, "x", "", gate) + op("Eltwise", "add0", "x conv2", "y")
    text += bottleneck(1, "y", "stride: 2", gate) + bottleneck(2, "conv5", "", gate)
    text += op("Eltwise", "add2", "conv5 conv8", "z")
    found = net_of(text).analyze().blocks()
    assert [block.name for block in found] == ["add0", "add2"]
    assert [(block.rows[0].name, block.rows[-1].name) for block in found] == [("conv0", "add0"), ("conv6", "add2")]
    assert {len(block.rows) for block in found} == {17 if gate else 12}
