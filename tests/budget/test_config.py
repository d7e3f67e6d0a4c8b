"""netcount.toml: what it may say, and that a typo is told with its line."""

from __future__ import annotations

import tomllib
from fractions import Fraction
from pathlib import Path

import jsonschema
import pytest

from netcount.budget.config import find, load
from netcount.core.errors import InputError
from netcount.core.toml_positions import key_lines
from tests.helpers import inputs, net_of, schema, valid

SCALED = """
layer { name: "s" type: "Scale" bottom: "x" top: "s" }
layer { name: "f" type: "InnerProduct" bottom: "s" top: "f" inner_product_param { num_output: 4 } }
"""
NET = 'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 } } }'


def written(folder: Path, text: str, name: str = "netcount.toml") -> Path:
    (folder / "a.prototxt").write_text(NET, encoding="utf-8")
    (folder / "b.prototxt").write_text(NET, encoding="utf-8")
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str, name: str = "netcount.toml") -> list[str]:
    with pytest.raises(InputError) as caught:
        load(written(folder, text, name))
    return str(caught.value).splitlines()


FULL = """\
baseline = "base.json"
[[net]]
path = ["a.prototxt", "b.*"]
phase = "TRAIN"
level = 2
stages = "deploy"
batch = "net"
input_shape = [1, 3]
convention = "flops"
allow_incomplete = true
max_params = "1.3M"
[[net]]
path = "a.prototxt"
name = "small"
input_shape = { x = [1, 3] }
assume = { Foo = "identity" }
[[budget]]
nets = ["small", "b*"]
layers = "conv*"
level = "warn"
weight_bits = 8
max_weight_bytes = "5 MiB"
min_madds = 7.0
[[budget]]
max_share = { "3x3" = "75%", "1×1" = 0.5 }
max_increase_params = "2% and 10k"
max_increase_madds = 500
forbidden_types = ["LRN"]
"""


