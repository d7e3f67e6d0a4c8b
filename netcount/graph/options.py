"""How a prototxt is read: which layers are taken, for how many images, what is assumed.  Checked here alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from operator import index
from typing import Any, Literal, NamedTuple, NoReturn, TypeAlias, TypedDict, Unpack

from netcount.core.errors import InputError
from netcount.core.shape import INT_MAX, Shape, oversized
from netcount.core.suggest import nearest
from netcount.layers.assumed import IDENTITY
from netcount.layers.registry import CATALOGUE, Catalogue
from netcount.prototxt.select import Phase

Assumption: TypeAlias = "str | Sequence[int] | Sequence[Sequence[int]]"
"""What a layer of unknown type is taken for: "identity", the shape of its tops, or a shape a top."""


class LoadArguments(TypedDict, total=False):
    """The keyword arguments that say how a prototxt is read, the same wherever one is.

    Attributes:
        phase: "TEST" (the default) or "TRAIN", in any case: Caffe's NetState.
        level: The level of include and exclude rules; 0 by default.
        stages: The stages of include and exclude rules; none by default.
        batch: Images to count for, 1 by default; "net" or None: what the file declares.
        input_shapes: N×C×H×W by blob name; "" for the only input.
        assume: For layers of unknown type, by type or layer name: "identity", a shape, or a shape for
            each top.
        catalogue: The layer types that are known.
    """

    phase: Phase | Literal["train", "test"]
    level: int
    stages: Collection[str]
    batch: int | str | None
    input_shapes: Mapping[str, Sequence[int]] | None
    assume: Mapping[str, Assumption] | None
    catalogue: Catalogue


class LoadOptions(NamedTuple):
    """How a prototxt is read, checked and in one form.  `LoadOptions.of` makes it of arguments.

    Attributes:
        phase: As in LoadArguments, in capitals.
        level: As in LoadArguments.
        stages: As in LoadArguments, in the order given.
        batch: Images; None for what the file declares.
        input_shapes: By blob name; "" for the only input.
        assume: The shapes of a layer's tops, by its type or name; none for the identity.
        catalogue: As in LoadArguments.
    """

    phase: Phase = "TEST"
    level: int = 0
    stages: tuple[str, ...] = ()
    batch: int | None = 1
    input_shapes: Mapping[str, Shape] = {}
    assume: Mapping[str, tuple[Shape, ...]] = {}
    catalogue: Catalogue = CATALOGUE

    @classmethod
    def of(cls, **arguments: Unpack[LoadArguments]) -> LoadOptions:
        """The options that some keyword arguments mean.

        Raises:
            InputError: A value is wrong; it names the argument.
            TypeError: There is no argument of that name.
        """
        for name in arguments:
            if name not in _CHECKS:
                raise TypeError(f'there is no argument "{name}"{nearest(name, [*_CHECKS])}')
        return cls(**{name: _CHECKS[name](value) for name, value in arguments.items()})


def _refuse(argument: str, what: str) -> NoReturn:
    raise InputError(what, argument=argument)


def _whole(value: object) -> int | None:
    """A whole number of any kind (numpy's too), or None; True and False are none."""
    try:
        return None if isinstance(value, bool) else index(value)  # type: ignore[arg-type]
    except TypeError:
        return None


def _phase(value: Any) -> Phase:
    phase = value.upper() if isinstance(value, str) else value
    if phase == "TRAIN":
        return "TRAIN"
    if phase == "TEST":
        return "TEST"
    _refuse("phase", f'it is "TEST" or "TRAIN", not {value!r}')


def _level(value: Any) -> int:
    level = _whole(value)
    if level is None or not -INT_MAX - 1 <= level <= INT_MAX:
        _refuse("level", f"it is a whole number of 32 bits, not {value!r}")
    return level


def _stages(value: Any) -> tuple[str, ...]:
    if not _is_list(value):
        _refuse("stages", f'they are a list of names, such as ["deploy"], not {value!r}')
    stages = tuple(value)
    for stage in stages:
        if not isinstance(stage, str):
            _refuse("stages", f"a stage is a name, not {stage!r}")
    return stages


def _batch(value: Any) -> int | None:
    if value is None or value == "net":
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    images = _whole(value)
    if images is None or not 1 <= images <= INT_MAX:
        _refuse("batch", f'it is a positive number of images, or "net" for what the file says, not {value!r}')
    return images


def _shape(argument: str, key: str, value: Any) -> Shape:
    extents = [_whole(extent) for extent in _items(value)]
    if None in extents or not _is_list(value):
        _refuse(argument, f"a shape{_of(key)} is a list of whole numbers, such as (1, 3, 224, 224), not {value!r}")
    shape = Shape(extents)  # type: ignore[arg-type]
    if why := oversized(shape):
        _refuse(argument, f"the shape{_of(key)} cannot be {shape}: {why}")
    return shape


def _is_list(value: Any) -> bool:
    return hasattr(value, "__iter__") and not isinstance(value, (str, bytes, Mapping))


def _items(value: Any) -> list[Any]:
    return list(value) if _is_list(value) else []


def _of(key: str) -> str:
    return f' of "{key}"' if key else ""


def _mapping(argument: str, value: Any, such_as: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        _refuse(argument, f"they are given by name, such as {such_as}, not {value!r}")
    for key in value:
        if not isinstance(key, str):
            _refuse(argument, f"a name is a text, not {key!r}")
    return value


def _input_shapes(value: Any) -> Mapping[str, Shape]:
    given = _mapping("input_shapes", value, '{"data": (1, 3, 224, 224)}')
    return {blob: _shape("input_shapes", blob, shape) for blob, shape in given.items()}


def _assume(value: Any) -> Mapping[str, tuple[Shape, ...]]:
    given = _mapping("assume", value, f'{{"FooLayer": "{IDENTITY}"}}')
    return {name: _assumed(name, what) for name, what in given.items()}


def _assumed(name: str, value: Any) -> tuple[Shape, ...]:
    if isinstance(value, str) and value == IDENTITY:
        return ()
    items = _items(value)
    if not items:
        _refuse("assume", f'"{name}" is taken for "{IDENTITY}" or for a shape, not for {value!r}')
    if _whole(items[0]) is not None:
        return (_shape("assume", name, items),)
    return tuple([_shape("assume", name, shape) for shape in items])


def _catalogue(value: Any) -> Catalogue:
    if not isinstance(value, Catalogue):
        _refuse("catalogue", f"it is a netcount.Catalogue, not {value!r}")
    return value


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "phase": _phase,
    "level": _level,
    "stages": _stages,
    "batch": _batch,
    "input_shapes": _input_shapes,
    "assume": _assume,
    "catalogue": _catalogue,
}
"""What brings each argument into its one form."""
