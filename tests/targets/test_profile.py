"""Profiles of one's own: what they say, and mistakes in them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import jsonschema
import pytest

from netcount.analysis.count import count
from netcount.core.errors import Errors, InputError, each
from netcount.graph.load import load_text
from netcount.targets.fit import Fit, Target, fit
from netcount.targets.profile import read_profile
from netcount.targets.shipped import FOLDER, profile, shipped
from tests.helpers import ROOT, valid
from tests.targets.cases import conv, net

HEAD = """schema = "netcount-target/1"
name = "Chip"
toolchain = "cc"
version = "1"
reliability = "mine"
"""
TYPES = '\n[types]\naccepted = ["Input", "Convolution", "Pooling"]\n'


def held(folder: Path, text: str, prototxt: str, variant: str = "", head: str = HEAD + TYPES) -> Fit:
    path = folder / "chip.toml"
    path.write_text(head + text, encoding="utf-8")
    return fit(count(load_text(prototxt)), Target.of(read_profile(path, variant)))


def mistakes(folder: Path, text: str, head: str = HEAD + TYPES) -> list[str]:
    path = folder / "chip.toml"
    path.write_text(head + text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_profile(path)
    return [str(problem).removeprefix(f"{path}:") for problem in each(caught.value)]


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ('[[rule]]\ntype = "Convolution"\nkernel = "1..7x"\n', "11:15", 'in "7x": "x" is not expected here'),
        ('[[rule]]\ntype = "Pooling"\nkernle = 3\n', "11:1", 'no key or figure "kernle"; did you mean "kernel"?'),
        ('[[rule]]\n  require = "kernel_h = 3"\n', "10:23", "'=' has no meaning here"),
        ('[[rule]]\nrequire = "kernel_h + 3"\n', "10:12", "this is a number; needed is true or false"),
        ('[[rule]]\nkernel = [1, "a"]\n', "10:11", 'there is no figure "a"'),
        ('[[rule]]\ntype = "Convolution"\n', "9:1", "a rule needs a figure with its bound"),
        ('[[rule]]\nkernel = 3\neffect = "slow"\n', "11:1", "effect is one of refused, wrong, cpu, extra"),
        ('[[file]]\nkernel = 3\n', "10:1", 'no key or figure "kernel"'),
        ('[[memory]]\nname = "m"\nsize = "2 parsecs"\nneed = "1"\n', "11:1", "unknown unit 'parsecs'"),
        ('[[memory]]\nname = "m"\nsize = 9\n', "9:1", "need is missing"),
        ('[[memory]]\nname = "m"\nneed = "kernel_h"\nsize = 9\n', "11:9", 'there is no figure "kernel_h"'),
        ('[constants]\nbatch = 3\n', "10:1", "it has a meaning already"),
        ('[constants]\nlanes = "3"\n', "10:1", "lanes is a number, not '3'"),
        ('[function.f]\narguments = ["n"]\nvalue = "f(n)"\n', "11:10", 'there is no function "f"'),
        ('[function.f]\narguments = ["n"]\n', "9:1", "value is missing"),
        ('[hardware]\nclock = 3\n', "10:1", 'no figure of hardware "clock"'),
        ('[hardware]\narray = { in = 3 }\n', "10:1", "array needs in, out, pixels"),
        ('[hardware]\nclock_hz = -1\n', "10:1", "clock_hz is a positive number"),
        ('[[measured]]\nnet = "a"\nms = 0\n', "11:1", "ms is the time of one image"),
        ('[[board]]\n', "9:1", "name is missing"),
        ("colour = 3\n", "9:1", 'list of types "colour"'),
    ],
)  # fmt: skip
def test_a_mistake_has_line_and_column(tmp_path: Path, text: str, place: str, said: str) -> None:
    (problem,) = mistakes(tmp_path, text)
    assert problem.startswith(f"{place}: "), problem
    assert said in problem


def test_several_mistakes_are_told_together(tmp_path: Path) -> None:
    path = tmp_path / "chip.toml"
    path.write_text(HEAD + '[[rule]]\nkernel = "x"\n[[rule]]\nkernel = "y"\n', encoding="utf-8")
    with pytest.raises(Errors) as caught:
        read_profile(path)
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", 'schema = "netcount-target/1" is missing'),
        ('schema = "netcount-target/2"', "is missing"),
        ('schema = "netcount-target/1"\n', "name is missing"),
        ("schema = ", "not valid TOML"),
    ],
)
def test_what_is_no_profile(tmp_path: Path, text: str, said: str) -> None:
    assert any(said in problem for problem in mistakes(tmp_path, text, head=""))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_a_shipped_profile_is_what_the_schema_says(path: Path) -> None:
    document = valid(tomllib.loads(path.read_text(encoding="utf-8")), "target")
    document["rule"] = [{"kernle": 3}]
    with pytest.raises(jsonschema.ValidationError):
        valid(document, "target")


def test_the_example_of_the_page_is_a_profile(tmp_path: Path) -> None:
    """All blocks of docs/your-chip.md together, without the measured net, which is not there."""
    page = (ROOT / "docs" / "your-chip.md").read_text(encoding="utf-8")
    text = "\n".join(re.findall(r"^```toml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE))
    valid(tomllib.loads(text), "target")
    found = held(tmp_path, text, conv(), head="")
    assert found.estimate is not None
    assert found.target.profile.measured[0].net == "resnet50.prototxt"
    assert len(found.held) == 2


def test_a_type_has_one_fate(tmp_path: Path) -> None:
    head = HEAD + '[types]\naccepted = ["ReLU"]\ncpu = ["ReLU"]\n'
    assert mistakes(tmp_path, "", head) == ["7:13: ReLU is in accepted and in cpu"]


def test_bounds_are_inclusive_and_told_with_their_value(tmp_path: Path) -> None:
    rule = '[[rule]]\ntype = "Convolution"\nkernel = "1..3"\neffect = "cpu"\nsource = "a book"\nnote = "so"\n'
    assert held(tmp_path, rule, conv()).verdict == "fits"
    found = held(tmp_path, rule, conv("kernel_h: 3 kernel_w: 5"))
    assert found.verdict == "fits with 1 layer on the CPU"
    assert found.exit_code == 0
    (finding,) = found.findings
    assert (finding.value, finding.bound, finding.note, finding.source) == ("kernel 3×5", "1..3", "so", "a book")
    assert finding.place.line == 2


def test_the_failing_part_is_told_with_its_figures(tmp_path: Path) -> None:
    rule = '[[rule]]\ntype = "Convolution"\nrequire = "group == 1 and kernel_h * kernel_w * channels_in <= 99"\n'
    (finding,) = held(tmp_path, rule, conv("kernel_h: 3 kernel_w: 5")).findings
    assert finding.value == "kernel_h 3, kernel_w 5, channels_in 8, kernel_h * kernel_w * channels_in = 120"
    assert finding.bound == "kernel_h * kernel_w * channels_in <= 99"


def test_constants_and_functions_make_formulas(tmp_path: Path) -> None:
    text = """
