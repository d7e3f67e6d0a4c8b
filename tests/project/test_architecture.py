"""What the house promises: imports go one way and in no circle, and the public surface is meant.

Each check is shown to fail on a copy of the package in which one line is wrong.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable

import pytest

import netcount
from tests.architecture import Tree, circles, misplaced, printing, uncalled, window_rules_in_kernels
from tests.command import UNMEASURED
from tests.helpers import ROOT

TREE = Tree.read(ROOT / "netcount")


def module_circles(tree: Tree) -> list[list[str]]:
    return circles({module: imports - {module} for module, imports in tree.imports.items()})


CHECKS: dict[str, Callable[[Tree], object]] = {
    "direction": misplaced,
    "circles": module_circles,
    "kernels": window_rules_in_kernels,
    "printing": printing,
    "layers": uncalled,
}


@pytest.mark.parametrize("check", CHECKS)
def test_the_house_is_in_order(check: str) -> None:
    assert not CHECKS[check](TREE)


@pytest.mark.parametrize(
    ("check", "file", "line"),
    [
        ("direction", "core/units.py", "import netcount.prototxt.reader"),
        ("direction", "prototxt/reader.py", "def late(): from netcount.graph import load"),
        ("direction", "layers/window.py", "if TYPE_CHECKING:\n    from netcount.graph.graph import Graph"),
        ("direction", "report/check.py", "from netcount import load"),
        ("direction", "report/check.py", "from netcount.cli import output"),
        ("direction", "lost.py", "import netcount.core"),
        ("circles", "prototxt/tree.py", "def late(): from netcount.prototxt.bind import bind"),
        ("circles", "core/errors.py", "if TYPE_CHECKING:\n    from netcount.core.files import shown_path"),
        ("kernels", "kernels/im2col.py", "from netcount.layers import window"),
        ("kernels", "kernels/im2col.py", "def late(): from netcount.layers.window import pooled"),
        ("printing", "analysis/count.py", "print('hello')"),
        ("layers", "layers/shape/accum.py", "class Other(Accum):\n    def workspace_elements(self): return 0"),
        (
            "layers",
            "layers/bases.py",
            "class _Mixed:\n    def lost_elements(self): ...\nclass Other(_Mixed, NoBlobs): ...",
        ),
    ],
)
def test_a_wrong_line_is_found(check: str, file: str, line: str) -> None:
    assert CHECKS[check](TREE.with_line(file, line))


PUBLIC = """
CATALOGUE CONVENTIONS NOTHING Advice Alternative Analysis Arity Assumable Blob BlobCheck BlobRow Block Blocks
ByHand CaffeMemory Catalogue ChannelChange Comparison Convention ConventionName ElementWise Errors Executor
Explanation Factors FilePath Filler InputError KernelShare Layer LayerChange LayerCheck LayerFacts LayerMemory
LayerReasons LayerRow LimitError LoadArguments Memory Message MissingFileError MissingShapeError Moving Net
NetFacts NetcountError NoBlobs Node OpCount Owner Page ParamBlob Phase Picture Place Plain PredictionsError
Product Reconciliation Rescaled Resolution Result Run RunMemory SameShape Search Shape ShapesOnly Size Source
Step Survey SurveyRow Sweep Term Totals TypeCosts UnknownTypeError Variant Verification Warned Weights Width Window
Lint LintFinding Compared Edit Estimate Finding Fit Held LayerTime Profile Smaller Target Unjudged WhatFits
Machine Measured TimedLayer TimedNet Timing
EngineCheck ExportedNet FoldedNet UpgradedNet
Arena ArenaBuffer ArenaMethod Backward LayerBackward Wanted SolverKind LayerTraining Training TrainingBatch
TrainingFits ChainTiling LayerTiling Strips BlobStats MemoryNeed MemoryPart MemoryVerdict ModelSize OverBlob
OverLayer WorkingMemory __version__ compare load loads rescale survey sweep weighted write_caffemodel
"""


def test_the_public_surface() -> None:
    assert set(netcount.__all__) == set(PUBLIC.split())
    assert all(hasattr(netcount, name) for name in netcount.__all__)
    assert set(netcount.__all__) <= set(dir(netcount))
    with pytest.raises(AttributeError, match="no attribute 'Graph'"):
        netcount.Graph  # noqa: B018


def test_a_public_name_is_imported_from_where_a_type_checker_sees_it() -> None:
    """What stands under TYPE_CHECKING is what `__getattr__` imports."""
    (seen,) = [node for node in TREE.parsed["netcount"].body if isinstance(node, ast.If)]
    homes = {
        node.module.removeprefix("netcount."): tuple(alias.name for alias in node.names)
        for node in seen.body
        if isinstance(node, ast.ImportFrom) and node.module
    }
    assert {home: sorted(names) for home, names in homes.items()} == {
        home: sorted(names) for home, names in netcount._HOMES.items()
    }


def test_one_class_is_called_net() -> None:
    classes = [
        f"{module}.{node.name}"
        for module, parsed in TREE.parsed.items()
        for node in ast.walk(parsed)
        if isinstance(node, ast.ClassDef) and node.name == "Net"
    ]
    assert classes == ["netcount.api.Net"]


def test_import_is_cheap() -> None:
    code = "import netcount, sys; print([m for m in sys.modules if m.startswith('netcount.')])"
    done = subprocess.run([sys.executable, "-c", code], env=UNMEASURED, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_assert_is_not_used_on_input() -> None:
    """Every assert in the package states what the code before it made sure of."""
    asserts = sum(isinstance(node, ast.Assert) for parsed in TREE.parsed.values() for node in ast.walk(parsed))
    assert asserts < 20
