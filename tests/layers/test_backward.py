"""What the backward pass of forks' layers costs: figures counted by hand from their sources' loops."""

from __future__ import annotations

import pytest

from netcount import OpCount
from netcount.analysis.backward import has_rule
from netcount.layers.layer import Wanted
from tests.analysis.test_training import op
from tests.helpers import graph_of, inputs, net_of


def back(text: str, bottoms: str | None = None, params: str | None = None) -> OpCount | None:
    """The backward pass of the last layer; `bottoms` and `params`: whose gradients are wanted, "10" the first
    of two, all by default."""
    node = graph_of(net_of(text, phase="TRAIN")).nodes[-1]
    assert has_rule(node.layer)
    flags = [
        tuple(flag == "1" for flag in given) if given is not None else (True,) * len(all_)
        for given, all_ in ((bottoms, node.bottoms), (params, node.params))
    ]
    return node.layer.backward(node.bottom_shapes, node.top_shapes, Wanted(*flags))


X = inputs(x=(2, 3, 5, 7))
E = 2 * 3 * 5 * 7


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ('"ReLU6"', OpCount(muls=E, compares=2 * E)),
        ('"ReLU6" relu6_param { negative_slope: 0.5 }', OpCount(adds=E, muls=3 * E, compares=3 * E)),
        # two dot products, a scaling by each, a difference
        ('"SimpleNormalize"', OpCount(adds=3 * E, muls=4 * E, exps=2)),
        # 15·9 outputs, four neighbours each
        ('"Interp" interp_param { height: 15 width: 9 }', OpCount(adds=4 * 6 * 135, muls=8 * 6 * 135)),
        # cut to 4×5
        (
            '"Interp" interp_param { height: 4 width: 5 pad_beg: -1 pad_end: -1 }',
            OpCount(adds=4 * 120, muls=8 * 120),
        ),
        ('"Interp" interp_param { height: 3 width: 5 pad_beg: -1 pad_end: -1 }', OpCount(adds=6 * 15)),
        ('"Upsample" upsample_param { scale: 3 }', OpCount(adds=9 * E)),
        ('"Upsample" upsample_param { upsample_h: 9 upsample_w: 8 }', None),
    ],
)
def test_a_layer_of_one_bottom(layer: str, expected: OpCount | None) -> None:
    kind, _, rest = layer.partition(" ")
    assert back(X + op(kind.strip('"'), "x", "y", rest)) == expected


def test_nothing_is_counted_for_a_gradient_that_nobody_wants() -> None:
    for kind in ("ReLU6", "Interp"):
        rest = "interp_param { height: 15 width: 9 }" if kind == "Interp" else ""
        assert back(X + op(kind, "x", "y", rest), "0") == OpCount()


@pytest.mark.parametrize(
    ("param", "bottoms", "params", "expected"),
    [
        ("", "1", "1100", OpCount(adds=6 * E, muls=6 * E)),
        ("", "1", "0100", OpCount(adds=5 * E, muls=5 * E)),
        ("", "0", "1000", OpCount(adds=E, muls=E)),
        ("frozen: true", "1", "1100", OpCount(muls=E + 3)),
        ("frozen: true", "0", "1100", OpCount()),
        # SegNet's computes everything in any case
        ("scale_filler { value: 1 }", "0", "00", OpCount(adds=6 * E, muls=6 * E, divs=E)),
        ("bn_mode: INFERENCE", "1", "11", OpCount(adds=2 * E, muls=2 * E)),
    ],
)
def test_bn(param: str, bottoms: str, params: str, expected: OpCount) -> None:
    assert back(X + op("BN", "x", "y", f"bn_param {{ {param} }}"), bottoms, params) == expected


@pytest.mark.parametrize(
    ("rest", "bottoms", "params", "expected"),
    [
        # per position: a square of the norm; per element: three products, a sum, a difference, two divs
        (
            "norm_param { across_spatial: false channel_shared: false }",
            "1",
            "0",
            OpCount(adds=2 * E, muls=3 * E + 70, divs=2 * E),
        ),
        (
            "norm_param { across_spatial: false channel_shared: false }",
            "0",
            "1",
            OpCount(adds=E + 2 * 3, muls=E, divs=2 * 3),
        ),
        (
            "norm_param { across_spatial: true channel_shared: true }",
            "1",
            "1",
            OpCount(adds=2 * E + E + 1, muls=4 * E + E, divs=3 * 2 + 1),
        ),
        ("normalize_param { }", "1", "", OpCount(adds=2 * E, muls=2 * E, divs=E)),
        ('normalize_param { normalize_type: "L1" }', "1", "", OpCount(adds=2 * E, muls=2 * E, divs=E, compares=E)),
    ],
)
def test_normalize(rest: str, bottoms: str, params: str, expected: OpCount) -> None:
    assert back(X + op("Normalize", "x", "y", rest), bottoms, params) == expected