[constants]
row = 64
[function.rows]
arguments = ["h", "w"]
value = "h * ceil_div(w, row)"
[[memory]]
name = "lines"
size = "1 KiB"
each = "layer"
type = "Convolution"
need = "rows(in_h, in_w) * channels_in"
"""
    fits = held(tmp_path, text, conv(shape=(1, 8, 64, 65)))
    assert [(one.need, one.layer, one.fits) for one in fits.held] == [(1024, "l", True)]
    over = held(tmp_path, text, conv(shape=(1, 8, 65, 65)))
    assert over.verdict == "does not fit: 1 layer"
    assert over.findings[0].value == "lines 1,040 bytes"
    assert over.exit_code == 1


def test_the_memory_of_the_whole_net(tmp_path: Path) -> None:
    text = '[[memory]]\nname = "flash"\nsize = {}\nneed = "weights + peak"\n'
    need = 8 * 8 * 9 + 8 + 2 * 8 * 20 * 22
    assert held(tmp_path, text.format(need), conv()).fits
    over = held(tmp_path, text.format(need - 1), conv())
    assert over.verdict == "does not fit: the memory"
    assert over.held[0].need == need


def test_variants_share_their_rules(tmp_path: Path) -> None:
    text = """
[[rule]]
type = "Convolution"
channels_out = "..most"
[variant.small]
name = "Small"
[variant.small.constants]
most = 7
[variant.large]
[variant.large.constants]
most = 8
"""
    assert not held(tmp_path, text, conv(), "small").fits
    assert held(tmp_path, text, conv(), "large").fits
    assert profile(f"{tmp_path}/chip.toml#small").name == "Small"
    assert profile(f"{tmp_path}/chip.toml#small").id == "chip-small"
    with pytest.raises(InputError, match="variants, and none is named"):
        profile(f"{tmp_path}/chip.toml")
    with pytest.raises(InputError, match='no variant "tiny"'):
        profile(f"{tmp_path}/chip.toml#tiny")


def test_neighbours_are_looked_for_across_fused_layers(tmp_path: Path) -> None:
    head = HEAD + '[types]\naccepted = ["Input", "Convolution", "Pooling", "Sigmoid"]\nfused = ["ReLU"]\n'
    rule = '[[rule]]\ntype = "Pooling"\nrequire = "after_convolution and after(\'Convolution\')"\n'
    between = 'layer {{ name: "r" type: "{}" bottom: "y0" top: "r" }}\n'
    last = 'layer { name: "p" type: "Pooling" bottom: "r" top: "p" pooling_param { kernel_size: 2 } }'
    assert held(tmp_path, rule, conv() + between.format("ReLU") + last, head=head).fits
    assert not held(tmp_path, rule, conv() + between.format("Sigmoid") + last, head=head).fits


def test_a_rule_that_cannot_be_judged_says_so(tmp_path: Path) -> None:
    rule = '[[rule]]\ntype = "Convolution"\nkernel = 3\n'
    volume = conv("kernel_size: 3", shape=(1, 2, 9, 11, 13))
    found = held(tmp_path, rule, volume)
    assert [(one.layer, one.rule, one.lacks) for one in found.unjudged] == [("l", "kernel 3", "kernel_h")]
    assert found.fits


def test_a_division_by_zero_names_the_profile(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a division by zero") as caught:
        held(tmp_path, '[[rule]]\nrequire = "1 // (outputs - 1) == 0"\n', net("Pooling", (1, 2, 3, 4), POOL))
    assert caught.value.place is not None
    assert caught.value.place.line == 10


POOL = "pooling_param { kernel_size: 2 }"


def test_the_worst_verdict_comes_first(tmp_path: Path) -> None:
    rules = (
        '[[rule]]\ntype = "Pooling"\nkernel = 3\neffect = "{}"\n'
        '[[rule]]\ntype = "Pooling"\nstride = 2\neffect = "extra"\n'
    )
    verdicts = {
        effect: held(tmp_path, rules.format(effect), net("Pooling", (1, 2, 5, 6), POOL)).verdict
        for effect in ("refused", "wrong", "cpu", "extra")
    }
    assert verdicts == {
        "refused": "does not fit: 1 layer",
        "wrong": "does not fit: 1 layer",
        "cpu": "fits with 1 layer on the CPU",
        "extra": "fits with 1 layer at extra cost",
    }


def test_shipped_profiles_are_found_by_name() -> None:
    assert {"kendryte-k210", "nvdla-small", "nvdla-large", "horizon-x3", "sigmastar-ipu"} < set(shipped())
    with pytest.raises(InputError, match='did you mean "kendryte-k210"'):
        profile("kendryte-k21")
    with pytest.raises(InputError, match="netcount fit --list shows them"):
        profile("abacus")
    with pytest.raises(InputError, match=r"cannot read no-such\.toml"):
        profile("no-such.toml")


def test_precision_and_board_have_to_be_the_targets() -> None:
    one = profile("nvdla-small")
    assert Target.of(one).precision == "int8"
    with pytest.raises(InputError, match="known are int8, fp16"):
        Target.of(one, "int4")
    with pytest.raises(InputError, match="its rules know none"):
        Target.of(profile("mnn"), "int8")
    with pytest.raises(InputError, match='no board "KV261"; known are KV260'):
        Target.of(profile("xilinx-dpuczdx8g-b4096"), board="KV261")
