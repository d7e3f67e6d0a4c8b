"""What the imports of a tree of Python files say about its structure."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path

ROOMS = (
    "core",
    "prototxt",
    "caffemodel",
    "kernels",
    "layers",
    "graph",
    "analysis",
    "targets",
    "budget",
    "execute",
    "deploy",
    "export",
    "engines",
    "picture",
    "report",
    "results",
    "serve",
)
"""From the ground up: a file imports from its own room and from rooms before it in this list."""
SURFACE = ("api", "running", "testing", "__init__")
"""The root files that stand above all rooms; only the command line imports them."""
TOP = ("cli", "__main__")


class Tree:
    """The modules of a package folder and what each of them imports, also inside functions and under
    TYPE_CHECKING."""

    def __init__(self, package: str, texts: Mapping[str, str]) -> None:
        """texts: by path within the package, with slashes."""
        self.package = package
        self.texts = texts
        self.parsed = {self._name(path): ast.parse(text) for path, text in texts.items()}
        self.imports = {name: frozenset(self._imported(name)) for name in self.parsed}

    @classmethod
    def read(cls, folder: Path) -> Tree:
        """The tree of a package's folder."""
        files = sorted(folder.rglob("*.py"))
        texts = {file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8") for file in files}
        return cls(folder.name, texts)

    def with_line(self, path: str, line: str) -> Tree:
        """The same tree with a line at the end of one file, which may be new."""
        other = copy(self)
        name = self._name(path)
        other.texts = {**self.texts, path: f"{self.texts.get(path, '')}\n{line}\n"}
        other.parsed = {**self.parsed, name: ast.parse(other.texts[path])}
        other.imports = {**self.imports, name: frozenset(other._imported(name))}
        return other

    def _name(self, path: str) -> str:
        parts = [self.package, *path.removesuffix(".py").split("/")]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def _imported(self, name: str) -> Iterator[str]:
        for node in ast.walk(self.parsed[name]):
            if isinstance(node, ast.Import):
                yield from (self._module(alias.name) for alias in node.names if self._own(alias.name))
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                if node.level:
                    base = ".".join([*name.split(".")[: -node.level], *([base] if base else [])])
                if self._own(base):
                    yield from (self._module(f"{base}.{alias.name}") for alias in node.names)

    def _own(self, name: str) -> bool:
        return name.split(".")[0] == self.package

    def _module(self, name: str) -> str:
        """The module that a dotted name stands in: itself, or what it is an attribute of."""
        while name not in self.parsed and "." in name:
            name = name.rpartition(".")[0]
        return name

    def room(self, module: str) -> str:
        """The first folder or file below the package."""
        parts = module.split(".")
        return parts[1] if len(parts) > 1 else "__init__"


def misplaced(tree: Tree) -> list[str]:
    """Imports that go up, and rooms that have no place."""
    levels = {room: level for level, room in enumerate(ROOMS)}
    levels |= dict.fromkeys(SURFACE, len(ROOMS)) | dict.fromkeys(TOP, len(ROOMS) + 1)
    unknown = {tree.room(module) for module in tree.parsed} - set(levels)
    problems = [f"{room} has no place among the rooms" for room in sorted(unknown)]
    for module, imports in tree.imports.items():
        for other in sorted(imports):
            here, there = tree.room(module), tree.room(other)
            if levels.get(there, -1) > levels.get(here, -1):
                problems.append(f"{module} imports {other}")
    return problems


def circles(imports: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The groups of modules that import each other, directly or through others (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for other in imports[module]:
            if other not in index:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], index[other])
        if low[module] == index[module]:
            group = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(group) > 1:
                groups.append(sorted(group))

    for module in imports:
        if module not in index:
            visit(module)
    return groups


def window_rules_in_kernels(tree: Tree) -> list[str]:
    """Files of `kernels` that import the layers' window rules, which `forward` must not know."""
    return [
        f"{module} imports {other}"
        for module, imports in tree.imports.items()
        if tree.room(module) == "kernels"
        for other in imports
        if other.endswith("layers.window")
    ]


def printing(tree: Tree, allowed: Sequence[str] = TOP) -> list[str]:
    """Calls of print, exit and quit outside the command line."""
    return [
        f"{module} calls {node.func.id}"
        for module, parsed in tree.parsed.items()
        if tree.room(module) not in allowed
        for node in ast.walk(parsed)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("print", "exit", "quit")
    ]


def uncalled(tree: Tree) -> list[str]:
    """Public methods of layers that the contract, `Layer`, does not have and that no file of the package names."""
    classes = [
        (module, node)
        for module, parsed in tree.parsed.items()
        if tree.room(module) == "layers"
        for node in ast.walk(parsed)
        if isinstance(node, ast.ClassDef)
    ]
    bases = {node.name: {base.id for base in node.bases if isinstance(base, ast.Name)} for _, node in classes}
    layers = {"Layer"}
    while derived := {name for name, above in bases.items() if above & layers} - layers:
        layers |= derived
    mixed_in = {base for name in layers for base in bases.get(name, ())} & set(bases)
    methods = {
        f"{module}.{node.name}.{method.name}": method.name
        for module, node in classes
        if node.name in layers | mixed_in
        for method in node.body
        if isinstance(method, ast.FunctionDef) and not method.name.startswith("_")
    }
    contract = {method for path, method in methods.items() if path.split(".")[-2] == "Layer"}
    named = re.compile(rf"\.({'|'.join(sorted(set(methods.values()) - contract))})\b")
    called = contract.union(*(named.findall(text) for text in tree.texts.values()))
    return [path for path, method in methods.items() if method not in called]