def test_the_norms_of_normalize_have_a_gradient_too() -> None:
    text = X + op("Normalize", "x", "y norms", 'normalize_param { bp_norm: true normalize_type: "L1" }')
    assert back(text) == OpCount(adds=3 * E, muls=3 * E, divs=E, compares=2 * E)
    assert back(text, "0") == OpCount(adds=E, muls=E, compares=E)


def test_axpy() -> None:
    text = inputs(a=(2, 3), x=(2, 3, 5, 7), y=(2, 3, 5, 7)) + op("Axpy", "a x y", "z")
    assert back(text) == OpCount(adds=E, muls=2 * E)
    assert back(text, "011") == OpCount(muls=E)
    assert back(text, "001") == OpCount()


def test_what_is_only_copied_costs_nothing() -> None:
    pair = inputs(a=(2, 3, 5, 7), b=(2, 3, 9, 11))
    assert back(pair + op("MergeCrop", "a b", "y", "mergecrop_param { operation: ADD }")) == OpCount()
    pooled = inputs(x=(2, 3, 5, 7), m=(2, 3, 5, 7)) + op("Upsample", "x m", "y")
    assert back(pooled) == OpCount()
    halves = inputs(x=(4, 3), l=(4,)) + op("Identity2Verify", "x l", "a b same")
    assert back(halves, "10") == OpCount()
    margin = inputs(x=(4, 3), l=(4,)) + op(
        "LabelSpecificAdd", "x l", "y", "label_specific_add_param { bias: -0.3 }"
    )
    assert back(margin, "10") == OpCount()


@pytest.mark.parametrize(
    ("kind", "param", "expected"),
    [
        # windows of 2×3×3, a stride of 1×2×2 over 4×5×7: 3·2·3 outputs, of which all see 18 values
        ("Pooling3D", "pooling3d_param { {} kernel_size: 3 kernel_depth: 2 stride: 2 }", 18 * 18),
        (
            "Pooling3D",
            "pooling_3d_param { {} kernel_l: 2 kernel_h: 3 kernel_w: 3 stride_l: 1 stride_h: 2 stride_w: 2 }",
            18 * 18,
        ),
        (
            "PoolingND",
            "pooling_nd_param { {} kernel_size: 2 kernel_size: 3 kernel_size: 3 stride: 1 stride: 2 stride: 2 }",
            18 * 18,
        ),
    ],
)
def test_pooling_of_volumes(kind: str, param: str, expected: int) -> None:
    volume = inputs(x=(2, 3, 4, 5, 7))
    seen, outputs = 6 * expected, 6 * 18

    def made(method: str) -> OpCount | None:
        return back(volume + op(kind, "x", "y", param.replace("{}", f"pool: {method}")))

    assert made("AVE") == OpCount(adds=seen, divs=seen)
    masked = OpCount(adds=outputs)
    assert made("MAX") == (OpCount(adds=seen, muls=seen, compares=seen) if "pooling3d_param" in param else masked)
    assert made("STOCHASTIC") is None


def test_psroi_pooling_spreads_each_bin_over_its_elements() -> None:
    text = inputs(x=(1, 2 * 9, 5, 7), r=(4, 5)) + op(
        "PSROIPooling", "x r", "y", "psroi_pooling_param { output_dim: 2 group_size: 3 spatial_scale: 0.5 }"
    )
    assert back(text, "10") == OpCount(adds=4 * 2 * 35, muls=8 * 4, divs=4 * 2 * 9)
    assert back(text, "00") == OpCount()


