"""What would fit: edits that the target takes, and the largest width and resolution."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from netcount.analysis.count import count
from netcount.analysis.rescale import Rescaler
from netcount.graph.load import load_text
from netcount.targets.edits import edits
from netcount.targets.fit import Edit, Fit, Target, WhatFits, fit
from netcount.targets.profile import read_profile
from netcount.targets.shipped import profile
from netcount.targets.what_fits import what_fits
from tests.command import run
from tests.helpers import SAMPLES, valid
from tests.targets.cases import conv, pool

HEAD = """schema = "netcount-target/1"
name = "Chip"
toolchain = "cc"
version = "1"
reliability = "ours"
unlisted = "accepted"
[[rule]]
type = "Convolution"
"""


def against(folder: Path, rule: str) -> Target:
    path = folder / "chip.toml"
    path.write_text(HEAD + rule, encoding="utf-8")
    return Target.of(read_profile(path))


def held(folder: Path, rule: str, text: str) -> Fit:
    return fit(count(load_text(text)), against(folder, rule))


def only(found: list[Edit]) -> Edit:
    (edit,) = found
    return edit


@pytest.mark.parametrize("effect", ["refused", "cpu"])
def test_a_large_kernel_becomes_small_ones(tmp_path: Path, effect: str) -> None:
    rule = f'kernel = "..3"\neffect = "{effect}"\n'
    edit = only(edits(held(tmp_path, rule, conv("kernel_size: 5 pad: 2 stride: 2", shape=(1, 8, 21, 23), out=6))))
    first, second = 8 * 6 * 9 + 6, 6 * 6 * 9 + 6
    assert edit.what == "write the 5×5 as 2 3×3"
    assert edit.params == first + second - (8 * 6 * 25 + 6)
    assert edit.madds == 21 * 23 * 8 * 6 * 9 + 11 * 12 * 6 * 6 * 9 - 11 * 12 * 8 * 6 * 25
    assert not edit.same
    assert only(edits(held(tmp_path, rule, conv("kernel_size: 7 pad: 3")))).what == "write the 7×7 as 3 3×3"
    assert edits(held(tmp_path, rule, conv("kernel_size: 4"))) == []


@pytest.mark.parametrize("fields", ["kernel_size: 5 pad: 2", "kernel_size: 5 pad_h: 0 pad_w: 1 stride: 3"])
def test_small_kernels_make_the_same_shape(tmp_path: Path, fields: str) -> None:
    """Else the next layer would see another plane."""
    from netcount.layers.convolution.convolution import Convolution
    from netcount.targets import edits as module

    node = load_text(conv(fields, out=6)).nodes[-1]
    window = node.layer.window(node.bottom_shapes)
    assert window is not None
    assert isinstance(node.layer, Convolution)
    made = load_text(module._net(node, module._small(node, window, 6, True, 2)))
    assert made.nodes[-1].top_shapes == node.top_shapes


def test_groups_are_unrolled_or_filled_with_zeros(tmp_path: Path) -> None:
    rule = "group = 1\n"
    edit = only(edits(held(tmp_path, rule, conv("kernel_size: 3 group: 2"))))
    assert edit == Edit("l", 2, "unroll the 2 groups: Slice, 2 convolutions, Concat", 0, 0, True)
    edit = only(edits(held(tmp_path, rule, conv("kernel_size: 3 pad: 1 group: 8"))))
    assert edit.what == "write it without groups, with zeros between them"
    assert (edit.params, edit.madds) == (7 * 8 * 9, 7 * 8 * 9 * 20 * 22)


def test_an_edit_has_to_be_taken_by_the_target(tmp_path: Path) -> None:
    """Slice is not among NVDLA's types, so groups are filled; nothing is proposed that is refused as well."""
    found = fit(count(load_text(conv("kernel_size: 3 group: 2"))), Target.of(profile("nvdla-small")))
    assert only(edits(found)).what == "write it without groups, with zeros between them"
    rule = 'group = 1\n[[rule]]\ntype = "Convolution"\nkernel = "..1"\n'
    assert edits(held(tmp_path, rule, conv("kernel_size: 3 group: 2"))) == []


def test_a_bias_of_zeros_and_an_average_in_steps() -> None:
    k210 = Target.of(profile("kendryte-k210"))
    found = fit(count(load_text(conv("kernel_size: 3 pad: 1 bias_term: false"))), k210)
    assert only(edits(found)) == Edit("l", 2, "give it a bias of zeros", 8, 0, True)
    nvdla = Target.of(profile("nvdla-small"))
    found = fit(count(load_text(pool("pool: AVE global_pooling: true", (1, 8, 14, 14)))), nvdla)
    assert only(edits(found)).what == "average in two steps, 7×7 and 2×2"
    assert edits(fit(count(load_text(pool("pool: AVE global_pooling: true", (1, 8, 13, 13)))), nvdla)) == []


def would_fit(sample: str, target: str) -> tuple[Fit, WhatFits]:
    rescaler = Rescaler.of_file(SAMPLES / f"{sample}.prototxt", both_phases=False)
    found = fit(count(rescaler.net), Target.of(profile(target)))
    return found, what_fits(rescaler, found)


def test_the_largest_width_and_resolution_fit_and_the_next_larger_do_not() -> None:
    found, would = would_fit("squeezenet_v1.1", "kendryte-k210")
    assert [edit.layer for edit in would.edits] == ["drop9"]
    assert would.rest == ("conv1",)
    assert would.width is not None
    assert would.resolution is not None
    assert would.width.width == Fraction(1, 2)
    assert would.resolution.resolution == (160, 160)
    rescaler = Rescaler.of_file(SAMPLES / "squeezenet_v1.1.prototxt", both_phases=False)
    for width, size, fits in (("1/2", None, True), ("11/20", None, False), ("1", 160, True), ("1", 176, False)):
        counted = count(rescaler.rescaled(width, size).net)
        stops = [one.layer for one in fit(counted, found.target).findings if one.stops]
        assert (stops == ["drop9"]) is fits


def test_what_fits_needs_nothing() -> None:
    _, would = would_fit("resnet50", "rknn1")
    assert would == WhatFits((), (), None, None)


def test_the_command_shows_it() -> None:
    path = str(SAMPLES / "squeezenet_v1.1.prototxt")
    done = run("fit", path, "--target", "kendryte-k210", "--what-would-fit")
    assert "largest resolution that fits once the edits are made: 160×160" in done.stdout
    shown = json.loads(run("fit", path, "--target", "kendryte-k210", "--what-would-fit", "-f", "json").stdout)
    would = valid(shown, "fit")["would_fit"]
    assert would["width"]["width"] == 0.5
    assert would["resolution"]["resolution"] == [160, 160]
    alexnet = run("fit", str(SAMPLES / "alexnet.prototxt"), "--target", "nvdla-small", "--what-would-fit").stdout
    assert "no edit is known for norm1, norm2" in alexnet
    assert "no smaller width alone fits" in alexnet
