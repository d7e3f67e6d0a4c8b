"""A path or a text -> Net: reading, telling solvers from nets, and all that `build` wants."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import BinaryIO

from netcount.build import build
from netcount.collector import paused
from netcount.errors import InputError, NetcountError, Problems, raise_all, reason
from netcount.layers.assumed import IDENTITY
from netcount.layers.catalogue import CATALOGUE, Catalogue
from netcount.net import Net
from netcount.prototxt.bind import bind, nearest
from netcount.prototxt.message import Message
from netcount.prototxt.reader import read
from netcount.prototxt.schema import fields_of
from netcount.prototxt.select import State
from netcount.prototxt.tree import Tree
from netcount.shape import Shape

MAX_BYTES = 256 * 2**20
"""A prototxt larger than this is taken for something else (a .caffemodel, a disk image)."""


def load_net(
    source: str | os.PathLike[str],
    *,
    phase: str = "TEST",
    level: int = 0,
    stages: Collection[str] = (),
    batch: int | str | None = 1,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    assume: Mapping[str, str | Sequence[int] | Sequence[Sequence[int]]] | None = None,
    catalogue: Catalogue = CATALOGUE,
    file: str | None = None,
) -> Net:
    """The net of a prototxt file, of `-` (standard input), or of a text that contains a `{`.

    phase, level, stages: Caffe's NetState, which picks layers by include and exclude rules.
    batch: images to count for; "net" or None for what the file declares.  input_shapes: N×C×H×W by
    blob name, "" for the only input.  assume: for layers of unknown type, by type or layer name:
    "identity", a shape, or a shape for each top.  file: the name to use in messages.

    A solver file is followed to the net it names.  Raises InputError where Caffe would refuse.
    """
    with paused():
        return _load(source, phase, level, stages, batch, input_shapes, assume, catalogue, file)


def _load(
    source: str | os.PathLike[str],
    phase: str,
    level: int,
    stages: Collection[str],
    batch: int | str | None,
    input_shapes: Mapping[str, Sequence[int]] | None,
    assume: Mapping[str, str | Sequence[int] | Sequence[Sequence[int]]] | None,
    catalogue: Catalogue,
    file: str | None,
) -> Net:
    if phase not in ("TRAIN", "TEST"):
        raise InputError(f'phase is "TRAIN" or "TEST", not {phase!r}')
    text, name = text_of(source, file)
    problems = Problems()
    message, own_level = _message_of(read(text, name), problems, phase)
    return build(
        message,
        state=State(phase, level or own_level, tuple(stages)),
        batch=_images(batch),
        input_shapes=input_shapes,
        assume={key: _assumed(value) for key, value in (assume or {}).items()},
        catalogue=catalogue,
        problems=problems,
    )


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of a prototxt; bytes that are not UTF-8 are kept as surrogates.

    InputError when the file cannot be read, or cannot be a prototxt.
    """
    name = os.fspath(path)
    try:
        if name == "-":
            data = _at_most(sys.stdin.buffer, MAX_BYTES + 1)
        else:
            if os.path.isdir(name):
                raise InputError(f"{shown_path(name)} is a folder, not a file")
            data = read_bytes(name, MAX_BYTES + 1)
    except (OSError, ValueError) as failure:
        raise InputError(f"cannot read {shown_path(name)}: {reason(failure)}") from None
    if len(data) > MAX_BYTES:
        raise InputError(f"{shown_path(name)} is larger than 256 MiB; that is no prototxt")
    if b"\0" in data:
        raise InputError(
            f"{shown_path(name)} holds zero bytes, so it is no prototxt; a .caffemodel has a net's weights: "
            "analyze the .prototxt it belongs to"
        )
    return data.decode("utf-8", "surrogateescape")


def _at_most(stream: BinaryIO, most: int) -> bytes:
    """The first `most` bytes, piece by piece: Python sets aside as many as one read asks for."""
    data = bytearray()
    while len(data) < most and (piece := stream.read(min(2**20, most - len(data)))):
        data += piece
    return bytes(data)