def test_contrastive_loss_is_a_bound() -> None:
    text = inputs(a=(2, 5), b=(2, 5), l=(2,))
    new = text + op("ContrastiveLoss", "a b l", "loss")
    assert back(new, "100") == OpCount(adds=4, muls=10 + 2, divs=3, compares=4, exps=2)
    old = text + op("ContrastiveLoss", "a b l", "loss", "contrastive_loss_param { legacy_version: true }")
    assert back(old, "110") == OpCount(adds=4, muls=20, divs=2, compares=8)


def test_triplet_loss() -> None:
    three = inputs(a=(2, 5), p=(2, 5), n=(2, 5)) + op("TripletLoss", "a p n", "loss")
    assert back(three) == OpCount(muls=30, divs=3)
    assert back(three, "001") == OpCount(muls=10, divs=1)
    chosen = inputs(f=(7, 5), t=(2, 3)) + op("TripletLoss", "f t", "loss", "loss_weight: 1")
    assert back(chosen, "10") == OpCount(adds=2 * 3 * 5, muls=2 * 3 * 5 + 35, divs=1)
    assert back(chosen, "00") == OpCount()


def test_center_loss() -> None:
    def made(rest: str, bottoms: str, params: str) -> OpCount | None:
        text = inputs(x=(3, 5), l=(3,)) + op(
            "CenterLoss", "x l", "loss", f"center_loss_param {{ num_output: 7 {rest} }}"
        )
        return back(text, bottoms, params)

    assert made("", "10", "0") == OpCount(muls=15, divs=1)
    # each class seeks its images among 3, adds 1 to their number and a part of what it lacks
    assert made("", "00", "1") == OpCount(adds=15 + 35 + 7, muls=35, divs=7, compares=21)
    assert made('distance_type: "L1"', "00", "1") == OpCount(adds=15 + 15 + 3, muls=15, divs=3, compares=15)


def test_cosin_l2_normalize_does_all_or_nothing() -> None:
    text = inputs(x=(3, 5), l=(3,)) + op("CosinL2Normalize", "x l", "y", "cosin_loss_param { num_output: 7 }")
    values = 15 + 35
    assert back(text, "10", "1") == OpCount(2 * 3 * 5 * 7, adds=3 * values, muls=5 * values, exps=10)
    assert back(text, "10", "0") == OpCount()


def test_multi_box_loss_is_a_bound() -> None:
    blobs = inputs(loc=(2, 3 * 4), conf=(2, 3 * 5), priors=(1, 2, 3 * 4), truth=(1, 1, 6, 8))

    def made(rest: str, bottoms: str = "1100") -> OpCount | None:
        param = f"multibox_loss_param {{ num_classes: 5 {rest} }}"
        return back(blobs + op("MultiBoxLoss", "loc conf priors truth", "loss", param), bottoms)

    assert made("") == OpCount(adds=6, muls=2 * (24 + 30), divs=4, compares=48)
    assert made("loc_loss_type: L2 conf_loss_type: LOGISTIC") == OpCount(adds=30, muls=2 * (24 + 30), divs=4)
    assert made("", "0100") == OpCount(adds=6, muls=60, divs=2)


PYTHON = 'python_param {{ module: "{}" layer: "{}" param_str: "{}" }}'


def python(name: str, text: str = "") -> str:
    module, _, layer = name.rpartition(".")
    return PYTHON.format(module, layer, text)


def test_python_layers_of_faster_rcnn_propagate_no_gradients() -> None:
    heads = inputs(s=(1, 18, 5, 7), d=(1, 36, 5, 7), i=(1, 3), t=(6, 5), r=(11, 5))
    anchors = op("Python", "s t i", "l a b c", python("rpn.anchor_target_layer.AnchorTargetLayer"))
    boxes = op("Python", "s d i", "o", python("rpn.proposal_layer.ProposalLayer"))
    drawn = op(
        "Python", "r t", "o l a b c", python("rpn.proposal_target_layer.ProposalTargetLayer", "'num_classes': 3")
    )
    for layer in (anchors, boxes, drawn):
        assert back(heads + layer) == OpCount()


def test_its_forms_in_c_abort_where_a_gradient_is_wanted() -> None:
    heads = inputs(s=(1, 18, 5, 7), d=(1, 36, 5, 7), i=(1, 3), t=(6, 5), r=(11, 5))
    anchors = op("FrcnnAnchorTarget", "s t i", "l a b c")
    boxes = op("FrcnnProposal", "s d i", "o")
    drawn = op("FrcnnProposalTarget", "r t", "o l a b c")
    for layer, number in ((anchors, 3), (boxes, 3), (drawn, 2)):
        assert back(heads + layer, "0" * number) == OpCount()
        assert back(heads + layer) is None


