"""Layer classes of other packages: found by their entry point, with parameters no schema knows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import netcount
from tests.command import run
from tests.helpers import ROOT, inputs

NET = inputs(x=(1, 3, 8, 9)) + (
    'layer { name: "h" type: "Halve" bottom: "x" top: "y" halve_param { factor: 3 } }\n'
    'layer { name: "s" type: "ScaleTwice" bottom: "y" top: "z" }\n'
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip installed the plugin package."""
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target)]
    done = subprocess.run([*command, str(ROOT / "tests" / "plugin")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def test_a_type_of_an_installed_package_is_found(installed: Path) -> None:
    path = os.pathsep.join([str(installed), str(ROOT)])
    done = run("analyze", "-", "--format", "json", stdin=NET, PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    layers = json.loads(done.stdout)["layers"]
    assert layers[1]["tops"][0]["shape"] == [1, 3, 8, 3]
    assert layers[2]["ops"]["muls"] == 72
    listed = json.loads(run("layers", "--format", "json", PYTHONPATH=path).stdout)
    assert {"Halve", "ScaleTwice"} <= {row["type"] for row in listed["types"]}


def test_its_mistakes_are_told_like_our_own(installed: Path) -> None:
    path = os.pathsep.join([str(installed), str(ROOT)])
    for value, message in (("0", "factor must be positive"), ("many", "needs an integer")):
        done = run("analyze", "-", stdin=NET.replace("factor: 3", f"factor: {value}"), PYTHONPATH=path)
        assert done.returncode == 2
        assert done.stderr.startswith("<stdin>:2:")
        assert message in done.stderr


def test_without_it_the_type_is_unknown() -> None:
    with pytest.raises(netcount.InputError, match='"Halve"'):
        netcount.loads(NET)


def test_a_catalogue_of_ones_own() -> None:
    class Halve(netcount.Layer):
        """Half as wide."""

        type = "Halve"

        def read(self, message: object) -> None: ...

        def infer(self, bottoms: list[netcount.Shape]) -> list[netcount.Shape]:  # type: ignore[override]
            return [netcount.Shape((*bottoms[0][:-1], 4))]

        def blobs(self, bottoms: object) -> list[netcount.ParamBlob]:
            return []

        def ops(self, bottoms: object, tops: object) -> netcount.OpCount:
            return netcount.NOTHING

        def forward(self, bottoms: object, blobs: object, run: object) -> list[object]:  # type: ignore[override]
            return []

    catalogue = netcount.CATALOGUE.with_(Halve)
    text = NET.replace("ScaleTwice", "ReLU")
    assert netcount.loads(text, catalogue=catalogue).nodes[1].tops[0].shape == (1, 3, 8, 4)
    assert netcount.CATALOGUE.get("Halve") is None


def test_a_class_that_lacks_a_method_cannot_be_instantiated() -> None:
    class Half(netcount.Layer):
        """Lacks ops."""

        type = "Half"

        def read(self, message: object) -> None: ...

        def infer(self, bottoms: object) -> list[netcount.Shape]:
            return []

        def blobs(self, bottoms: object) -> list[netcount.ParamBlob]:
            return []

        def forward(self, bottoms: object, blobs: object, run: object) -> list[object]:  # type: ignore[override]
            return []

    with pytest.raises(TypeError, match="ops"):
        Half(None, 1)  # type: ignore[abstract,arg-type]