def test_a_whole_configuration(tmp_path: Path) -> None:
    import tomllib

    config = load(written(tmp_path, FULL))
    valid(tomllib.loads(FULL), "config")
    first, second = config.nets
    assert [Path(file).name for file in first.files] == ["a.prototxt", "b.prototxt"]
    assert first.options.input_shapes == {"": (1, 3)}
    assert (first.options.phase, first.options.batch, first.options.level) == ("TRAIN", None, 2)
    assert first.allow_incomplete
    assert first.convention.name == "flops"
    assert first.budget is not None
    assert [limit.bound for limit in first.budget.limits] == [1_300_000]
    assert second.options.input_shapes == {"x": (1, 3)}
    assert second.budget is None
    layered, plain = config.budgets
    assert (layered.level, layered.weight_bits, layered.layers) == ("warn", 8, ("conv*",))
    assert [limit.bound for limit in layered.limits] == [5 * 2**20, 7]
    shares = {limit.kernel: limit.bound for limit in plain.limits if limit.figure == "share"}
    assert shares == {"3x3": Fraction(3, 4), "1x1": Fraction(1, 2)}
    grown = [(limit.bound, limit.floor) for limit in plain.limits if limit.side == "increase"]
    assert grown == [(Fraction(1, 50), 10_000), (0, 500)]
    assert list(config.labelled()) == ["a.prototxt", "b.prototxt", "small"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('max_parms = "1M"', 'did you mean "max_params"?'),
        ('max_params = "5 parsecs"', "unknown unit 'parsecs'"),
        ('max_params = "5 MiB"', "is in bytes, and params is not"),
        ("max_params = true", "not a number"),
        ("max_params = -1", "not between 0"),
        ("max_params = 1.5", "not a whole number"),
        ('max_params = "1.5"', "not a whole number"),
        ('max_params = "1,5M"', "is not a number with an optional unit"),
        ("max_params = nan", "not a whole number"),
        ("max_share = 75", "a share for each kernel size"),
        ('max_share = { "3x3" = 75 }', 'did you mean "75%"?'),
        ('max_share = { "3-3" = "75%" }', "not a kernel size"),
        ('forbidden_types = ["Convolutoin"]', 'did you mean "Convolution"?'),
        ("forbidden_types = []", "names no layer type"),
        ('max_increase_params = "2% and 3%"', "not an increase"),
        ('phase = "DEPLOY"', '"TEST" or "TRAIN"'),
        ("batch = 0", "batch: it is a number of images from 1"),
        ('convention = "flop"', 'did you mean "flops"?'),
        ("input_shape = [-1, 3]", "cannot be -1×3: extent -1 is negative"),
        ("weight_bits = 65", "from 1 to 64"),
        ('allow_incomplete = "yes"', "true or false"),
        ("assume = { Foo = 3 }", '"Foo" is assumed to be "identity", a known type or a shape'),
        ("assume = { Foo = [[1, 2], 3] }", "a list of whole numbers"),
        ('name = ""', "name is a text"),
        ('level = "warn"', '"warn" stands in a [[budget]]'),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    (problem,) = refusal(tmp_path, f'# a comment\n[[net]]\npath = "a.prototxt"\n\n{line}\n')
    assert said in problem
    assert "netcount.toml:5: " in problem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[net]]\npath = "c*.prototxt"', 'netcount.toml:2: no file matches "c*.prototxt"'),
        ('[[net]]\nmax_params = "1M"', "netcount.toml:1: this net has no path"),
        ('[net]\npath = "a.prototxt"', 'netcount.toml:1: "net" is a list of tables: write [[net]]'),
        ('[[budgets]]\nmax_params = "1M"', 'netcount.toml:1: there is no key "budgets"; did you mean'),
        ('[[budget]]\nnets = "a*"', "netcount.toml:1: this budget sets no limit"),
        ('[[budget]]\nlevel = "info"\nmax_params = 1', "netcount.toml:2: level is"),
        ('[[budget]]\nlayers = "x"\nmax_largest_blob = 1', "netcount.toml:3: max_largest_blob is of"),
        ('[[net]]\npath = [\n"a.prototxt",\n"c*",\n]', 'netcount.toml:4: no file matches "c*"'),
        ("budget = [\n{ max_params = 1 },\n{ max_parms = 1 }]", 'netcount.toml:3: there is no limit "max_parms"'),
        ("[[net]\n", "netcount.toml:1"),
        (f"[[net]]\nlevel = {'9' * 5000}", "not valid TOML"),
        (f"x = {'[' * 5000}", "nested too deeply"),
        ('[[net]]\npath = ["a.prototxt", "b.prototxt"]\nname = "n"', "netcount.toml:3: 2 files cannot"),
    ],
)
def test_a_wrong_structure_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    assert any(said in line for line in refusal(tmp_path, text))


def test_several_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = '[[net]]\npath = "a.prototxt"\nmax_parms = 1\n[[budget]]\nmax_madds = "1Q"\n'
    lines = refusal(tmp_path, text)
    assert [line.split("netcount.toml:")[1][0] for line in lines] == ["3", "5"]


def test_pyproject_is_found_upwards(tmp_path: Path) -> None:
    text = '[tool.other]\nx = 1\n[[tool.netcount.net]]\npath = "a.prototxt"\nmax_parms = 1\n'
    path = written(tmp_path, text, "pyproject.toml")
    below = tmp_path / "deep" / "er"
    below.mkdir(parents=True)
    (tmp_path / "deep" / "pyproject.toml").write_text("[tool.other]\n", encoding="utf-8")
    assert find(below) == path
    (problem,) = refusal(tmp_path, text, "pyproject.toml")
    assert "pyproject.toml:5: " in problem
    own = written(tmp_path, "", "netcount.toml")
    assert find(below) == own
    (tmp_path / "deep" / "pyproject.toml").write_text("tool = 3\n", encoding="utf-8")
    assert find(below) == own


def test_two_nets_of_one_label_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, '[[net]]\npath = "a.prototxt"\n[[net]]\npath = "a*"\nphase = "TRAIN"\n')
    with pytest.raises(InputError, match="two nets are called") as caught:
        load(path).labelled()
    assert "netcount.toml:3" in str(caught.value)