def test_python_layers_of_tripletloss_and_enet() -> None:
    three = inputs(a=(2, 5), p=(2, 5), n=(2, 5)) + op(
        "Python", "a p n", "y", python("tripletlosslayer.TripletLayer")
    )
    assert back(three) == OpCount(adds=30, muls=30, divs=30)
    assert back(three, "011") == OpCount()
    rows = inputs(x=(6, 5))
    assert back(rows + op("Python", "x", "a p n", python("tripletselectlayer.TripletSelectLayer"))) == OpCount()
    assert back(rows + op("Python", "x", "y", python("norm2layer.Norm2Layer"))) == OpCount()
    for phase, muls in (("TRAIN", 2 * E), ("TEST", E)):
        text = f"{{'phase': '{phase}', 'p': 0.1}}"
        dropped = op("Python", "x", "y", python("spatial_dropout.SpatialDropoutLayer", text))
        assert back(X + dropped) == OpCount(muls=muls)


def test_triplets_are_drawn_without_a_gradient() -> None:
    text = inputs(x=(6, 5), n=(3,)) + op("SampleTriplet", "x n", "t")
    assert back(text, "10") == OpCount()


def test_another_interpolation_of_its_own_is_not_taken_for_interp() -> None:
    text = X + op("BilinearInterpolation", "x", "y", "bilinear_interpolation_param { interpolation_factor: 2 }")
    assert back(text) is None


def recurrent(kind: str, bottoms: str, param: str = "") -> OpCount | None:
    text = inputs(x=(4, 3, 5), cont=(4, 3), s=(3, 2))
    return back(text + op(kind, bottoms, "y", param))


def unrolled(steps: int, static: bool, unit: bool) -> OpCount:
    """The layers inside an LSTM (or an RNN) of 7 hidden values, counted one by one as a net of their own."""
    wide = 28 if unit else 7

    def dense(bottom: str, top: str, names: str, width: int, axis: int = 2, forced: bool = False) -> str:
        blobs = "".join(f' param {{ name: "{name}" }}' for name in names.split())
        rest = f"num_output: {width} axis: {axis} bias_term: {'true' if ' ' in names else 'false'}"
        return op(
            "InnerProduct",
            bottom,
            top,
            f"inner_product_param {{ {rest} }}{blobs}" + (" propagate_down: true" if forced else ""),
        )

    text = inputs(x=(steps, 3, 5), cont=(steps, 3), c_0=(1, 3, 7), h_0=(1, 3, 7), s=(3, 2))
    text += dense("x", "xs", "W b", wide, forced=True)
    sliced = "slice_param { axis: 0 }"
    every = range(1, steps + 1)
    text += op("Slice", "xs", " ".join(f"x_{t}" for t in every), sliced)
    text += op("Slice", "cont", " ".join(f"cont_{t}" for t in every), sliced)
    if static:
        text += dense("s", "ss", "S", wide, axis=1, forced=True)
        text += op("Reshape", "ss", "s_all", f"reshape_param {{ shape {{ dim: 1 dim: -1 dim: {wide} }} }}")
    for t in every:
        last = t - 1
        text += op("Scale", f"h_{last} cont_{t}", f"going_{last}", "scale_param { axis: 0 }")
        text += dense(f"going_{last}", f"own_{t}", "H", wide)
        text += op("Eltwise", f"own_{t} x_{t}" + " s_all" * static, f"sum_{t}")
        if unit:
            text += op("LSTMUnit", f"c_{last} sum_{t} cont_{t}", f"c_{t} h_{t}")
        else:
            text += op("TanH", f"sum_{t}", f"h_{t}") + dense(f"h_{t}", f"out_{t}", "O o", 7)
            text += op("TanH", f"out_{t}", f"o_{t}")
    text += op("Concat", " ".join(f"{'h' if unit else 'o'}_{t}" for t in every), "h", "concat_param { axis: 0 }")
    text += op("Reduction", "h", "loss", "loss_weight: 1")
    layers = net_of(text, phase="TRAIN").backward(batch="net").layers
    return sum((layer.ops or OpCount(exps=-1) for layer in layers[:-1]), OpCount())


