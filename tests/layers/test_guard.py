"""Layer classes of other people: what goes wrong in one says whose it is, and ends no command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import netcount
from netcount import InputError, Layer, NetcountError, OpCount, Shape
from netcount.layers.guard import METHODS, STATE
from tests.command import UNMEASURED
from tests.helpers import ROOT, inputs

TEXT = inputs(x=(2, 6, 9, 11)) + '\nlayer { name: "mine" type: "Mine" bottom: "x" top: "y" }\n'


def mine(**other: Any) -> type[Layer]:
    """A class that copies its bottom, with other attributes or methods."""
    attributes: dict[str, Any] = {
        "__module__": "somebodys.package",
        "type": "Mine",
        "read": lambda self, message: None,
        "infer": lambda self, bottoms: [bottoms[0]],
        "blobs": lambda self, bottoms: [],
        "ops": lambda self, bottoms, tops: OpCount(),
        "forward": lambda self, bottoms, blobs, run: [bottoms[0].copy()],
    }
    return type("Mine", (Layer,), attributes | other)


def ask(layer: type[Layer]) -> None:
    """Everything that calls its methods."""
    net = netcount.loads(TEXT, catalogue=netcount.CATALOGUE.with_(layer))
    analysis = net.analyze()
    analysis.memory()
    analysis.explain("mine")
    net.run()


def divide(*_: Any) -> Any:
    return 1 // 0


def leave(*_: Any) -> Any:
    sys.exit(7)


def test_a_class_that_is_right_is_asked_everything() -> None:
    ask(mine())


@pytest.mark.parametrize("wrong", [divide, leave], ids=["an exception", "sys.exit"])
@pytest.mark.parametrize(
    "method",
    [
        "read",
        "infer",
        "blobs",
        "ops",
        "forward",
        "window",
        "data_dependent",
        "indices",
        "working_memory",
        "products",
    ],
)
def test_what_goes_wrong_says_whose_it_is(method: str, wrong: Any) -> None:
    with pytest.raises(NetcountError) as caught:
        ask(mine(**{method: lambda *arguments: wrong(*arguments)}))
    told = str(caught.value)
    assert told.startswith('<text>:3:1: Mine "mine": ')
    assert f"{method} of somebodys.package.Mine (package somebodys) failed: " in told
    assert ("exit with 7" if wrong is leave else "ZeroDivisionError") in told


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("infer", None),
        ("infer", [(2, "3")]),
        ("infer", [(2, -3)]),
        ("ops", 3),
        ("blobs", [Shape((1,))]),
        ("forward", None),
        ("window", (3, 3)),
        ("products", [3]),
    ],
)
def test_an_answer_of_another_kind_says_whose_it_is(method: str, answer: Any) -> None:
    with pytest.raises(InputError, match=rf"{method} of somebodys.package.Mine .* failed: it gave"):
        ask(mine(**{method: lambda *_: answer}))


def test_its_own_refusals_stay_as_they_are() -> None:
    def read(self: Layer, message: Any) -> None:
        self.refuse("not today")

    with pytest.raises(InputError) as caught:
        ask(mine(read=read))
    assert str(caught.value).startswith('<text>:3:1: Mine "mine": not today')


@pytest.mark.parametrize("name", [*METHODS, *STATE])
def test_an_attribute_in_the_place_of_the_contract_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match=f"somebodys.package.Mine: `{name}`"):
        mine(**{name: 3})


@pytest.mark.parametrize("name", ["window", "indices", "message", "type", "bottoms"])
def test_an_attribute_that_a_method_sets_in_its_place_is_refused(name: str) -> None:
    scope: dict[str, Any] = {}
    exec(f"def read(self, message):\n    value = 3\n    self.{name} = value", scope)
    with pytest.raises(TypeError, match=rf"Mine.read: `self.{name}`"):
        mine(read=scope["read"])


def test_what_is_no_attribute_of_its_own_is_allowed() -> None:
    def read(self: Any, message: Any) -> None:
        self.windows = 3
        self.warning = "has to be known"
        message.window = 4

    mine(read=read)


def test_a_class_that_lacks_something_is_refused() -> None:
    class Half(Layer):
        """Nothing but a name."""

        type = "Half"

    with pytest.raises(TypeError, match="lacks blobs, forward, infer, ops, read"):
        netcount.CATALOGUE.with_(Half)
    with pytest.raises(TypeError, match="`bottoms` must be an Arity"):
        mine(bottoms=2)


PLUGINS = {
    "does not exist": ("missing:Mine", "", "ModuleNotFoundError"),
    "leaves": ("plug:Mine", "import sys; sys.exit(9)", "SystemExit: 9"),
    "is none": ("plug:Mine", "Mine = 3", "is not a Layer class"),
    "lacks all": ("plug:Mine", "import netcount\nclass Mine(netcount.Layer): type = 'Mine'", "lacks blobs"),
    "shadows": ("plug:Mine", "import netcount\nclass Mine(netcount.Layer): window = 3", "`window` is a method"),
}


@pytest.mark.parametrize("name", PLUGINS)
def test_a_package_whose_class_cannot_be_loaded_is_named(tmp_path: Path, name: str) -> None:
    point, code, told = PLUGINS[name]
    (tmp_path / "plug.py").write_text(code + "\n", encoding="utf-8")
    info = tmp_path / "some_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-package\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[netcount.layers]\nMine = {point}\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "netcount", "analyze", "-"],
        input=TEXT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**UNMEASURED, "PYTHONPATH": f"{tmp_path}{';' if sys.platform == 'win32' else ':'}{ROOT}"},
        check=False,
    )
    assert done.returncode == 2
    assert f"package some-package: {point} of netcount.layers" in done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
