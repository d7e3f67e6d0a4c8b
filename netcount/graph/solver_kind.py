"""What a solver keeps for each weight it learns."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from netcount.core.arguments import refuse
from netcount.core.errors import NetcountError, raise_all
from netcount.core.files import read_text
from netcount.core.suggest import nearest
from netcount.graph.load import name_of
from netcount.graph.solver import is_solver
from netcount.prototxt.bind import bind
from netcount.prototxt.message import Message
from netcount.prototxt.reader import read


class SolverKind(NamedTuple):
    """A solver, as far as its memory goes.

    Attributes:
        name: As the `type` of a solver.prototxt.
        history: Values that it keeps for each value of a parameter blob, from one iteration to the next.
        scratch: Values that it computes an update in, where Caffe runs on the CPU; on a GPU it needs none.
        gpu: Whether Caffe runs on a GPU, which is its default.
        l1: Whether weights decay by their sign, which takes a value each on a GPU too.
    """

    name: str
    history: int
    scratch: int
    gpu: bool = True
    l1: bool = False

    @property
    def update(self) -> int:
        """Values that it needs for an update, for each value of a parameter blob.

        SGDSolver::PreSolve makes the blobs update_ and temp_ for all; memory for one is taken when it is used.
        """
        signs = int(self.l1 and (self.gpu or self.name in _WITHOUT_TEMP))
        return (0 if self.gpu else self.scratch) + signs


SOLVERS: Mapping[str, SolverKind] = {
    "sgd": SolverKind("SGD", 1, 0),
    "nesterov": SolverKind("Nesterov", 1, 1),
    "adagrad": SolverKind("AdaGrad", 1, 1),
    "rmsprop": SolverKind("RMSProp", 1, 1),
    "adadelta": SolverKind("AdaDelta", 2, 2),
    "adam": SolverKind("Adam", 2, 1),
}
"""By name.  Sources: sgd_solver.cpp and its neighbours: ComputeUpdateValue, AdaDeltaPreSolve, AdamPreSolve."""
_WITHOUT_TEMP = frozenset({"SGD", "Nesterov", "AdaGrad", "RMSProp"})
"""Solvers that do not use temp_, in which signs of weights are kept, for the update itself."""


def solver_kind(given: str | os.PathLike[str]) -> SolverKind:
    """The solver of a name such as "adam", or of a solver.prototxt.

    Raises:
        InputError: There is no such solver, or the file is none.
    """
    name = os.fspath(given)
    if name.lower() in SOLVERS:
        return SOLVERS[name.lower()]
    if "." not in name and os.sep not in name and name != "-":
        known = ", ".join(SOLVERS)
        refuse("solver", f"it is one of {known}, or a solver.prototxt, not {name!r}{nearest(name, [*SOLVERS])}")
    kind = kind_of(read_text(given), name_of(given))
    if kind is None:
        refuse("solver", f"{name_of(given)} is no solver: it has none of a solver's fields")
    return kind


def kind_of(text: str, file: str) -> SolverKind | None:
    """The solver that a file's text describes; None where it is a net.

    Raises:
        InputError: Its solver is one that Caffe does not have, or the text is no prototxt.
    """
    tree = read(text, file)
    if not is_solver(tree):
        return None
    problems: list[NetcountError] = []
    solver = bind(tree, "SolverParameter", problems, [])
    raise_all(problems)
    kind = _named(solver)
    l1 = solver.text("regularization_type") == "L1" and solver.number("weight_decay") != 0
    return kind._replace(gpu=solver.text("solver_mode") == "GPU", l1=l1)


def _named(solver: Message) -> SolverKind:
    """By `type`, or by the enum that it replaced."""
    old = solver.has("solver_type") and not solver.has("type")
    field = "solver_type" if old else "type"
    name = solver.text(field)
    kind = SOLVERS.get(name.lower())
    if kind is None or (not old and name != kind.name):
        known = [one.name for one in SOLVERS.values()]
        raise solver.error(f'there is no solver of type "{name}"{nearest(name, known)}', field)
    return kind