def test_lines_of_keys_in_awkward_texts() -> None:
    text = (
        'a = """\nb = 1 # no key\n[[no]]\n"""\n"quo.ted" = [\n  "]", # ]\n  { b = 1 },\n]\n'
        "[x . y]\nd.e = 'c = \"1'\n[[x.z]]\n[x.z.w]\nf = 1\n[[x.z]]\n[x.z.w]\nf = '''\n'''\ng = 2\n"
    )
    assert key_lines(text) == {
        ("a",): 1,
        ("quo.ted",): 5,
        ("quo.ted", 0): 6,
        ("quo.ted", 1): 7,
        ("quo.ted", 1, "b"): 7,
        ("x", "y"): 9,
        ("x", "y", "d", "e"): 10,
        ("x", "z", 0): 11,
        ("x", "z", 0, "w"): 12,
        ("x", "z", 0, "w", "f"): 13,
        ("x", "z", 1): 14,
        ("x", "z", 1, "w"): 15,
        ("x", "z", 1, "w", "f"): 16,
        ("x", "z", 1, "w", "g"): 18,
    }


def test_the_schemas_know_every_rule() -> None:
    from netcount.budget.limits import rule_names

    assert set(schema("config")["$defs"]["limits"]["properties"]) == set(rule_names())
    assert set(schema("check")["$defs"]["check"]["properties"]["rule"]["enum"]) == set(rule_names())


@pytest.mark.parametrize(
    "document",
    [
        {"net": [{"path": "a", "max_parms": 1}]},
        {"net": [{"max_params": 1}]},
        {"net": [{"path": "a", "max_params": "1,5M"}]},
        {"budget": [{"nets": "a"}]},
        {"budget": [{"max_params": 1, "path": "a"}]},
        {"budgets": []},
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(document: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        valid(document, "config")
    valid({"budget": [{"max_params": "1,234.5k", "nets": "a"}]}, "config")


OWN = """\
[[net]]
path = "a.prototxt"
convention = "npu"
max_cost = 5
[convention.npu]
madds = 1
muls = 3
"""


def test_macs_are_madds(tmp_path: Path) -> None:
    config = load(written(tmp_path, '[[net]]\npath = "a.prototxt"\nconvention = "macs"\nmax_cost = 5\n'))
    assert config.nets[0].convention.name == "madds"
    analysis = net_of(inputs(x=(2, 3)) + SCALED).analyze("macs")
    assert analysis.convention.name == "madds"
    assert analysis.totals.cost == analysis.totals.madds


def test_a_convention_of_ones_own_weighs_op_classes(tmp_path: Path) -> None:
    config = load(written(tmp_path, OWN))
    own = config.conventions["npu"]
    assert config.nets[0].convention == own
    assert own.about == "madds + 3·muls"
    net = net_of(inputs(x=(2, 3)) + SCALED)
    (_, scaled, dense) = net.analyze(own).layers
    assert (scaled.cost, dense.cost) == (3 * 6, 2 * 3 * 4)
    valid(tomllib.loads(OWN), "config")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("[convention.npu]\nmads = 1", ':2: there is no op class "mads"; did you mean "madds"?'),
        ("[convention.npu]\nmadds = 1.5", ":2: madds is a whole number, not 1.5"),
        ("[convention.npu]\nmadds = -1", ":1: a weight is a whole number from 0 on"),
        ("[convention.npu]\nabout = 'x'", ":1: this convention counts nothing"),
        ("[convention.flops]\nmadds = 1", ':1: "flops" is a convention of netcount\'s own'),
        ("[convention.macs]\nmadds = 1", ':1: "macs" is a convention of netcount\'s own'),
        ("convention = 3", ":1: convention is a table by name, not 3"),
    ],
)
def test_a_convention_with_a_mistake_is_told_with_its_line(tmp_path: Path, table: str, said: str) -> None:
    assert said in refusal(tmp_path, table)[0]
    with pytest.raises(jsonschema.ValidationError):
        valid(tomllib.loads(table), "config")
