"""Nothing passes the gate unseen: typos, renamed nets, edited baselines, empty planes, overwritten files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.command import Tool
from tests.helpers import inputs


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Tool:
    return Tool(tmp_path, monkeypatch, capsys)


def conv(name: str, bottom: str, top: str, kernel: int = 3, outputs: int = 8) -> str:
    param = f"convolution_param {{ num_output: {outputs} kernel_size: {kernel} }}"
    return f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{top}" {param} }}\n'


def small(name: str = "tiny", first: str = "conv1", outputs: int = 8) -> str:
    """conv 3×3 -> ReLU -> conv 1×1."""
    relu = 'layer { name: "relu1" type: "ReLU" bottom: "c1" top: "c1" }\n'
    own = f'name: "{name}"\n'
    return (
        own
        + inputs(data=(1, 3, 16, 16))
        + conv(first, "data", "c1", 3, outputs)
        + relu
        + conv("conv2", "c1", "c2", 1)
    )


@pytest.fixture
def two(tool: Tool) -> Tool:
    """a.prototxt and b.prototxt, of which only b has a 5×5 kernel and a layer "extra"."""
    tool.write("a.prototxt", small())
    tool.write("b.prototxt", small("Tiny-b") + conv("extra", "c2", "c3", 5))
    return tool


HEAD = '[[net]]\npath = "?.prototxt"\nmax_params = "1M"\n'
TYPOS = {
    "share of a net": ('[[net]]\npath = "a.prototxt"\nmax_share = { "5x5" = "75%" }\n', "3: max_share: no layer"),
    "share": (
        f'{HEAD}[[budget]]\nmax_share = {{ "7x7" = "75%" }}\n',
        "5: max_share: no layer has a kernel of 7x7",
    ),
    "layers beside max_layers": (
        f'{HEAD}[[budget]]\nlayers = "convv*"\nmax_layers = 8\nmax_madds = 1\n',
        "4: no layer",
    ),
    "layers and more of them": (f'{HEAD}[[budget]]\nlayers = "convv*"\nmax_layers = 8\n', "4: no layer matches"),
    "a ban and a limit": (f'{HEAD}[[budget]]\nlayers = "convv*"\nmax_layers = 0\nmax_madds = 1\n', "4: no layer"),
    "a literal": (f'{HEAD}[[budget]]\nlayers = "conv3"\nmax_madds = "1G"\n', '"conv3": a.prototxt has none'),
    "nets": (f'{HEAD}[[budget]]\nnets = "c*"\nmax_madds = "1G"\n', '4: no net matches nets = "c*"'),
    "a name": (f'{HEAD}[[budget]]\nnets = "tin*"\nmax_params = "1M"\n', 'write nets = "a.prototxt"'),
}


@pytest.mark.parametrize("files", [(), ("a.prototxt",), ("a.prototxt", "--max-madds", "1G")], ids=" ".join)
@pytest.mark.parametrize("name", TYPOS)
def test_a_typo_passes_no_gate_whatever_is_named(two: Tool, name: str, files: tuple[str, ...]) -> None:
    text, told = TYPOS[name]
    two.write("netcount.toml", text)
    ran = two("check", *files)
    assert ran.code == 2
    assert told in ran.err
    assert ran.err.startswith("netcount.toml:")


def test_a_limit_of_the_command_line_that_nothing_meets_is_an_error(two: Tool) -> None:
    ran = two("check", "a.prototxt", "--max-share", "5x5=75%")
    assert (ran.code, ran.err) == (2, "netcount: --max-share: no layer has a kernel of 5x5\n")
    assert two("check", "a.prototxt", "b.prototxt", "--max-share", "5x5=99%").code == 0
    assert two("check", "a.prototxt", "--max-share", "5x5=0").code == 0
    assert two("check", "a.prototxt", "--no-config", "--min-share", "5x5=1%").code == 2


RIGHT = {
    "a glob of another net": f'{HEAD}[[budget]]\nlayers = "ext*"\nmax_madds = "1G"\n',
    "a kernel of another net": f'{HEAD}[[budget]]\nmax_share = {{ "5x5" = "99%" }}\n',
    "a literal of the nets it covers": f'{HEAD}[[budget]]\nnets = "b.*"\nlayers = "extra"\nmax_madds = "1G"\n',
    "a ban": f'{HEAD}[[budget]]\nlayers = "convv*"\nmax_layers = 0\n',
    "a share of nothing": f'{HEAD}[[budget]]\nmax_share = {{ "7x7" = 0 }}\n',
    "a label": '[[net]]\npath = "a.prototxt"\nname = "small"\n[[budget]]\nnets = "sm*"\nmax_params = "1M"\n',
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_another_net_of_the_budget_has_is_no_typo(two: Tool, name: str) -> None:
    two.write("netcount.toml", RIGHT[name])
    assert two("check").code == 0
    assert two("check", "a.prototxt").code == 0


def test_a_net_renamed_inside_its_file_leaves_no_budget(two: Tool) -> None:
    two.write("netcount.toml", f'{HEAD}[[budget]]\nnets = "a*"\nmax_params = 10\n')
    assert two("check").code == 1
    two.write("a.prototxt", small("other"))
    assert two("check").code == 1


def test_a_layer_renamed_leaves_no_budget(tool: Tool) -> None:
    tool.write("a.prototxt", small())
    tool.write(
        "netcount.toml",
        'baseline = "base.json"\n[[net]]\npath = "a.prototxt"\nmax_params = "1M"\n'
        '[[budget]]\nlayers = "conv*"\nmax_madds = "1M"\n[[budget]]\nlayers = "relu*"\nmax_params = 0\n',
    )
    assert tool("check", "--update-baseline").code == 0
    assert tool("check").code == 0
    tool.write("a.prototxt", small(first="first"))
    ran = tool("check")
    assert ran.code == 2
    assert ran.err.startswith('netcount.toml:5: layer "first" of "a.prototxt" is "conv1" in the baseline')
    tool.write("a.prototxt", small().replace("relu1", "act"))
    ran = tool("check", "a.prototxt")
    assert ran.code == 2
    assert 'netcount.toml:8: layers = "relu*" matched "relu1" in the baseline' in ran.err
    tool.write("netcount.toml", (tool.folder / "netcount.toml").read_text().replace("relu*", "act"))
    assert tool("check", "--update-baseline").code == 0
    assert tool("check").code == 0


def changed(tool: Tool, change: str) -> None:
    """The baseline with one number of its totals changed: KEY or KEY=VALUE."""
    document = json.loads((tool.folder / "base.json").read_text(encoding="utf-8"))
    key, _, value = change.partition("=")
    document["nets"]["a.prototxt"]["totals"][key] = int(value or document["nets"]["a.prototxt"]["totals"][key] + 1)
    tool.write("base.json", json.dumps(document))


@pytest.mark.parametrize(
    "change",
    ["params", "madds", "cost", "activations", "statistics", "weight_bytes", "layers", "largest_blob",
     "layer_params", "layer_madds", "peak_bytes=9999999", "peak_bytes=4"],
)  # fmt: skip
def test_a_total_that_is_not_that_of_the_rows_is_refused(tool: Tool, change: str) -> None:
    tool.write("a.prototxt", small())
    config = 'baseline = "base.json"\n[[net]]\npath = "a.prototxt"\nmax_increase_params = "0%"\n'
    tool.write("netcount.toml", config)
    assert tool("check", "--update-baseline").code == 0
    changed(tool, change)
    ran = tool("check")
    assert ran.code == 2
    assert change.partition("=")[0] in ran.err


def test_a_baseline_is_of_the_file_that_it_names(tool: Tool) -> None:
    tool.write("a.prototxt", small())
    tool.write("b.prototxt", small(outputs=64))
    config = 'baseline = "base.json"\n[[net]]\nname = "net"\npath = "{}.prototxt"\nmax_increase_params = "0%"\n'
    tool.write("netcount.toml", config.format("b"))
    assert tool("check", "--update-baseline").code == 0
    tool.write("netcount.toml", config.format("a"))
    ran = tool("check")
    assert ran.code == 2
    assert 'the baseline of "net" is of the file b.prototxt, and this is a.prototxt' in ran.err
    assert tool("check", "--update-baseline").code == 0
    assert tool("check").code == 0


OVERWRITING = {
    "its net": ("check", "a.prototxt", "--max-params", "1", "-o", "a.prototxt"),
    "its configuration": ("check", "-o", "netcount.toml"),
    "its other net": ("check", "-o", "net.txt"),
    "its baseline": ("check", "-o", "base.json"),
    "a net as baseline": ("check", "--update-baseline", "--baseline", "a.prototxt"),
    "a configuration as baseline": ("check", "--update-baseline", "--baseline", "netcount.toml"),
    "another baseline": ("analyze", "a.prototxt", "-f", "json", "-o", "base.json"),
    "an input": ("analyze", "net.txt", "-o", "net.txt"),
    "another net": ("analyze", "net.txt", "-o", "a.prototxt"),
    "one of many": ("survey", ".", "-o", "a.prototxt"),
    "what is rescaled": ("rescale", "a.prototxt", "--width", "0.5", "-o", "a.prototxt"),
    "weights": ("verify", "a.prototxt", "-o", "w.caffemodel"),
}


@pytest.mark.parametrize("name", OVERWRITING)
def test_no_output_overwrites_what_a_command_reads(tool: Tool, name: str) -> None:
    tool.write("a.prototxt", small())
    tool.write("net.txt", small())
    tool.write("w.caffemodel", "")
    tool.write(
        "netcount.toml",
        'baseline = "base.json"\n[[net]]\npath = ["a.prototxt", "net.txt"]\nmax_params = "1M"\n',
    )
    assert tool("check", "--update-baseline").code == 0
    before = {path.name: path.read_bytes() for path in tool.folder.iterdir()}
    ran = tool(*OVERWRITING[name])
    assert ran.code == 2
    assert "not overwritten" in ran.err
    assert {path.name: path.read_bytes() for path in tool.folder.iterdir()} == before


def test_an_output_of_ones_own_is_overwritten(tool: Tool) -> None:
    tool.write("a.prototxt", small())
    for _ in range(2):
        assert tool("analyze", "a.prototxt", "-o", "out.md").code == 0
        assert tool("rescale", "a.prototxt", "--width", "0.5", "-o", "half.prototxt").code == 0
        assert tool("verify", "a.prototxt", "--save-outputs", "out").code == 0


def test_outputs_follow_no_link_out_of_their_folder(tool: Tool) -> None:
    tool.write("a.prototxt", small())
    tool.write("precious", "mine")
    (tool.folder / "out").mkdir()
    try:
        (tool.folder / "out" / "c2.npy").symlink_to(tool.folder / "precious")
    except OSError:
        pytest.skip("this system makes no links")
    ran = tool("verify", "a.prototxt", "--save-outputs", "out")
    assert ran.code == 2
    assert "is a link out of out" in ran.err
    assert (tool.folder / "precious").read_text(encoding="utf-8") == "mine"


POOL = (
    'layer { name: "pool5" type: "Pooling" bottom: "x" top: "y" pooling_param { pool: AVE kernel_size: 7 PAD } }\n'
)
RELU = 'layer { name: "r" type: "ReLU" bottom: "x" top: "y" }'
EMPTY = {
    "an input": (inputs(x=(1, 3, 0, 0)) + RELU, '"x" is 1×3×0×0'),
    "a pooling": (inputs(x=(1, 3, 6, 6)) + POOL.replace("PAD", ""), "kernel 7×7 is larger than its 6×6 input"),
    "one axis": (inputs(x=(1, 3, 6, 9)) + POOL.replace("PAD", ""), "kernel 7×7 is larger than its 6×9 input"),
    "padded": (inputs(x=(1, 3, 4, 4)) + POOL.replace("PAD", "pad: 1"), "its 4×4 input padded to 6×6"),
    "dilated": (
        inputs(x=(1, 3, 6, 6))
        + 'layer { name: "c" type: "Convolution" bottom: "x" top: "y" convolution_param { num_output: 4 '
        "kernel_size: 3 dilation: 3 bias_term: false } }",
        "kernel 3×3, dilated to 7×7, is larger than its 6×6 input",
    ),
}


@pytest.mark.parametrize("name", EMPTY)
def test_a_plane_of_nothing_is_a_warning_and_passes_no_gate(tool: Tool, name: str) -> None:
    text, told = EMPTY[name]
    tool.write("a.prototxt", text)
    analyzed = tool("analyze", "a.prototxt")
    assert analyzed.code == 0
    assert analyzed.out.count("warning:") == 1, "causes only"
    assert told in analyzed.out
    ran = tool("check", "a.prototxt", "--max-params", "1M")
    assert ran.code == 2
    assert told in ran.err
    assert tool("check", "a.prototxt", "--max-params", "1M", "--baseline", "b", "--update-baseline").code == 2


def test_a_shape_given_can_shrink_a_plane_to_nothing(tool: Tool) -> None:
    tool.write("a.prototxt", inputs(x=(1, 3, 9, 9)) + POOL.replace("PAD", ""))
    assert "warning" not in tool("analyze", "a.prototxt").out
    given = ("a.prototxt", "--input-shape", "x=1,3,6,6")
    assert "kernel 7×7 is larger than its 6×6 input" in tool("analyze", *given).out
    assert tool("check", *given, "--max-params", "1M").code == 2


TRAINING = 'layer { name: "d" type: "Data" top: "d" include { phase: TRAIN } }'


@pytest.mark.parametrize("text", ["", inputs(x=(1, 3, 0, 0)), TRAINING])
def test_nothing_is_not_verified(tool: Tool, text: str) -> None:
    tool.write("a.prototxt", text)
    assert "warning" in tool("analyze", "a.prototxt").out
    assert tool("verify", "a.prototxt").code == 2
    assert tool("check", "a.prototxt", "--max-params", "1").code == 2


def test_what_decides_on_a_chip_is_limited_at_its_widths(tool: Tool) -> None:
    tool.write("a.prototxt", small())
    told = json.loads(tool("memory", "a.prototxt", "--bits", "8", "--weight-bits", "4", "-f", "json").out)
    figures = {
        "max-peak-bytes": told["peak"]["bytes"],
        "max-working-bytes": told["working"]["bytes"],
        "max-weight-bytes": told["weight_bytes"],
        "max-total-bytes": told["total_bytes"],
    }
    assert len(set(figures.values())) == 4
    widths = ("--activation-bits", "8", "--weight-bits", "4")
    for name, value in figures.items():
        assert tool("check", "a.prototxt", f"--{name}", str(value), *widths).code == 0
        assert tool("check", "a.prototxt", f"--{name}", str(value - 1), *widths).code == 1
        assert tool("check", "a.prototxt", f"--{name}", str(value)).code == 1, "at 32 bits"


# ---------------------------------------------------------------------- where a failure points, and what is left


def chain(first: int = 8, second: int = 8) -> str:
    """conv1 3×3 in line 3, conv2 3×3 in line 4 (which costs most), conv3 1×1 in line 5."""
    text = 'name: "chain"\n' + inputs(data=(1, 3, 16, 16)) + conv("conv1", "data", "c1", 3, first)
    return text + conv("conv2", "c1", "c2", 3, second) + conv("conv3", "c2", "c3", 1)


CHAIN = 'baseline = "base.json"\n[[net]]\npath = "a.prototxt"\nmax_increase_madds = "0%"\n'


@pytest.mark.parametrize(
    ("after", "line"),
    [
        (chain(first=9), 3),
        (chain(second=9), 4),
        (chain(second=9).replace('"conv1"', '"first"'), 4),  # another name alone is no cause
        (chain(first=9, second=9), 3),
        (chain().replace("conv3", "conv3b") + conv("conv4", "c3", "c4", 1), 6),
    ],
)
def test_a_failure_points_at_the_first_layer_that_was_edited(tool: Tool, after: str, line: int) -> None:
    tool.write("a.prototxt", chain())
    tool.write("netcount.toml", CHAIN)
    assert tool("check", "--update-baseline").code == 0
    tool.write("a.prototxt", after)
    assert f"::error file=a.prototxt,line={line}," in tool("check", "-f", "github").out
    (sarif,) = json.loads(tool("check", "-f", "sarif").out)["runs"]
    assert sarif["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] == line
    assert f">a.prototxt:{line}: " in tool("check", "-f", "junit").out
    found = json.loads(tool("check", "-f", "json").out)["nets"][0]["checks"][0]
    assert found["line"] == line
    kinds = [change["change"] for change in found["changes"]]
    assert kinds == sorted(kinds, key=lambda kind: kind == "resized"), "causes before consequences"
    text = tool("check").out.splitlines()
    assert text[1].strip() == "changed since the baseline:"


def test_a_layer_that_only_got_other_shapes_points_at_the_cause(tool: Tool) -> None:
    tool.write("a.prototxt", chain())
    tool.write("netcount.toml", CHAIN + '[[budget]]\nlayers = "conv2"\nmax_madds = "84k"\n')
    assert tool("check", "--update-baseline").code == 0
    tool.write("a.prototxt", chain(first=9))
    checks = json.loads(tool("check", "-f", "json").out)["nets"][0]["checks"]
    assert [(one["layer"], one["line"], one["passed"]) for one in checks] == [
        (None, 3, False),
        ("conv2", 3, False),
    ]
    assert [change["layer"] for change in checks[1]["changes"]] == ["conv1", "conv2"]


def test_without_a_baseline_a_failure_points_at_what_costs_most(tool: Tool) -> None:
    tool.write("a.prototxt", chain())
    assert ",line=4," in tool("check", "a.prototxt", "--max-madds", "1", "-f", "github").out


def test_what_every_limit_leaves_is_told(tool: Tool) -> None:
    tool.write("a.prototxt", chain())
    tool.write(
        "netcount.toml",
        '[[net]]\npath = "a.prototxt"\nmax_params = "1k"\nmin_params = 800\nmax_share = { "3x3" = "99%" }\n'
        'max_madds = 1\nallowed_types = ["Input", "Convolution"]\n'
        '[[budget]]\nlayers = "conv*"\nmax_params = 600\n',
    )
    lines = [line.strip() for line in tool("check").out.splitlines()]
    assert "max_params: 880 of 1.00k, 120 left (12.00%)" in lines
    assert "min_params: 880 of 800, 80 left (10.00%)" in lines
    assert 'max_params: 584 of 600, 16 left (2.67%), tightest of 3 at "conv2"' in lines
    assert any(line.startswith("max_share 3x3: 93.15% of 99.00%, 5.85% left") for line in lines)
    assert any(line.endswith("7 of 8 limits kept") for line in lines)
    checks = json.loads(tool("check", "-f", "json").out)["nets"][0]["checks"]
    left = {(one["rule"], one["layer"]): one["left"] for one in checks}
    assert left["max_params", None] == 120
    assert left["min_params", None] == 80
    assert left["max_madds", None] is None
    assert left["allowed_types", None] is None
    assert left["max_params", "conv3"] == 600 - 72


def test_warnings_do_not_end_in_ok(tool: Tool) -> None:
    short = 'input: "x" input: "b" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8\n'
    tool.write("a.prototxt", short + conv("c", "x", "y"))
    ran = tool("check", "a.prototxt", "--max-params", "1M")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0].startswith("warn  a.prototxt: a.prototxt:1:1: ")
    assert lines[1] == "pass  a.prototxt: 1 of 1 limit kept; 1 warning"
    assert lines[-1] == "1 net: 1 with warnings only"
    assert (
        len(json.loads(tool("check", "a.prototxt", "--max-params", "1M", "-f", "json").out)["nets"][0]["warnings"])
        == 1
    )


# ---------------------------------------------------------------------- a first file, and many files


def test_a_first_configuration_is_todays_figures_and_a_margin(tool: Tool) -> None:
    (tool.folder / "models" / "deep").mkdir(parents=True)
    tool.write("models/a.prototxt", chain())
    tool.write("models/deep/b [1].prototxt", small())
    tool.write("models/broken.prototxt", "layer {")
    tool.write("models/solver.prototxt", 'net: "a.prototxt"\nbase_lr: 0.1\n')
    ran = tool("check", "--init")
    assert ran.code == 0
    assert ran.err == "wrote netcount.toml: 2 nets; 1 file left out (its comments say why)\n"
    text = (tool.folder / "netcount.toml").read_text(encoding="utf-8")
    assert 'path = "models/deep/b [1].prototxt"' in text
    assert "# left out: models/broken.prototxt: " in text
    assert "solver" not in text
    checks = json.loads(tool("check", "-f", "json").out)["nets"][0]["checks"]
    assert {one["rule"]: one["value"] for one in checks}["max_params"] == 880
    assert {one["rule"]: one["limit"] for one in checks}["max_params"] == 924
    again = tool("check", "--init")
    assert again.code == 2
    assert (tool.folder / "netcount.toml").read_text(encoding="utf-8") == text
    assert tool("check", "--init", "--config", "models/own.toml", "--margin", "50%", "models/a.prototxt").code == 0
    own = (tool.folder / "models" / "own.toml").read_text(encoding="utf-8")
    assert 'path = "a.prototxt"' in own
    assert "max_params = 1_320" in own


@pytest.mark.parametrize(
    "arguments",
    [
        ("--init",),
        ("--init", "--margin", "x"),
        ("--init", "broken.prototxt"),
        ("--init", "--batch", "2", "a.prototxt"),
    ],
)
def test_a_first_configuration_of_nothing_is_not_written(tool: Tool, arguments: tuple[str, ...]) -> None:
    tool.write("broken.prototxt", "layer {\n")
    if "--margin" in arguments or "--batch" in arguments:
        tool.write("a.prototxt", chain())
    assert tool("check", *arguments).code == 2
    assert not (tool.folder / "netcount.toml").exists()


def test_names_are_data_in_a_first_configuration(tool: Tool) -> None:
    hostile = 'a"\\ é.prototxt'
    try:
        tool.write(hostile, chain())
    except OSError:
        pytest.skip("this system has no such names")
    assert tool("check", "--init").code == 0
    assert json.loads(tool("check", "-f", "json").out)["nets"][0]["net"] == hostile


@pytest.fixture
def many(tool: Tool) -> Tool:
    """Configurations in three folders, each with a net of the same name; one of them is over."""
    for folder, most in (("one", 880), ("two", 879), ("three/deep", 880), (".hidden", 1)):
        (tool.folder / folder).mkdir(parents=True)
        tool.write(f"{folder}/a.prototxt", chain())
        name = "pyproject.toml" if folder == "one" else "netcount.toml"
        head = "[[tool.netcount.net]]" if folder == "one" else "[[net]]"
        tool.write(f"{folder}/{name}", f'{head}\npath = "a.prototxt"\nmax_params = {most}\n')
    (tool.folder / "other").mkdir()
    tool.write("other/pyproject.toml", '[project]\nname = "x"\n')
    return tool


def test_several_configurations_are_checked_in_one_run(many: Tool) -> None:
    ran = many("check", "--below", ".", "-f", "json")
    assert ran.code == 1
    nets = json.loads(ran.out)["nets"]
    assert [(net["net"], net["status"]) for net in nets] == [
        ("one/a.prototxt", "within"),
        ("three/deep/a.prototxt", "within"),
        ("two/a.prototxt", "over"),
    ]
    assert many("check", "--config", "one/pyproject.toml", "--config", "three/deep/netcount.toml").code == 0
    assert many("check", "--below", "one").code == 0
    assert many("check", "--below", "one", "--config", "two/netcount.toml").code == 2
    assert many("check", "--below", ".", "one/a.prototxt").code == 2
    many.write("three/deep/netcount.toml", "[[nett]]\n")
    assert many("check", "--below", ".").code == 2


def test_each_configuration_has_its_own_baseline(many: Tool) -> None:
    for folder in ("two", "three/deep"):
        config = 'baseline = "base.json"\n[[net]]\npath = "a.prototxt"\nmax_increase_params = "0%"\n'
        many.write(f"{folder}/netcount.toml", config)
    assert many("check", "--below", ".", "--update-baseline").code == 2, "one of them names no baseline"
    both = ("--config", "two/netcount.toml", "--config", "three/deep/netcount.toml")
    assert many("check", *both, "--update-baseline").code == 0
    assert many("check", "--below", ".").code == 0
    many.write("two/a.prototxt", chain(first=9))
    ran = many("check", "--below", ".")
    assert ran.code == 1
    assert ran.out.count("FAIL") == 1


def test_a_folder_as_path_says_what_to_write(tool: Tool) -> None:
    (tool.folder / "models").mkdir()
    tool.write("netcount.toml", '[[net]]\npath = "models"\nmax_params = 1\n')
    ran = tool("check")
    assert (ran.code, ran.err) == (2, 'netcount.toml:2: "models" is a folder; write "models/*.prototxt"\n')


def test_a_byte_order_mark_is_no_text(tool: Tool) -> None:
    tool.write("a.prototxt", chain())
    tool.write("netcount.toml", '\ufeff[[net]]\npath = "a.prototxt"\nmax_params = 880\n')
    assert tool("check").code == 0


CHIP = (
    'schema = "netcount-target/1"\nname = "Chip"\ntoolchain = "cc"\nversion = "1"\nreliability = "ours"\n'
    'unlisted = "accepted"\n[[rule]]\ntype = "Convolution"\nkernel = "..3"\n'
)


def test_a_target_is_a_limit(two: Tool) -> None:
    two.write("chip.toml", CHIP)
    two.write("netcount.toml", f'{HEAD}fit = ["chip.toml", "kendryte-k210"]\n')
    ran = two("check")
    assert ran.code == 1
    assert "b.prototxt: chip.toml: does not fit: 1 layer" in ran.out
    assert "  extra (Convolution): kernel 5×5, it takes ..3" in ran.out
    assert ran.out.count("does not fit") == 1
    for form in ("json", "csv", "markdown", "html", "github", "junit", "sarif"):
        shown = two("check", "-f", form)
        assert shown.code == 1
        assert "does not fit" in shown.out
    only_a = '[[net]]\npath = "?.prototxt"\nmax_params = "1M"\n[[budget]]\nnets = "a*"\nfit = ["chip.toml"]\n'
    two.write("netcount.toml", only_a)
    assert two("check").code == 0


def test_a_target_is_an_option_of_check(two: Tool) -> None:
    two.write("chip.toml", CHIP)
    assert two("check", "a.prototxt", "--fit", "chip.toml,mnn").code == 0
    assert two("check", "b.prototxt", "--fit", "chip.toml").code == 1


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('"chip.toml"', "fit: needs a list of targets"),
        ("[]", "fit: needs a list of targets"),
        ('["kendryte-k21"]', 'there is no target "kendryte-k21"; did you mean "kendryte-k210"?'),
        ('["none.toml"]', "fit: cannot read none.toml"),
        ('["bad.toml"]', 'fit: bad.toml:9:11: in "x": there is no figure "x"'),
    ],
)
def test_a_target_that_is_none(two: Tool, value: str, said: str) -> None:
    two.write("bad.toml", CHIP.replace('"..3"', '"x"'))
    two.write("netcount.toml", f"{HEAD}fit = {value}\n")
    ran = two("check")
    assert ran.code == 2
    assert "netcount.toml:4: fit: " in ran.err
    assert said in ran.err
