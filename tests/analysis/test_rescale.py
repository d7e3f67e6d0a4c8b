"""Width and resolution: the published tables, consistency in every sample, and an untouched layout."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import netcount
from netcount.analysis.rescale import Rescaler
from netcount.core.errors import InputError
from netcount.execute.verify import verify
from tests.helpers import CORPUS, SAMPLES, graph_of, inputs, needs_corpus

ALL_SAMPLES = sorted(path.stem for path in SAMPLES.glob("*.prototxt"))
MOBILENET = SAMPLES / "mobilenet_v1.prototxt"


def conv(name: str, bottom: str, top: str, rest: str) -> str:
    return (
        f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{top}" '
        f"convolution_param {{ {rest} }} }}\n"
    )


def widths(text: str, width: float = 0.5, assume: Any = None, **options: Any) -> dict[str, int]:
    """Channels of every convolution of the rescaled net."""
    net = netcount.loads(text, assume=assume).rescale(width=width, **options).net
    return {node.name: node.tops[0].shape[1] for node in net.nodes if node.params and node.type == "Convolution"}


@pytest.mark.parametrize(
    ("width", "resolution", "madds"),
    [
        ("1", 224, 568.74), ("0.75", 224, 325.40), ("0.5", 224, 149.50), ("0.25", 224, 41.03),
        ("1", 192, 418.12), ("1", 160, 290.68), ("1", 128, 186.40), ("0.5", 160, 76.52),
    ],
)  # fmt: skip
def test_mobilenets_published_table(width: str, resolution: int, madds: float) -> None:
    found = netcount.rescale(MOBILENET, width=width, resolution=resolution)
    assert found.classifiers == ("fc7",)
    assert round(netcount.loads(found.text).analyze().totals.madds / 1e6, 2) == madds


def test_half_a_mobilenet_has_1_32_million_params_without_batch_norm() -> None:
    rows = netcount.loads(netcount.rescale(MOBILENET, width=0.5).text).analyze().layers
    assert round(sum(row.params for row in rows if row.type == "Convolution") / 1e6, 2) == 1.32


@pytest.mark.parametrize("name", ALL_SAMPLES)
@pytest.mark.parametrize("width", ["0.25", "0.77", "1.4"])
def test_every_sample_rescales_and_keeps_its_answer(name: str, width: str) -> None:
    rescaler = Rescaler.of_file(SAMPLES / f"{name}.prototxt")
    found = rescaler.rescaled(width, 192 if name not in ("alexnet", "nin") else 227, 2)
    net = netcount.loads(found.text)
    before = rescaler.net
    assert [node.name for node in net.nodes] == [node.name for node in before.nodes]
    for index in before.outputs:
        assert net.blobs[index].shape == before.blobs[index].shape
    assert len(found.changes) == sum(node.type == "Convolution" for node in before.nodes) - len(
        [c for c in found.classifiers if before.node(c).type == "Convolution"]
    )
    for node, old in zip(net.nodes, before.nodes, strict=True):
        window, was = node.layer.window(node.bottom_shapes), old.layer.window(old.bottom_shapes)
        if window is not None and was is not None and old.params:
            assert window.depthwise == was.depthwise
            assert window[:4] == was[:4]


@pytest.mark.parametrize("name", ["squeezenet_v1.1", "mobilenet_v2"])
def test_only_numbers_change(name: str) -> None:
    before = (SAMPLES / f"{name}.prototxt").read_text(encoding="utf-8")
    after = netcount.rescale(SAMPLES / f"{name}.prototxt", width=0.5, resolution=160).text
    digits = re.compile(r"\d+")
    changed = 0
    for old, new in zip(before.splitlines(), after.splitlines(), strict=True):
        assert digits.sub("0", old) == digits.sub("0", new)
        if old != new:
            changed += 1
            assert re.search(r"num_output|group|dim", old)
            assert not old.lstrip().startswith("#")
    assert changed > 20


def test_the_same_width_changes_nothing() -> None:
    for name in ALL_SAMPLES:
        path = SAMPLES / f"{name}.prototxt"
        assert netcount.rescale(path).text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [0.5, 0.3])
def test_a_rescaled_net_runs(width: float) -> None:
    found = netcount.rescale(SAMPLES / "mobilenet_v2.prototxt", width=width, resolution=64)
    assert verify(graph_of(netcount.loads(found.text))).agrees


CHAIN = inputs(x=(1, 3, 9, 11))


def test_channels_are_rounded_to_the_nearest_and_never_to_none() -> None:
    text = (
        CHAIN
        + conv("a", "x", "a", "num_output: 5 kernel_size: 1")
        + conv("b", "a", "b", "num_output: 7 kernel_size: 1")
    )
    text += conv("c", "b", "c", "num_output: 9 kernel_size: 1")
    assert widths(text) == {"a": 3, "b": 4, "c": 9}
    assert widths(text, 0.01) == {"a": 1, "b": 1, "c": 9}
    assert widths(text, 0.5, multiple=8) == {"a": 8, "b": 8, "c": 9}
    assert widths(text, 0.5, keep=["a"]) == {"a": 5, "b": 4, "c": 9}


@given(st.integers(1, 4000), st.fractions(min_value=0.02, max_value=3), st.sampled_from([1, 2, 8, 16]))
def test_no_more_than_a_tenth_is_lost_to_rounding(channels: int, width: Any, multiple: int) -> None:
    from netcount.analysis._support.widths import Multiplier

    found = Multiplier(width, multiple).scaled(channels)
    assert found % multiple == 0
    assert found >= multiple
    if multiple > 1:
        assert found * 10 >= channels * width * 9
    assert found <= max(multiple, channels * width + multiple)


def test_depthwise_groups_follow_a_concat() -> None:
    text = (
        CHAIN
        + conv("a", "x", "a", "num_output: 5 kernel_size: 1")
        + conv("b", "x", "b", "num_output: 7 kernel_size: 1")
    )
    text += 'layer { name: "j" type: "Concat" bottom: "a" bottom: "b" top: "j" }\n'
    text += conv("dw", "j", "d", "num_output: 24 group: 12 kernel_size: 3") + conv(
        "c", "d", "c", "num_output: 9 kernel_size: 1"
    )
    found = netcount.loads(text).rescale(width=0.5)
    node = found.net.node("dw")
    window = node.layer.window(node.bottom_shapes)
    assert window is not None
    assert (window.group, node.tops[0].shape[1]) == (3 + 4, 14)


SUM = 'layer { name: "s" type: "Eltwise" bottom: "%s" bottom: "%s" top: "s" }\n'


def test_one_channel_a_group_stays_one() -> None:
    text = inputs(data=(1, 3, 9, 11)) + conv("wide", "data", "a", "num_output: 32 kernel_size: 1")
    text += conv("up", "a", "b", "num_output: 16 group: 16 kernel_size: 3").replace("Convol", "Deconvol", 1)
    text += conv("out", "b", "y", "num_output: 5 kernel_size: 1")
    made = netcount.loads(text).rescale(width=0.5)
    assert [(change.layer, change.now) for change in made.changes] == [("wide", 16), ("up", 8)]
    assert made.net.nodes[2].params[0].shape == (16, 1, 3, 3)


def test_what_feeds_proposals_is_an_answer() -> None:
    text = inputs(data=(1, 3, 32, 48), info=(1, 3)) + conv("body", "data", "f", "num_output: 32 kernel_size: 1")
    text += conv("score", "f", "s", "num_output: 18 kernel_size: 1")
    text += conv("move", "f", "m", "num_output: 36 kernel_size: 1")
    text += """
    layer { name: "p" type: "Python" bottom: "s" bottom: "m" bottom: "info" top: "rois"
            python_param { module: "rpn.proposal_layer" layer: "ProposalLayer" param_str: "'feat_stride': 16" } }
    layer { name: "r" type: "ROIPooling" bottom: "f" bottom: "rois" top: "r"
            roi_pooling_param { pooled_h: 3 pooled_w: 5 } }
    layer { name: "fc" type: "InnerProduct" bottom: "r" top: "y" inner_product_param { num_output: 7 } }
    """
    made = netcount.loads(text).rescale(width=0.5)
    assert made.classifiers == ("score", "move", "fc")
    assert [change.layer for change in made.changes] == ["body"]


def test_branches_that_are_added_up_stay_alike() -> None:
    text = (
        CHAIN
        + conv("a", "x", "a", "num_output: 5 kernel_size: 1")
        + conv("b", "x", "b", "num_output: 5 kernel_size: 1")
    )
    text += 'layer { name: "j" type: "Concat" bottom: "a" bottom: "b" top: "j" }\n'
    text += conv("c", "x", "c", "num_output: 10 kernel_size: 1") + SUM % ("j", "c")
    text += conv("d", "s", "d", "num_output: 9 kernel_size: 1")
    assert widths(text) == {"a": 3, "b": 3, "c": 6, "d": 9}, "10/2 = 5 would not be 3 + 3"


def test_a_kept_layer_is_followed_along_its_shortcuts() -> None:
    text = (
        CHAIN
        + conv("a", "x", "a", "num_output: 8 kernel_size: 1")
        + conv("b", "x", "b", "num_output: 8 kernel_size: 1")
    )
    text += SUM % ("a", "b")
    text += conv("c", "s", "c", "num_output: 8 kernel_size: 1")
    text += 'layer { name: "t" type: "Eltwise" bottom: "s" bottom: "c" top: "t" }\n'
    text += conv("d", "t", "d", "num_output: 9 kernel_size: 1")
    assert widths(text) == {"a": 4, "b": 4, "c": 4, "d": 9}
    assert widths(text, keep=["a"]) == {"a": 8, "b": 8, "c": 8, "d": 9}
    assert widths(text, keep=["c"]) == {"a": 8, "b": 8, "c": 8, "d": 9}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            inputs(x=(1, 8, 9, 11)) + conv("a", "x", "a", "num_output: 8 kernel_size: 1")
            + conv("k", "a", "k", "num_output: 8 kernel_size: 1") + SUM % ("x", "k")
            + conv("b", "s", "b", "num_output: 9 kernel_size: 1"),
            None,
        ),
        (
            CHAIN + conv("a", "x", "a", "num_output: 6 kernel_size: 1")
            + conv("g", "a", "g", "num_output: 6 group: 2 kernel_size: 1")
            + conv("b", "g", "b", "num_output: 9 kernel_size: 1"),
            r':3:\d+: Convolution "g": 3 input channels could not be divided by group 2; round with multiple=2',
        ),
        (
            CHAIN + conv("a", "x", "a", "num_output: 6 kernel_size: 1")
            + 'layer { name: "cut" type: "Slice" bottom: "a" top: "p" top: "q" slice_param { slice_point: 2 } }\n'
            + conv("b", "p", "b", "num_output: 9 kernel_size: 1")
            + conv("c", "q", "c", "num_output: 9 kernel_size: 1"),
            r':3:\d+: Slice "cut": its slice_point is for 6 channels, and there would be 3',
        ),
        (
            CHAIN + conv("a", "x", "a", "num_output: 6 kernel_size: 1")
            + 'layer { name: "r" type: "Reshape" bottom: "a" top: "r" '
            "reshape_param { shape { dim: 0 dim: 6 dim: -1 dim: 0 } } }\n"
            + conv("b", "r", "b", "num_output: 9 kernel_size: 1"),
            r':3:\d+: Reshape "r": its shape holds the number of channels of 1×6×9×11 as a constant',
        ),
        (
            CHAIN + conv("a", "x", "a", "num_output: 6 kernel_size: 1")
            + 'layer { name: "r" type: "Reshape" bottom: "a" top: "r" '
            "reshape_param { shape { dim: 0 dim: 6 dim: 9 dim: 11 } } }\n"
            + conv("b", "r", "b", "num_output: 9 kernel_size: 1"),
            r':3:\d+: rescaled, the net would be refused: Reshape "r"',
        ),
    ],
)  # fmt: skip
def test_a_constant_in_the_file_may_make_it_impossible(text: str, message: str | None) -> None:
    if message is None:  # the input's channels are fixed; what is added to them follows
        assert widths(text) == {"a": 4, "k": 8, "b": 9}
        return
    with pytest.raises(InputError, match=message):
        netcount.loads(text).rescale(width=0.5)


def test_a_reshape_that_infers_the_channels_is_no_obstacle() -> None:
    shuffle = (
        'layer { name: "r" type: "Reshape" bottom: "a" top: "r" '
        "reshape_param { shape { dim: 0 dim: 2 dim: -1 dim: 9 dim: 11 } } }\n"
        'layer { name: "r2" type: "Reshape" bottom: "r" top: "r2" '
        "reshape_param { shape { dim: 0 dim: -1 dim: 9 dim: 11 } } }\n"
    )
    text = CHAIN + conv("a", "x", "a", "num_output: 8 kernel_size: 1") + shuffle
    assert widths(text + conv("b", "r2", "b", "num_output: 9 kernel_size: 1")) == {"a": 4, "b": 9}


def test_layers_of_the_other_phase_follow() -> None:
    text = CHAIN + conv("a", "x", "a", "num_output: 8 kernel_size: 1")
    text += conv("aux", "a", "aux", "num_output: 6 kernel_size: 1").replace(
        "bottom", "include { phase: TRAIN } bottom", 1
    )
    text += conv("head", "aux", "head", "num_output: 6 kernel_size: 1").replace(
        "bottom", "include { phase: TRAIN } bottom", 1
    )
    text += conv("b", "a", "b", "num_output: 9 kernel_size: 1")
    train = netcount.loads(netcount.loads(text).rescale(width=0.5).text, phase="TRAIN")
    assert [train.node(name).tops[0].shape[1] for name in ("a", "aux", "head", "b")] == [4, 3, 6, 9]


def test_names_that_are_not_there_are_refused() -> None:
    with pytest.raises(InputError, match='no convolution is called "conv5_3"'):
        netcount.rescale(MOBILENET, keep=["conv5_3"])
    with pytest.raises(InputError, match="width: a factor is above 0"):
        netcount.rescale(MOBILENET, width=0)


LEGACY = 'input: "x" input_dim: 1 input_dim: 3 input_dim: 24 input_dim: 26\n'
V1 = """
layers { name: "c" type: CONVOLUTION bottom: "x" top: "c" convolution_param { num_output: 010 kernel_size: 3 } }
layers { name: "d" type: CONVOLUTION bottom: "c" top: "d" convolution_param { num_output: 0x9 kernel_size: 3 } }
"""
V0 = """
layers { layer { name: "c" type: "conv" num_output: 8 kernelsize: 3 } bottom: "x" top: "c" }
layers { layer { name: "d" type: "conv" num_output: 9 kernelsize: 3 } bottom: "c" top: "d" }
"""


@pytest.mark.parametrize("old", [V1, V0])
def test_old_formats_are_edited_too(old: str) -> None:
    found = netcount.loads(LEGACY + old).rescale(width=0.5, resolution=16)
    nodes = netcount.loads(found.text).nodes[1:]
    assert [node.tops[0].shape for node in nodes] == [
        (1, 4, 14, 14),
        (1, 9, 12, 12),
    ]


def public_nets() -> list[Path]:
    return sorted((CORPUS / "nets").glob("*.prototxt")) if CORPUS.is_dir() else []


@needs_corpus
@pytest.mark.parametrize("path", public_nets(), ids=lambda path: path.stem)
def test_public_nets_rescale_or_say_why_not(path: Path) -> None:
    try:
        rescaler = Rescaler.of_file(path)
    except InputError:
        return
    try:
        found = rescaler.rescaled("0.5", None, 2)
    except InputError as refusal:
        assert re.search(r":\d+:\d+: ", str(refusal))
        return
    net = netcount.loads(found.text, input_shapes=rescaler.options.input_shapes)
    for old, new in zip(rescaler.net.nodes, net.nodes, strict=True):
        if old.name in found.classifiers:
            assert old.tops[0].shape[1:2] == new.tops[0].shape[1:2]
