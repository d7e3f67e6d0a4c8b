"""A path or a text -> the graph of its net."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence

from netcount.core.errors import InputError, Problems
from netcount.core.files import text_of
from netcount.core.gc_pause import paused
from netcount.core.shape import Shape
from netcount.graph.build import build
from netcount.graph.graph import Graph
from netcount.graph.solver import message_of
from netcount.layers.assumed import IDENTITY
from netcount.layers.registry import CATALOGUE, Catalogue
from netcount.prototxt.reader import read
from netcount.prototxt.select import State


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
) -> Graph:
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
) -> Graph:
    if phase not in ("TRAIN", "TEST"):
        raise InputError(f'phase is "TRAIN" or "TEST", not {phase!r}')
    text, name = text_of(source, file)
    problems = Problems()
    message, own_level = message_of(read(text, name), problems, phase)
    return build(
        message,
        state=State(phase, level or own_level, tuple(stages)),
        batch=_images(batch),
        input_shapes=input_shapes,
        assume={key: _assumed(value) for key, value in (assume or {}).items()},
        catalogue=catalogue,
        problems=problems,
    )


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
