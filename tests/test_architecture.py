"""What the house promises: imports go one way, files stay small, the public surface is meant."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import netcount
from tests.helpers import ROOT

PACKAGE = ROOT / "netcount"
ROOMS = [
    ["errors", "collector", "lazy", "units", "shape", "opcount"],
    ["prototxt"],
    ["layers"],
    ["net"],
    ["wiring"],
    ["shapes"],
    ["build"],
    ["loading"],
    ["analysis"],
    ["execute"],
    ["report", "config", "toml_lines", "toml_tables"],
    ["gate"],
    ["api", "testing"],
    ["__init__"],
    ["cli"],
]
"""From the ground up; a module imports from its own row and from rows above it in this list."""
LEVEL = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}
MOST_LINES = 310
LONGER = {"prototxt/schema_table.py"}
"""Generated."""


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0].removesuffix(".py")


def imports(path: Path) -> list[str]:
    """The netcount rooms that a module imports at its top level or inside functions."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module] if node.module != "netcount" else [f"netcount.{a.name}" for a in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found += [name.split(".")[1] for name in names if name.startswith("netcount.")]
    return [room if room in LEVEL else "__init__" for room in found]


def test_every_room_has_its_place() -> None:
    assert {room_of(path) for path in modules()} == set(LEVEL)


def test_imports_only_go_to_rooms_above() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {room}"
        for path in modules()
        for room in imports(path)
        if LEVEL[room] > LEVEL[room_of(path)]
    ]
    assert not wrong


def test_forward_knows_nothing_of_the_window_rules() -> None:
    """The arrays' side derives its extents by another road than `window.py`."""
    for name in ("column.py", "reduction.py", "filling.py", "boxes.py", "run.py"):
        assert "layers.window" not in (PACKAGE / "layers" / name).read_text(encoding="utf-8")


def test_no_file_is_much_over_300_lines() -> None:
    sizes = {
        str(path.relative_to(PACKAGE)): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()
    }
    assert {name for name, lines in sizes.items() if lines > MOST_LINES} <= LONGER


def test_only_the_command_line_prints_or_exits() -> None:
    for path in modules():
        if room_of(path) == "cli":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("print", "exit", "quit"), path


def test_the_public_surface() -> None:
    assert set(netcount.__all__) == {
        "Analysis", "Arity", "CATALOGUE", "Catalogue", "Executor", "InputError", "Layer", "NOTHING", "Net",
        "NetcountError", "OpCount", "ParamBlob", "Place", "Product", "Shape", "Window", "__version__", "compare",
        "load", "rescale", "sweep", "write_caffemodel",
    }  # fmt: skip
    assert all(hasattr(netcount, name) for name in netcount.__all__)


def test_import_is_cheap() -> None:
    code = "import netcount, sys; print([m for m in ('numpy', 'pandas', 'rich', 'google') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_assert_is_not_used_on_input() -> None:
    """Every assert in the package states what the code before it made sure of."""
    counted = sum(
        isinstance(node, ast.Assert)
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )
    assert counted < 20