def read_bytes(name: str | os.PathLike[str], most: int) -> bytes:
    """The first `most` bytes of a file; a pipe that nobody writes to is an InputError, not a wait.

    OSError or ValueError when it cannot be read.
    """
    if not stat.S_ISFIFO(os.stat(name).st_mode):
        with open(name, "rb") as stream:
            return _at_most(stream, most)
    with open(os.open(name, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:
        try:
            first = os.read(stream.fileno(), 1)
        except BlockingIOError:  # somebody is there, and has not written yet
            first = b""
        else:
            if not first:
                raise InputError(f"{shown_path(os.fspath(name))} is a pipe that nobody writes to")
        os.set_blocking(stream.fileno(), True)
        return first + _at_most(stream, most - len(first))


class FileName(os.PathLike[str]):
    """The name of a file from a command line, never taken for the text of a prototxt."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __fspath__(self) -> str:
        return self.name

    __str__ = __fspath__


def shown_path(path: str) -> str:
    """A path for a message, with nothing a terminal would obey."""
    return path if path and path.isprintable() else ascii(path)


def text_of(source: str | os.PathLike[str], file: str | None = None) -> tuple[str, str]:
    """The text of a path, of `-` or of a text itself; and what to call it in messages."""
    if isinstance(source, str) and _is_text(source) and not _exists(source):
        return source, file or "<text>"
    path = os.fspath(source)
    return read_text(path), file or ("<stdin>" if path == "-" else shown_path(path))


def _is_text(source: str) -> bool:
    return not source.strip() or "{" in source or "\n" in source


def _exists(source: str) -> bool:
    try:
        return os.path.exists(source)
    except ValueError:
        return False


def _images(batch: int | str | None) -> int | None:
    if batch is None or batch == "net":
        return None
    if isinstance(batch, str):
        batch = int(batch) if batch.isascii() and batch.isdigit() else 0
    if not 1 <= batch < 2**31:
        raise InputError('batch is a positive number of images, or "net" for what the file says')
    return batch


def _assumed(value: str | Sequence[int] | Sequence[Sequence[int]]) -> list[Shape]:
    if isinstance(value, str):
        if value != IDENTITY:
            raise InputError(f'a layer is assumed to be "{IDENTITY}" or to have shapes, not {value!r}')
        return []
    if value and isinstance(value[0], int):
        return [Shape(value)]  # type: ignore[arg-type]
    return [Shape(shape) for shape in value]  # type: ignore[arg-type]


def _message_of(tree: Tree, problems: list[NetcountError], phase: str) -> tuple[Message, int]:
    """The NetParameter of a file, also where the file is a solver that names or holds a net.

    With it the level that the solver asks for; a net alone cannot ask for one.
    """
    if not _is_solver(tree):
        _check_net(tree)
        return bind(tree, "NetParameter", problems), 0
    solver = bind(tree, "SolverParameter", problems)
    raise_all(problems)
    given = [name for name in ("net", "net_param", "train_net", "train_net_param") if solver.has(name)]
    if len(given) > 1:
        raise solver.error(f"a solver gives one net to train, not {' and '.join(given)}", given[-1])
    prefixes = ("train_", "") if phase == "TRAIN" else ("test_", "", "train_")
    for prefix in prefixes:
        inline = solver.values.get(f"{prefix}net_param")
        named = solver.values.get(f"{prefix}net")
        if inline:
            net = inline[0] if isinstance(inline, list) else inline
        elif named:
            net = _followed(solver, f"{prefix}net", named, problems)
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


def _followed(solver: Message, field: str, named: str | list[str], problems: list[NetcountError]) -> Message:
    """The net a solver names, looked for beside the solver and then where the path says."""
    name = named[0] if isinstance(named, list) else named
    folder = os.path.dirname(solver.tree.source.file)
    for candidate in (os.path.join(folder, name), os.path.join(folder, os.path.basename(name))):
        if _exists(candidate):
            file = shown_path(candidate)
            tree = read(read_text(candidate), file)
            if _is_solver(tree):
                raise solver.error(f'this solver names "{name}", which is a solver too', field)
            return bind(tree, "NetParameter", problems)
    raise solver.error(
        f'this is a solver file, and the net it names, "{name}", is not there; analyze that file',
        field,
    )


def _check_net(tree: Tree) -> None:
    """Refuse, with one error, a file that has nothing of a net."""
    known = fields_of("NetParameter")
    names = list(dict.fromkeys(name for name, _, _ in tree.fields))
    if names and not any(name in known or nearest(name, list(known)) for name in names):
        shown = ", ".join(f'"{name[:40]}"' for name in names[:4])
        raise InputError(f"this is not a net: it has {shown}, and no layer", tree.place(tree.fields[0][2]))


def _is_solver(tree: Tree) -> bool:
    """Whether the fields are a solver's: one that only solvers have, and no layers."""
    net, solver = fields_of("NetParameter"), fields_of("SolverParameter")
    names = {name for name, _, _ in tree.fields}
    return not names & {"layer", "layers"} and any(n in solver and n not in net for n in names)
