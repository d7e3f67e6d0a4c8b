"""Old nets in the current form: the same net, the same comments, and nothing where that cannot be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import netcount
from netcount.analysis.upgrade import upgrade
from netcount.core.errors import InputError, NetcountError
from netcount.core.files import read_text
from netcount.prototxt import read_net
from netcount.prototxt.modernize import modernized, same
from tests.helpers import CORPUS, SAMPLES, WIDE, conformance_cases, inputs, needs_corpus, public_nets

V0 = """# the oldest form
name: "old"
input: "x"  # an image
input_dim: 2 input_dim: 3
input_dim: 8
input_dim: 9
debug_info: true
layers {
  layer { # the padding
    name: "p"
    type: "padding"
    pad: 2  # two
  }
  bottom: "x"
  top: "p"
}
layers {
  layer {
    name: "conv1"  # named
    type: "conv"
    num_output: 4  # few
    kernelsize: 3;
    pad: 9
    stride: 2
    weight_filler {
      type: "gaussian"  # small
      std: 0.01
    }
    local_size: 5
    blobs_lr: 1.
    blobs_lr: 2.
    weight_decay: 1.
  }
  bottom: "p"
  top: "conv1"
}
layers { layer { name: "r" type: "relu" } bottom: "conv1" top: "conv1" }
layers { layer { name: "pool" type: "pool" pool: AVE kernelsize: 2 } bottom: "conv1" top: "pool" }
layers { layer { name: "fc" type: "innerproduct" num_output: 5 biasterm: false } bottom: "pool" top: "fc" }
"""
V1 = """input: 'x' input_shape { dim: [1, 3, 8, 9] }
layers <
  name: "d" type: DATA top: "d" top: "l"
  data_param { source: "db" # where
    batch_size: 4, mean_file: "m" crop_size: 7 }
  transform_param { mirror: true crop_size: 3 }
  include { phase: TRAIN }
>
layers { name: "c" type: 4 bottom: "x" top: "c" blobs_lr: [1, 2] weight_decay: 1 param: "w" param: "b"
  blob_share_mode: PERMISSIVE convolution_param { num_output: 4 kernel_size: 3 } }