@pytest.mark.parametrize("static", [False, True])
@pytest.mark.parametrize(("kind", "unit"), [("LSTM", True), ("RNN", False)])
def test_a_recurrent_layer_is_the_backward_pass_of_its_unrolled_net(kind: str, unit: bool, static: bool) -> None:
    bottoms = "x cont s" if static else "x cont"
    assert recurrent(kind, bottoms, "recurrent_param { num_output: 7 }") == unrolled(4, static, unit)


def test_lstm() -> None:
    # 4 instants of 3 streams: 12 rows of 5 values to 4 gates of 7; the hidden state's gradient is wanted 3 times
    inside, own, first = 12 * 28 * 5, 12 * 28 * 7, 3 * 28 * 7
    values, later = 12 * 7, 3 * 3 * 7
    step = OpCount(adds=13 * values, muls=21 * values, divs=5 * values, exps=5 * values)
    plain = OpCount(2 * inside + 2 * own - first, adds=4 * values + later, muls=later) + step
    assert recurrent("LSTM", "x cont", "recurrent_param { num_output: 7 }") == plain


def test_rnn_has_two_tanhs_and_a_second_matrix() -> None:
    inside, own, first = 12 * 7 * 5, 12 * 7 * 7, 3 * 7 * 7
    values, later = 12 * 7, 3 * 3 * 7
    assert recurrent("RNN", "x cont", "recurrent_param { num_output: 7 }") == OpCount(
        2 * inside + 4 * own - first, adds=(1 + 1 + 2) * values + later, muls=4 * values + later
    )


def test_lstm_unit_computes_both_bottoms_or_none() -> None:
    text = inputs(c=(1, 3, 7), g=(1, 3, 28), cont=(1, 3)) + op("LSTMUnit", "c g cont", "d h")
    assert back(text, "010") == OpCount(adds=13 * 21, muls=21 * 21, divs=5 * 21, exps=5 * 21)
    assert back(text, "000") == OpCount()


def test_lstm_without_a_net_inside() -> None:
    inside, own, values, later = 12 * 28 * 5, 12 * 28 * 7, 12 * 7, 9 * 7
    text = inputs(x=(12, 5), marks=(12,))
    param = "lstm_param { num_output: 7 batch_size: 3 }"
    plain = text + op("Lstm", "x", "y", param)
    # the hidden state's matrix: rows of the last 3 instants, and one of the first
    assert back(plain) == OpCount(
        2 * inside + own + 28 * 7 * 10, adds=6 * values + later + 4 * values, muls=16 * values, exps=values
    )
    assert back(plain, "0", "000") == OpCount(own, adds=6 * values + later, muls=16 * values, exps=values)
    clipped = text + op("Lstm", "x marks", "y", param.replace("}", "clipping_threshold: 0.1 }"))
    assert back(clipped, "00", "000") == OpCount(
        own, adds=6 * values + values, muls=16 * values, compares=8 * values, exps=values
    )


def test_batch_norm_with_a_scale_of_its_own() -> None:
    learned = X + op("BatchNorm", "x", "y", "batch_norm_param { scale_bias: true }")
    assert back(learned) == OpCount(adds=6 * E, muls=5 * E + 2 * 3)
    kept = X + op("BatchNorm", "x", "y", "batch_norm_param { scale_bias: true use_global_stats: true }")
    assert back(kept) is None


def test_spp_adds_up_the_gradients_of_its_levels() -> None:
    def made(height: int, pool: str) -> OpCount | None:
        param = f"spp_param {{ pyramid_height: {height} pool: {pool} }}"
        return back(inputs(x=(2, 3, 4, 8)) + op("SPP", "x", "y", param))

    # one window of 4×8, then four of 2×4: every element is seen once a level
    elements = 6 * 32
    assert made(2, "MAX") == OpCount(adds=6 * 5 + elements)
    assert made(2, "AVE") == OpCount(adds=3 * elements, divs=2 * elements)
    assert made(1, "MAX") == OpCount(adds=6)
    assert made(2, "STOCHASTIC") is None


