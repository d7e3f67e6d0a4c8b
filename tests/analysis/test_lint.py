"""What `lint` sees and what it does not: for each code a net that has it, and one beside it that has not."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import netcount
from netcount.analysis._support.smells import CODES, _read
from netcount.cli.main import netcount as command
from tests.helpers import ROOT, SAMPLES, inputs, net_of

CORPUS = ROOT.parent / "shared" / "corpus" / "nets"
X = inputs(x=(1, 6, 9, 11))


def layer(name: str, type: str, bottoms: str = "x", rest: str = "", top: str = "") -> str:
    lines = "".join(f' bottom: "{bottom}"' for bottom in bottoms.split())
    return f'layer {{ name: "{name}" type: "{type}"{lines} top: "{top or name}" {rest} }}\n'


def conv(name: str, bottom: str = "x", rest: str = "kernel_size: 1", outputs: int = 6) -> str:
    return layer(name, "Convolution", bottom, f"convolution_param {{ num_output: {outputs} {rest} }}")


def codes(text: str, **options: object) -> list[tuple[str, str]]:
    answer = net_of(text).lint(**options)  # type: ignore[arg-type]
    return [(finding.code, finding.layer) for finding in answer.findings]


BN = layer("n", "BatchNorm", "c") + layer("s", "Softmax", "n")
PAIRS = {
    "dead-layer": (
        X
        + conv("c")
        + layer("d", "Pooling", "c", "pooling_param { kernel_size: 2 }")
        + layer("s", "Softmax", "c"),
        "d",
        X + conv("c") + layer("d", "Pooling", "c", "pooling_param { kernel_size: 2 }"),
    ),
    "dead-blob": (
        X + 'layer { name: "c" type: "Slice" bottom: "x" top: "a" top: "b" }\n' + layer("s", "Softmax", "a"),
        "c",
        X + 'layer { name: "c" type: "Slice" bottom: "x" top: "a" top: "b" }\n' + layer("s", "Concat", "a b"),
    ),
    "bias-before-batchnorm": (X + conv("c") + BN, "c", X + conv("c", rest="kernel_size: 1 bias_term: false") + BN),
    "dropout-in-test": (
        X + layer("c", "Dropout"),
        "c",
        X + layer("c", "Dropout") + layer("l", "EuclideanLoss", "c x"),
    ),
    "unused-filler": (
        X + conv("c", rest='kernel_size: 1 bias_term: false bias_filler { type: "constant" }'),
        "c",
        X + conv("c", rest='kernel_size: 1 bias_filler { type: "constant" }'),
    ),
    "stride-skips": (
        X + conv("a", rest="kernel_size: 3") + conv("c", "a", "kernel_h: 1 kernel_w: 2 stride: 3"),
        "c",
        X
        + conv("a", rest="kernel_size: 3")
        + conv("c", "a", "kernel_h: 1 kernel_w: 2 stride: 3")
        + conv("d", "a", "kernel_size: 3 stride: 3"),
    ),
    "missing-nonlinearity": (
        X + conv("a", outputs=9) + layer("n", "Scale", "a") + conv("c", "n"),
        "c",
        X + conv("a", outputs=2) + layer("n", "Scale", "a") + conv("c", "n"),  # a bottleneck
    ),
    "doubled-nonlinearity": (
        X
        + layer("a", "ReLU")
        + layer("p", "Pooling", "a", "pooling_param { kernel_size: 2 }")
        + layer("c", "ReLU", "p"),
        "c",
        X + layer("a", "ReLU", rest="relu_param { negative_slope: 0.1 }") + layer("c", "ReLU", "a"),
    ),
    "does-nothing": (
        X + layer("c", "Power", rest="power_param { power: 1 }"),
        "c",
        X + layer("c", "Power", rest="power_param { shift: 1 }"),
    ),
    "in-place-wrong": (
        X + conv("a") + conv("b") + layer("c", "Eltwise", "a b", top="a"),
        "c",
        X + conv("a") + conv("b") + layer("c", "Eltwise", "a b", "eltwise_param { operation: PROD }", top="a"),
    ),
}


@pytest.mark.parametrize("code", [code for code in CODES if code != "channel-multiple"])
def test_a_code_and_what_is_beside_it(code: str) -> None:
    wrong, name, right = PAIRS[code]
    assert (code, name) in codes(wrong)
    assert code not in dict(codes(right))


def test_what_it_costs() -> None:
    text = (
        X
        + conv("a", rest="kernel_size: 3", outputs=4)
        + layer("r", "ReLU", "a")
        + conv("c", "r", "kernel_size: 1 stride: 2")
    )
    (finding,) = net_of(text).lint().findings
    assert (finding.code, finding.place.line) == ("stride-skips", 4)
    assert finding.madds == 7 * 9 * 4 * 6 * 9 * 3 // 4
    wrong, *_ = PAIRS["bias-before-batchnorm"]
    (finding,) = net_of(wrong).lint().findings
    assert finding.params == 6
    wrong, *_ = PAIRS["missing-nonlinearity"]
    (finding,) = net_of(wrong).lint().findings
    assert finding.madds == 99 * (6 * 9 + 9 * 6 - 6 * 6)
    wrong, *_ = PAIRS["dead-layer"]
    (finding,) = net_of(wrong).lint().findings
    assert finding.bytes == 4 * 6 * 8 * 10


def test_a_loss_makes_other_ends_dead_with_all_that_runs_for_them() -> None:
    text = (
        X
        + conv("c")
        + conv("d", outputs=3)
        + layer("r", "ReLU", "d", top="d")
        + layer("l", "EuclideanLoss", "c x")
    )
    (finding,) = net_of(text).lint().findings
    assert (finding.code, finding.layer, finding.params) == ("dead-layer", "r", 21)
    assert finding.madds == 99 * 18
    silent = text + 'layer { name: "q" type: "Silence" bottom: "d" }\n'
    assert codes(silent) == []


def test_each_dead_end_behind_a_dead_chain_counts_what_runs_for_it_alone() -> None:
    """Blocks of a chain that is dead itself, an end behind each, one end behind two of them, and a live end."""
    text, at = X, "x"
    for name in "abc":
        text += conv(name, at, outputs=6) + layer(f"{name}+", "Eltwise", f"{name} {at}")
        at = f"{name}+"
        text += layer(f"{name}.", "ReLU", at)
    text += layer("ab", "Concat", "a+ b+") + conv("live") + layer("loss", "EuclideanLoss", "live x")
    findings = {finding.layer: finding for finding in net_of(text).lint().findings}
    one, act = 6 * 6 + 6, 4 * 6 * 99
    sums = {"a.": (1, 3), "b.": (2, 5), "ab": (2, 6), "c.": (3, 7)}  # convolutions; blobs, of which ab has two
    assert {layer: (f.params, f.madds, f.bytes) for layer, f in findings.items()} == {
        layer: (convs * one, convs * 36 * 99, blobs * act) for layer, (convs, blobs) in sums.items()
    }
    assert "for which alone 4 more layers run" in findings["b."].message


def test_what_a_gradient_reads_is_not_overwritten() -> None:
    text = X + layer("a", "Sigmoid") + layer("c", "Dropout", "a", top="a")
    assert ("in-place-wrong", "c") in [
        (finding.code, finding.layer) for finding in netcount.loads(text, phase="TRAIN").lint().findings
    ]


def test_losses_have_a_nonlinearity_of_their_own() -> None:
    text = inputs(x=(2, 5), y=(2, 1)) + layer("p", "Softmax") + layer("l", "SoftmaxWithLoss", "p y")
    assert codes(text) == [("doubled-nonlinearity", "l")]


def test_channels_of_a_target() -> None:
    text = X + conv("c", outputs=70) + layer("r", "ReLU", "c", top="c") + conv("d", "c", outputs=5)
    (finding,) = net_of(text).lint(target="xilinx-dpuczdx8g-b4096").findings
    assert (finding.code, finding.layer) == ("channel-multiple", "c")
    assert "num_output: 80" in finding.write
    assert finding.madds == 99 * 6 * 10
    with pytest.raises(netcount.InputError, match="how many channels"):
        net_of(text).lint(target="ncnn")


def test_comments_switch_codes_off(tmp_path: Path) -> None:
    wrong, *_ = PAIRS["unused-filler"]
    first, second = wrong.splitlines()
    above = net_of(f"{first}\n# netcount: ignore unused-filler\n{second}\n").lint()
    beside = net_of(f"{wrong[:-1]}  # netcount: ignore does-nothing, unused-filler\n").lint()
    elsewhere = net_of(f"{first}  # netcount: ignore unused-filler\n{second}\n").lint()
    text = net_of(wrong.replace('name: "c"', 'name: "# netcount: ignore unused-filler"')).lint()
    assert [(len(a.findings), a.ignored) for a in (above, beside, elsewhere, text)] == [
        (0, 1),
        (0, 1),
        (1, 0),
        (1, 0),
    ]
    with pytest.raises(
        netcount.InputError, match=r':2:\d+: there is no code "unused-fillers"; did you mean'
    ) as caught:
        net_of(f"{first}\n{second} # netcount: ignore unused-fillers\n").lint()
    assert caught.value.exit_code == 2


def test_a_comment_switches_off_one_of_two_layers_of_a_name() -> None:
    both = "".join(
        layer("p", "Power", bottom, top=top) + "# netcount: ignore does-nothing\n" for bottom, top in ("xa", "ab")
    )
    answer = net_of(X + both + layer("p", "Sigmoid", "b")).lint()
    assert [(finding.code, finding.place.line) for finding in answer.findings] == [("does-nothing", 2)]
    assert answer.ignored == 1


def test_the_cost_of_what_is_skipped_goes_back_through_any_number_of_layers() -> None:
    behind = "".join(layer(f"p{index}", "Power", "a", "power_param { shift: 1 }", "a") for index in range(1500))
    behind += layer("e0", "Eltwise", "a a") + "".join(
        layer(f"e{index}", "Eltwise", f"e{index - 1} e{index - 1}") for index in range(1, 40)
    )
    (finding,) = net_of(X + conv("a") + behind + conv("c", "e39", "kernel_size: 1 stride: 3")).lint().findings
    assert (finding.code, finding.madds) == ("stride-skips", 6 * 6 * 9 * 11 * 8 // 9)


@pytest.mark.parametrize("dilation", range(1, 8))
def test_the_part_of_its_bottom_that_a_window_reads(dilation: int) -> None:
    """By what each tap of a window reads, position by position."""
    text = X + conv("c", rest=f"kernel_h: 2 kernel_w: 1 stride_h: 6 stride_w: 1 dilation: {dilation} pad: 9")
    (node,) = [node for node in net_of(text).nodes if node.name == "c"]
    assert _read(node) == len({tap * dilation % 6 for tap in range(2)}) / 6


def test_the_configuration_switches_codes_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    wrong, *_ = PAIRS["unused-filler"]
    Path("net.prototxt").write_text(wrong)
    run = CliRunner().invoke
    assert run(command, ["lint", "net.prototxt"]).exit_code == 1
    assert run(command, ["lint", "net.prototxt", "--fail-on", "warning"]).exit_code == 0
    assert run(command, ["lint", "net.prototxt", "--ignore", "unused-filler"]).exit_code == 0
    junit = run(command, ["lint", "net.prototxt", "--format", "junit"]).stdout
    assert 'failures="1"' in junit
    Path("netcount.toml").write_text('[lint]\nignore = ["unused-filler"]\n')
    assert run(command, ["lint", "net.prototxt"]).exit_code == 0
    assert run(command, ["lint", "net.prototxt", "--no-config"]).exit_code == 1
    Path("netcount.toml").write_text('[lint]\nignore = ["unused-fill"]\n')
    wrong_code = run(command, ["lint", "net.prototxt"])
    assert "netcount.toml:2: there is no code" in str(wrong_code.exception)


def test_surplus_param_entries_are_refused_as_caffe_does() -> None:
    with pytest.raises(netcount.InputError, match="1 parameter blobs but 2 param"):
        net_of(
            X
            + layer(
                "c",
                "Convolution",
                rest="param {} param {} convolution_param { num_output: 2 kernel_size: 1 bias_term: false }",
            )
        )


@pytest.mark.parametrize("sample", ["googlenet", "mobilenet_v2", "resnet50", "squeezenet_v1.1", "vgg16"])
def test_no_warning_about_nets_of_papers(sample: str) -> None:
    assert net_of((SAMPLES / f"{sample}.prototxt").read_text()).lint().warnings == 0


def test_what_was_learned_for_an_output_is_wanted() -> None:
    """R-FCN averages the votes for its boxes, and reads them in Python."""
    boxes = conv("b", outputs=4) + layer("p", "Pooling", "b", "pooling_param { pool: AVE kernel_size: 2 }")
    assert codes(X + conv("c") + boxes + layer("s", "Softmax", "c")) == []


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the public nets are not beside the clone")
def test_two_layers_that_one_would_do_for_in_a_public_net() -> None:
    answer = netcount.load(CORPUS / "BVLC__caffe__examples__cifar10__cifar10_quick.prototxt").lint(
        fail_on="warning"
    )
    assert [(one.code, one.layer) for one in answer.findings if one.level == "warning"] == [
        ("missing-nonlinearity", "ip2")
    ]
    assert answer.exit_code == 1