layers: [ { name: "r" type: RELU bottom: "c" top: "c" }, { name: "s" type: SOFTMAX bottom: "c" top: "s" } ]
"""


def costs(net: netcount.Net) -> list[object]:
    return [(row.name, row.bottoms, row.tops, row.params, row.statistics, row.ops) for row in net.analyze().layers]


def comments(text: str) -> list[str]:
    return re.findall(r"#[^\n]*", text)


@pytest.mark.parametrize("text", [V0, V1], ids=["V0", "V1"])
def test_an_old_net_stays_the_same_net(text: str) -> None:
    made = upgrade(text).text
    assert not re.search(r"\blayers\b|\bblobs_lr\b|\binput_dim\b|\binput_shape\b|: CONVOLUTION", made)
    assert sorted(comments(made)) == sorted(comments(text))
    assert costs(netcount.loads(made)) == costs(netcount.loads(text))
    assert upgrade(made).text == made
    assert not re.search(r"[ \t]$|\0", made, re.MULTILINE)


def test_a_v0_layer_reads_as_one_of_today() -> None:
    made = upgrade(V0).text
    assert (
        """layer {
  name: "conv1"  # named
  type: "Convolution"
  convolution_param {
    num_output: 4
    kernel_size: 3
    stride: 2
    weight_filler {
      type: "gaussian"  # small
      std: 0.01
    }
    pad: 2
  }  # few
  param { lr_mult: 1. decay_mult: 1. }
  param { lr_mult: 2. }
  bottom: "x"
  top: "conv1"
}"""
        in made
    )
    assert 'name: "p"' not in made
    assert "debug_info" not in made


def test_v1_parts_move_where_they_belong() -> None:
    made = upgrade(V1).text
    assert 'param { lr_mult: 1 decay_mult: 1 name: "w" share_mode: PERMISSIVE }' in made
    assert 'transform_param { mirror: true mean_file: "m" crop_size: 7 }' in made
    assert 'type: "Softmax"' in made
    assert upgrade(V1).forms == ("V1 layers", "inputs in the header")


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("pooling_param { ceil_mode: false stride: 2 kernel_size: 2 }",
         "pooling_param { round_mode: FLOOR stride: 2 kernel_size: 2 }"),
        ("pooling_param { ceil_mode: true kernel_size: 2 }", "pooling_param { kernel_size: 2 }"),
        ("pooling_param { kernel_size: 2 round_mode: FLOOR ceil_mode: true }",
         "pooling_param { kernel_size: 2 round_mode: FLOOR }"),
    ],
)  # fmt: skip
def test_spellings_of_forks(text: str, made: str) -> None:
    net = inputs(x=(1, 3, 7, 9)) + 'layer { name: "p" type: "Pooling" bottom: "x" top: "p" PARAM }\n'
    assert upgrade(net.replace("PARAM", text)).text == net.replace("PARAM", made)


@pytest.mark.parametrize("kind", ["ConvolutionDepthwise", "DepthwiseConvolution"])
def test_depthwise_types_become_groups(kind: str) -> None:
    param = "kernel_size: 3" if kind == "ConvolutionDepthwise" else "kernel_size: 3 group: 6 num_output: 6"
    text = inputs(x=(1, 6, 7, 9)) + (
        f'layer {{ name: "p" type: "{kind}" bottom: "x" top: "p" convolution_param {{ {param} }} }}\n'
    )
    made = upgrade(text)
    assert 'type: "Convolution"' in made.text
    assert made.net is not None
    assert made.net.node("p").layer.window([netcount.Shape((1, 6, 7, 9))]).depthwise  # type: ignore[union-attr]
    assert made.forms == ("spellings of forks",)
    assert costs(netcount.loads(made.text)) == costs(netcount.loads(text))


def test_statistics_are_fixed_as_caffe_fixes_them() -> None:
    text = inputs(x=(1, 6, 7, 9)) + (
        'layer { name: "b" type: "BatchNorm" bottom: "x" top: "b" param { lr_mult: 1 } param { decay_mult: 2 }\n'
        "param { lr_mult: 0 decay_mult: 0 } }\n"
    )
    assert (
        "param { lr_mult: 0 decay_mult: 0 } param { decay_mult: 0 lr_mult: 0 }\nparam { lr_mult: 0 decay_mult: 0 }"
        in upgrade(text).text
    )


def test_solvers() -> None:
    text = 'net: "a.prototxt"  # beside\nsolver_type: NESTEROV\nbase_lr: 0.1\n'
    assert upgrade(text).text == text.replace("solver_type: NESTEROV", 'type: "Nesterov"')
    held = 'net_param { layers { name: "r" type: RELU bottom: "x" top: "y" } } base_lr: 0.1'
    assert 'layer { name: "r" type: "ReLU"' in upgrade(held).text


@pytest.mark.parametrize(
    "text",
    [
        'input: "x" input: "y" input_dim: 1 input_dim: 2 input_dim: 3 input_dim: 4\n'
        'layer { name: "r" type: "ReLU" bottom: "x" top: "z" }',
        'layers { layer { name: "a" type: "nothing" } top: "x" }',
        'layers { name: "a" type: RELU } layer { name: "b" type: "ReLU" }',
        "layer { name: 3 }",
        "{",
        "layer { x " * 90 + "}" * 90,
    ],
)
def test_what_caffe_would_not_read_is_an_error(text: str) -> None:
    with pytest.raises(InputError):
        upgrade(text)


def test_layers_of_unknown_types_are_upgraded_too() -> None:
    text = 'input: "x" input_dim: 1 input_dim: 2 input_dim: 3 input_dim: 4\n'
    text += 'layer { name: "u" type: "Unheard" bottom: "x" top: "y" unheard_param { a: 3 } }\n'
    made = upgrade(text)
    assert made.net is None
    assert made.text.endswith(text[text.index("layer") :])


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.prototxt")), ids=lambda path: path.stem)
def test_samples(path: Path) -> None:
    text = read_text(path)
    made = upgrade(text).text
    assert costs(netcount.loads(made)) == costs(netcount.loads(text))


@pytest.mark.parametrize("case", conformance_cases(), ids=lambda case: case["name"])
def test_conformance_cases(case: dict[str, object]) -> None:
    text = str(case["prototxt"])
    try:
        made = upgrade(text).text
    except NetcountError:
        assert case["verdict"] == "rejected" or case["name"] == "net_input_count_bad", "Caffe reads past an end"
        return
    try:
        before = costs(netcount.loads(text))
    except NetcountError as problem:
        with pytest.raises(type(problem)):
            netcount.loads(made)
        return
    assert costs(netcount.loads(made)) == before


@needs_corpus
def test_public_nets_read_the_same() -> None:
    """Every field of every layer; some are built too."""
    paths = [*public_nets(CORPUS, 6), *(public_nets(WIDE, 24) if WIDE.is_dir() else [])]
    changed = 0
    for number, path in enumerate(paths):
        problems: list[NetcountError] = []
        try:
            text = read_text(path)
            before = read_net(text, path.name, problems, [])
        except NetcountError:
            continue
        if problems:
            continue
        made = modernized(text)
        changed += made != text
        again: list[NetcountError] = []
        assert same(before, read_net(made, path.name, again, [])), path.name
        assert not again
        assert modernized(made) == made, path.name
        assert sorted(comments(made)) == sorted(comments(text)), path.name
        if number % 20 == 0:
            upgrade(text)
    assert changed > 20
