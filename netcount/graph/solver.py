"""The net of a file that may be a solver: a solver is followed to the net that it names or holds."""

from __future__ import annotations

import os

from netcount.core.errors import InputError, NetcountError, raise_all
from netcount.core.files import exists, read_text, shown_path
from netcount.core.suggest import nearest
from netcount.prototxt import read_net
from netcount.prototxt.bind import bind
from netcount.prototxt.message import Message
from netcount.prototxt.reader import read
from netcount.prototxt.schema import fields_of
from netcount.prototxt.tree import Tree
from netcount.prototxt.unknown_fields import UnknownField
from netcount.prototxt.upgrade import upgrade


def message_of(
    tree: Tree, problems: list[NetcountError], unknown: list[UnknownField], phase: str
) -> tuple[Message, int]:
    """The upgraded NetParameter of a file, also where the file is a solver that names or holds a net.

    With it the level that the solver asks for; a net alone cannot ask for one.
    """
    if not is_solver(tree):
        _check_net(tree)
        return read_net(tree, tree.source.file, problems, unknown), 0
    solver = bind(tree, "SolverParameter", problems, unknown)
    raise_all(problems)
    given = [name for name in ("net", "net_param", "train_net", "train_net_param") if solver.has(name)]
    if len(given) > 1:
        raise solver.error(f"a solver gives one net to train, not {' and '.join(given)}", given[-1])
    prefixes = ("train_", "") if phase == "TRAIN" else ("test_", "", "train_")
    for prefix in prefixes:
        inline = solver.values.get(f"{prefix}net_param")
        named = solver.values.get(f"{prefix}net")
        if inline:
            net = upgrade(inline[0] if isinstance(inline, list) else inline, problems)
        elif named:
            net = _followed(solver, f"{prefix}net", named, problems, unknown)
        else:
            continue
        net = _in_state(net, solver, phase)
        return net, net.child("state").integer("level")
    raise solver.error("this is a solver file, and it names no net")


def _in_state(net: Message, solver: Message, phase: str) -> Message:
    """The net with its state and the solver's first one for the phase merged, as Solver::Init does."""
    own = solver.values.get(f"{phase.lower()}_state")
    state = own[0] if isinstance(own, list) else own
    if not state:
        return net
    stages = [*net.child("state").texts("stage"), *state.texts("stage")]
    merged = Message("NetState", {**net.child("state").values, **state.values, "stage": stages}, state.tree)
    return Message(net.type, {**net.values, "state": merged}, net.tree)


def _followed(
    solver: Message,
    field: str,
    named: str | list[str],
    problems: list[NetcountError],
    unknown: list[UnknownField],
) -> Message:
    """The net a solver names, looked for beside the solver and then where the path says."""
    name = named[0] if isinstance(named, list) else named
    folder = os.path.dirname(solver.tree.source.file)
    for candidate in (os.path.join(folder, name), os.path.join(folder, os.path.basename(name))):
        if exists(candidate):
            file = shown_path(candidate)
            if not os.path.isfile(candidate):  # a device or a pipe that the text of a file must not open
                raise solver.error(f'the net that this solver names, "{name}", is no regular file', field)
            tree = read(read_text(os.path.join(os.curdir, candidate) if candidate == "-" else candidate), file)
            if is_solver(tree):
                raise solver.error(f'this solver names "{name}", which is a solver too', field)
            return read_net(tree, file, problems, unknown)
    raise solver.error(
        f'this is a solver file, and the net it names, "{name}", is not there; analyze that file',
        field,
    )


_ANYWHERE = frozenset({"name", "engine", "state", "debug_info"})
"""Fields of a net that files of other tools have too."""
_OF_LAYERS = ("layer", "layers", "input", "input_dim", "input_shape")
"""Fields by one of which, misspelt, a file is still known as a net."""
_OTHERS = {
    "a label map, not a net": {"item"},
    "a description of a DPU target, not a net": {"isa_version", "bank_group"},
    "a detector's head for TIDL, not a net": {
        "caffe_ssd", "tf_od_api_ssd", "tidl_ssd", "tidl_yolo", "tidl_retinanet", "tidl_faster_rcnn", "tidl_3dod",
    },
    "settings of a model for a library or a trainer, not a net": {"model", "train_config", "eval_config"},
    "a graph of TensorFlow, not a net of Caffe": {"node", "versions"},
    "a model in ONNX, not a net of Caffe": {"ir_version", "opset_import"},
}  # fmt: skip
"""What files in the same format are, by the fields that they have at the top."""


def _check_net(tree: Tree) -> None:
    """Refuse, with one error, a file that has nothing of a net."""
    known = fields_of("NetParameter")
    names = list(dict.fromkeys(name for name, _, _ in tree.fields))
    telling = [name for name in names if name not in _ANYWHERE]
    if names and not any(name in known or nearest(name, _OF_LAYERS) for name in telling):
        shown = ", ".join(f'"{name[:40]}"' for name in names[:4])
        what = next((what for what, own in _OTHERS.items() if own & set(names)), "not a net")
        raise InputError(f"this is {what}: it has {shown}, and no layer", tree.place(tree.fields[0][2]))


_OF_SOLVERS = frozenset(
    "net net_param train_net test_net train_net_param test_net_param base_lr lr_policy max_iter solver_mode"
    " snapshot snapshot_prefix test_iter test_interval momentum weight_decay gamma stepsize solver_type".split()
)
"""Fields by one of which a file is known as a solver; others stand in files of other tools too."""


def is_solver(tree: Tree) -> bool:
    """Whether the fields are a solver's: one that only solvers have, and no layers."""
    names = {name for name, _, _ in tree.fields}
    return not names & {"layer", "layers"} and not names.isdisjoint(_OF_SOLVERS)