def test_losses_of_yolo_scale_gradients_that_are_kept() -> None:
    text = inputs(x=(2, 2 * 7, 3, 5), t=(2, 1500))
    values = 2 * 14 * 15

    def made(param: str, wanted: str = "10") -> OpCount | None:
        return back(text + op("Yolov3", "x t", "loss", f"yolov3_param {{ num_class: 2 num: 2 {param} }}"), wanted)

    assert made("use_logic_gradient: false") == OpCount(muls=values, divs=1)
    # 5 of the 7 values of a box are logistic
    curved = 2 * 2 * 15 * 5
    assert made("use_logic_gradient: true") == OpCount(adds=curved, muls=values + 2 * curved, divs=1)
    assert made("", "00") == OpCount()
    region = op("RegionLoss", "x t", "loss", "region_loss_param { num_class: 2 num: 2 }")
    assert back(inputs(x=(2, 14, 5, 5), t=(2, 1500)) + region, "10") == OpCount(muls=2 * 14 * 25, divs=1)


def test_prior_boxes_have_no_gradient() -> None:
    text = inputs(f=(1, 3, 5, 7), d=(1, 3, 40, 56)) + op("PriorBox", "f d", "p", "prior_box_param { min_size: 8 }")
    assert back(text) == OpCount()


def test_labels_with_weights_scale_each_score_once_more() -> None:
    text = inputs(x=(2, 3, 5, 7), l=(2, 1, 5, 7))
    weights = "weight_by_label_freqs: true class_weighting: 1 class_weighting: 2 class_weighting: 3"
    assert back(text + op("SoftmaxWithLoss", "x l", "loss"), "10") == OpCount(adds=70, muls=E, divs=1)
    weighted = text + op("SoftmaxWithLoss", "x l", "loss", f"loss_param {{ {weights} }}")
    assert back(weighted, "10") == OpCount(adds=70, muls=2 * E, divs=1)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (op("HardSigmoid", "x", "y"), OpCount(muls=2 * E, compares=2 * E)),
        (op("SeLU", "x", "y"), OpCount(muls=3 * E, compares=E, exps=E)),
        (op("NegReLU", "x", "y"), OpCount(muls=E, compares=E)),
        (
            op("NegReLU", "x", "y", "relu_param { negative_slope: 0.5 }"),
            OpCount(adds=E, muls=2 * E, compares=2 * E),
        ),
        (op("ChannelNorm", "x", "y"), OpCount(adds=E, muls=E, divs=E)),
        (op("BroadcastMul", "x c", "y"), OpCount(adds=E, muls=2 * E)),
        (op("ChannelScale", "x p", "y"), OpCount(adds=E, muls=2 * E)),
        (op("ChannelScale", "x p", "y", "channel_scale_param { do_backward_scale: false }"), OpCount(muls=E)),
        (
            op("ChannelScale", "x p", "y", "channel_scale_param { do_backward_feature: false }"),
            OpCount(adds=E, muls=E),
        ),
        (op("L1Loss", "x z", "loss"), OpCount(muls=2 * E, divs=2)),
        # FlowNet2's: bottom 1 is the negative of what bottom 0 gets
        (op("L1Loss", "x z", "loss", "l1_loss_param { }"), OpCount(muls=2 * E, divs=1, compares=E)),
        (op("L1Loss", "x", "loss", "l1_loss_param { }"), OpCount(muls=E, divs=1, compares=E)),
        (op("L1Loss", "x", "loss", "l1_loss_param { l2_per_location: true }"), None),
    ],
)
def test_further_layers_of_forks(layer: str, expected: OpCount | None) -> None:
    assert back(X + inputs(z=(2, 3, 5, 7), c=(2, 3, 1, 1), p=(2, 1, 5, 7)) + layer) == expected


def test_boxes_are_kept_or_ignored_without_a_gradient() -> None:
    text = inputs(b=(6, 5, 1, 1), s=(6, 1, 1, 1), l=(6, 1, 1, 1), w=(6, 4, 1, 1))
    kept = op("BoxAnnotatorOHEM", "b s l w", "m v", "box_annotator_ohem_param { roi_per_img: 3 }")
    assert back(text + kept) == OpCount()


def test_a_local_convolution_has_a_product_for_each_position() -> None:
    # 3×3 windows over 5×7: 3·5 positions of 27 taps, 4 filters, 2 images
    param = "local_conv_param { num_output: 4 kernel_size: 3 }"
    text = X + op("LocalConvolution", "x", "y", param)
    madds, outputs, columns = 2 * 15 * 27 * 4, 2 * 4 * 15, 2 * 27 * 15
    assert back(text) == OpCount(2 * madds, adds=columns + outputs)
    assert back(text, "0", "00") == OpCount(madds, adds=outputs)


