"""Different nets side by side: nothing is paired, and every group adds up to the totals."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest
from click.testing import CliRunner

import netcount
from netcount.analysis.compare import Comparison, compared, facts
from netcount.analysis.count import count
from netcount.analysis.strangers import NO_PLANE, OTHERS, groups
from netcount.cli.main import netcount as command
from netcount.graph.load import load_net, load_text
from tests.helpers import SAMPLES, inputs, valid


def sample(name: str) -> str:
    return str(SAMPLES / f"{name}.prototxt")


def comparison(*names: str) -> Comparison:
    return compared([facts(count(load_net(sample(name)))) for name in names])


def test_versions_and_strangers() -> None:
    versions = comparison("squeezenet_v1.0", "squeezenet_v1.1", "squeezenet_v1.0_complex_bypass", "mobilenet_v1")
    assert versions.versions == (True, True, False)
    assert comparison("alexnet", "nin", "vgg16", "googlenet", "resnet50").versions == (False,) * 4
    assert comparison("mobilenet_v2", "mobilenet_v2_arxiv1").versions == (True,)


def test_a_thinner_and_a_renamed_net_are_versions() -> None:
    before = load_net(sample("mobilenet_v1"))
    text = (SAMPLES / "mobilenet_v1.prototxt").read_text()
    renamed = load_text(
        text.replace('name: "conv', 'name: "my').replace('om: "conv', 'om: "my').replace('op: "conv', 'op: "my')
    )
    thin = load_text(netcount.rescale(sample("mobilenet_v1"), width=0.5).text)
    assert compared([facts(count(net)) for net in (before, thin, renamed)]).versions == (True, True)


def test_nothing_of_a_stranger_is_paired() -> None:
    (changes,) = comparison("alexnet", "nin").changes
    assert {change.kind for change in changes} == {"added", "removed"}
    assert sum(change.kind == "added" for change in changes) == len(load_net(sample("nin")).nodes)
    assert changes[0].layer.name == "conv2"


@pytest.mark.parametrize("pair", [*combinations(["alexnet", "nin", "mobilenet_v2", "googlenet"], 2)], ids="-".join)
def test_groups_add_up(pair: tuple[str, str]) -> None:
    nets = comparison(*pair).nets
    for by in ("kind", "stage"):
        chosen = [group for group in groups(nets) if group.by == by]
        for index, net in enumerate(nets):
            assert sum(group.sums[index].layers for group in chosen) == net.totals["layers"]
            for key in ("params", "madds"):
                assert sum(getattr(group.sums[index], key) for group in chosen) == net.totals[key]


def test_kinds_and_stages() -> None:
    kinds = {
        group.name: group.sums
        for group in groups(comparison("mobilenet_v1", "alexnet").nets)
        if group.by == "kind"
    }
    assert kinds["3×3 depthwise"][0].layers == 13
    assert kinds["3×3 in groups"][1].layers == 2
    assert kinds["InnerProduct"][1].madds == 58_621_952
    assert kinds[OTHERS][0].madds == 0
    stages = [group for group in groups(comparison("vgg16", "nin").nets) if group.by == "stage"]
    assert [group.name for group in stages] == ["1/1", "1/2", "1/4", "1/8", "1/16", "1/32", NO_PLANE]


def test_a_plane_that_grows() -> None:
    text = inputs(x=(1, 2, 8, 12)) + (
        'layer { name: "up" type: "Deconvolution" bottom: "x" top: "u" '
        "convolution_param { num_output: 3 kernel_h: 4 kernel_w: 2 stride: 2 pad_h: 1 pad_w: 0 } }\n"
    )
    found = groups([facts(count(load_text(text)))])
    assert [group.name for group in found if group.by == "kind"] == ["4×2 Deconvolution", OTHERS]
    assert [group.name for group in found if group.by == "stage"] == ["×2", "1/1"]


def test_in_every_form(tmp_path: Path) -> None:
    files = [sample("alexnet"), sample("nin"), sample("vgg16")]
    text = CliRunner().invoke(command, ["compare", *files]).stdout
    assert "are different nets; their layers are not paired" in text
    assert "conv2 " not in text
    titles = next(line for line in text.splitlines() if line.startswith("by kind"))
    assert titles.split()[4:] == [
        "layers", "params", "alexnet.prototxt", "madds", "layers", "params", "nin.prototxt", "madds",
        "layers", "params", "vgg16.prototxt", "madds",
    ]  # fmt: skip
    document = valid(json.loads(CliRunner().invoke(command, ["compare", *files, "-f", "json"]).stdout), "compare")
    assert [difference["version"] for difference in document["differences"]] == [False, False]
    assert document["groups"][0]["by"] == "kind"
    assert len(document["groups"][0]["nets"]) == 3


def test_more_than_two_versions_stand_side_by_side() -> None:
    files = [sample(f"squeezenet_v1.0{end}") for end in ("", "_release", "_simple_bypass")]
    text = CliRunner().invoke(command, ["compare", *files]).stdout
    title, _, params, *_ = text.splitlines()
    assert title.split() == [
        "squeezenet_v1.0.prototxt", "squeezenet_v1.0_release.prototxt", "percent",
        "squeezenet_v1.0_simple_bypass.prototxt", "percent",
    ]  # fmt: skip
    assert params.split() == ["params", "1.25M", "1.25M", "0.00%", "1.25M", "0.00%"]
