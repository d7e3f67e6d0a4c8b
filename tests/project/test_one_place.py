"""What has one place is not spelled anywhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.architecture import Tree
from tests.helpers import ROOT

TREE = Tree.read(ROOT / "netcount")


def users(tree: Tree, *names: str) -> set[str]:
    """The modules in which one of these names stands, as a name, an attribute or an import."""
    return {module for module, parsed in tree.parsed.items() if not set(names).isdisjoint(_names(parsed))}


def _names(parsed: ast.AST) -> Iterator[str]:
    for node in ast.walk(parsed):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias):
            yield node.name


def exits_with_numbers(tree: Tree) -> set[str]:
    """The modules that spell an exit code as a number: `Exit(3)`, `code = 3`, `exit_code = 3`."""
    found = set()
    for module, parsed in tree.parsed.items():
        for node in ast.walk(parsed):
            values: list[ast.expr | None] = []
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "Exit":
                values += node.args
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if any(isinstance(target, ast.Name) and target.id in ("code", "exit_code") for target in targets):
                    values.append(node.value)
            if any(isinstance(value, ast.Constant) and isinstance(value.value, int) for value in values):
                found.add(module)
    return found


@pytest.mark.parametrize(
    ("names", "place"),
    [
        (("mkstemp", "NamedTemporaryFile"), "netcount.core.files"),
        (("get_close_matches",), "netcount.core.suggest"),
    ],
)
def test_it_has_one_place(names: tuple[str, ...], place: str) -> None:
    assert users(TREE, *names) == {place}
    copied = TREE.with_line("cli/output.py", f"from somewhere import {names[0]}")
    assert users(copied, *names) == {place, "netcount.cli.output"}


@pytest.mark.parametrize(
    "line", ["code = 3", "raise click.exceptions.Exit(1)", "class A:\n    exit_code: int = 2"]
)
def test_exit_codes_have_names(line: str) -> None:
    assert not exits_with_numbers(TREE)
    assert exits_with_numbers(TREE.with_line("cli/output.py", line)) == {"netcount.cli.output"}