def test_a_resampling_aborts_where_a_gradient_is_wanted() -> None:
    for layer in (
        op("Resample", "x", "y", "resample_param { width: 9 height: 8 }"),
        op("Downsample", "x", "y", "downsample_param { top_height: 2 top_width: 3 }"),
    ):
        assert back(X + layer) is None
        assert back(X + layer, "0") == OpCount()


def test_an_unpooling_takes_the_mean_of_its_windows() -> None:
    masked = inputs(x=(2, 3, 5, 7), m=(2, 3, 5, 7)) + op("Unpooling", "x m", "y", "unpooling_param { scale: 2 }")
    assert back(masked, "10") == OpCount()
    for method in ("AVE", "TILE"):
        # windows of 3×3, a stride of 2: nothing is cut off
        param = f"unpooling_param {{ unpool: {method} kernel_size: 3 stride: 2 }}"
        assert back(X + op("Unpooling", "x", "y", param)) == OpCount(adds=9 * E, divs=E)


@pytest.mark.parametrize(
    ("margin", "label"),
    [
        ("DOUBLE", OpCount(adds=4, muls=11, divs=5, exps=1)),
        ("TRIPLE", OpCount(adds=5, muls=11, divs=5, exps=1)),
        ("QUADRUPLE", OpCount(adds=7, muls=13, divs=5, exps=1)),
    ],
)
def test_a_margin_has_derivatives_at_the_label(margin: str, label: OpCount) -> None:
    param = f"margin_inner_product_param {{ num_output: 7 type: {margin} }}"
    text = inputs(x=(3, 5), l=(3,)) + op("MarginInnerProduct", "x l", "y lambda", param)
    madds, others = 3 * 5 * 7, 3 * 6
    rest = OpCount(2 * madds, adds=15 + others + 1, muls=2 * 15 + others, divs=others + 1)
    assert back(text, "10", "0") == rest + label + label + label
    assert back(text, "00", "1") == OpCount(madds)
    plain = text.replace(margin, "SINGLE")
    assert back(plain, "10", "1") == OpCount(2 * madds)


def test_losses_of_mscnn_and_cascade_rcnn_are_bounds() -> None:
    one = inputs(x=(2, 7, 5, 6), t=(2, 6, 5, 6)) + op(
        "DetectionLoss", "x t", "loss", "detection_loss_param { cls_num: 3 }"
    )
    cells = 2 * 30
    assert back(one, "10") == OpCount(adds=cells, muls=cells * (3 + 3 + 4) + 2, divs=4)
    assert back(one, "00") == OpCount()
    fields = "cls_num: 3 field_w: 40 field_w: 80 field_h: 30 field_h: 60 stride: 8"
    branch = inputs(s=(4, 3, 5, 6), b=(4, 4, 5, 6), t=(4, 6, 5, 6)) + op(
        "DetectionGroupLoss", "s b t", "loss", f"detection_group_loss_param {{ {fields} }}"
    )
    assert back(branch, "100") == OpCount(adds=120, muls=120 * 6, divs=1)
    assert back(branch, "010") == OpCount(muls=120 * 4 + 1)


def test_samplers_of_mscnn_abort_where_a_gradient_is_wanted() -> None:
    rows = inputs(s=(9,), r=(9, 5, 1, 1), t=(2, 8, 1, 1), c=(2, 3, 5, 6), b=(2, 4, 5, 6), x=(2, 7, 5, 6))
    sampled = op("ProposalTarget", "r t", "o l u v w z", "proposal_target_param { cls_num: 4 batch_size: 16 }")
    mined = op("HardMining", "s r", "o", "hard_mining_param { num_image: 2 num_roi_per_image: 3 }")
    field = "field_w: 40 field_h: 30"
    boxes = op("BoxOutput", "x", "o", f"box_output_param {{ {field} downsample_rate: 8 }}")
    grouped = op(
        "BoxGroupOutput", "c b", "o", f"box_group_output_param {{ box_group_param {{ {field} stride: 8 }} }}"
    )
    for layer, number in ((sampled, 2), (mined, 2), (boxes, 1), (grouped, 2)):
        assert back(rows + layer, "0" * number) == OpCount()
        assert back(rows + layer, "1" * number) is None
