"""How a prototxt is read: which layers are taken, for how many images, what is assumed.  Checked here alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias, TypedDict, Unpack

from netcount.core.arguments import refuse, whole_or_none
from netcount.core.shape import INT_MAX, Shape, oversized
from netcount.core.suggest import nearest
from netcount.layers.assumed import IDENTITY, Assumption
from netcount.layers.registry import CATALOGUE, Catalogue
from netcount.prototxt.select import Phase
from netcount.prototxt.unknown_fields import IGNORED


class ByHand(TypedDict, total=False):
    """What a layer costs, where the caller knows it.

    Attributes:
        shape: Of its tops: one, or one per top; without it bottom 0's.
        params: Its learned values.
        madds: Its multiply-adds for one image.
    """

    shape: Sequence[int] | Sequence[Sequence[int]]
    params: int
    madds: int


Assumable: TypeAlias = "str | Sequence[int] | Sequence[Sequence[int]] | ByHand"
"""What a layer is taken for: "identity", a known type, the shape of its tops, a shape per top, or its cost; and
of a field: "ignored"."""


class LoadArguments(TypedDict, total=False):
    """The keyword arguments that say how a prototxt is read, the same wherever one is.

    Attributes:
        phase: "TEST" (the default) or "TRAIN", in any case: Caffe's NetState.
        level: The level of include and exclude rules; 0 by default.
        stages: The stages of include and exclude rules; none by default.
        batch: Images to count for, 1 by default; "net" or None: what the file declares.
        input_shapes: N×C×H×W by blob name; "" for the only input.
        assume: By type or layer name, of layers that are unknown or that a fork reads in its own way:
            "identity", a known type, a shape, a shape for each top, or shape, params and madds.  By
            MESSAGE.field: "ignored", for a field that no known Caffe has ("unknown-fields": for all).
        define: Values for the placeholders `$NAME$` and `${NAME}` of a template.
        catalogue: The layer types that are known.
    """

    phase: Phase | Literal["train", "test"]
    level: int
    stages: Collection[str]
    batch: int | str | None
    input_shapes: Mapping[str, Sequence[int]] | None
    assume: Mapping[str, Assumable] | None
    define: Mapping[str, object] | None
    catalogue: Catalogue


class LoadOptions(NamedTuple):
    """How a prototxt is read, checked and in one form.  `LoadOptions.of` makes it of arguments.

    Attributes:
        phase: As in LoadArguments, in capitals.
        level: As in LoadArguments.
        stages: As in LoadArguments, in the order given.
        batch: Images; None for what the file declares.
        input_shapes: By blob name; "" for the only input.
        assume: As in LoadArguments.
        define: As in LoadArguments, as texts.
        catalogue: As in LoadArguments.
    """

    phase: Phase = "TEST"
    level: int = 0
    stages: tuple[str, ...] = ()
    batch: int | None = 1
    input_shapes: Mapping[str, Shape] = {}
    assume: Mapping[str, Assumption] = {}
    define: Mapping[str, str] = {}
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


def _phase(value: Any) -> Phase:
    phase = value.upper() if isinstance(value, str) else value
    if phase == "TRAIN":
        return "TRAIN"
    if phase == "TEST":
        return "TEST"
    refuse("phase", f'it is "TEST" or "TRAIN", not {value!r}')


def _level(value: Any) -> int:
    level = whole_or_none(value)
    if level is None or not -INT_MAX - 1 <= level <= INT_MAX:
        refuse("level", f"it is a whole number of 32 bits, not {value!r}")
    return level


def _stages(value: Any) -> tuple[str, ...]:
    if not _is_list(value):
        refuse("stages", f'they are a list of names, such as ["deploy"], not {value!r}')
    stages = tuple(value)
    for stage in stages:
        if not isinstance(stage, str):
            refuse("stages", f"a stage is a name, not {stage!r}")
    return stages


def _batch(value: Any) -> int | None:
    if value is None or value == "net":
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    images = whole_or_none(value)
    if images is None or not 1 <= images <= INT_MAX:
        refuse(
            "batch",
            f'it is a number of images from 1 to {INT_MAX}, or "net" for what the file says, not {value!r}',
        )
    return images


def _shape(argument: str, key: str, value: Any) -> Shape:
    extents = [whole_or_none(extent) for extent in _items(value)]
    if None in extents or not _is_list(value):
        refuse(argument, f"a shape{_of(key)} is a list of whole numbers, such as (1, 3, 224, 224), not {value!r}")
    shape = Shape(extents)  # type: ignore[arg-type]
    if why := oversized(shape):
        refuse(argument, f"the shape{_of(key)} cannot be {shape}: {why}")
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
        refuse(argument, f"they are given by name, such as {such_as}, not {value!r}")
    for key in value:
        if not isinstance(key, str):
            refuse(argument, f"a name is a string, not {key!r}")
    return value


def _input_shapes(value: Any) -> Mapping[str, Shape]:
    given = _mapping("input_shapes", value, '{"data": (1, 3, 224, 224)}')
    return {blob: _shape("input_shapes", blob, shape) for blob, shape in given.items()}


def _define(value: Any) -> Mapping[str, str]:
    given = _mapping("define", value, '{"HEIGHT": 320}')
    for name, what in given.items():
        if not isinstance(what, (str, int, float)) or not name.isidentifier():
            refuse("define", f'"{name}" is a string or a number, not {what!r}')
    return {name: str(what) for name, what in given.items()}


def _assume(value: Any) -> Mapping[str, Assumption]:
    given = _mapping("assume", value, f'{{"FooLayer": "{IDENTITY}"}}')
    return {name: _assumed(name, what) for name, what in given.items()}


def _assumed(name: str, value: Any) -> Assumption:
    if isinstance(value, str) and value:
        if value == IDENTITY:
            return Assumption()
        return Assumption(ignored=True) if value == IGNORED else Assumption(like=value)
    if isinstance(value, Mapping):
        return _by_hand(name, value)
    return Assumption(_shapes(name, value))


def _by_hand(name: str, value: Mapping[str, Any]) -> Assumption:
    for key in value:
        if key not in ByHand.__annotations__:
            refuse("assume", f'"{name}" has {", ".join(ByHand.__annotations__)}, not {key!r}')
    cost = {key: whole_or_none(value.get(key)) for key in ("params", "madds")}
    for key, number in cost.items():
        if number is None or not 0 <= number < 2**63:
            refuse("assume", f'{key} of "{name}" is a whole number from 0 on, not {value.get(key)!r}')
    shapes = _shapes(name, value["shape"]) if "shape" in value else ()
    return Assumption(shapes, None, cost["params"], cost["madds"])


def _shapes(name: str, value: Any) -> tuple[Shape, ...]:
    items = _items(value)
    if not items:
        refuse("assume", f'"{name}" is assumed to be "{IDENTITY}", a known type or a shape, not {value!r}')
    if whole_or_none(items[0]) is not None:
        return (_shape("assume", name, items),)
    return tuple([_shape("assume", name, shape) for shape in items])


def _catalogue(value: Any) -> Catalogue:
    if not isinstance(value, Catalogue):
        refuse("catalogue", f"it is a netcount.Catalogue, not {value!r}")
    return value


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "phase": _phase,
    "level": _level,
    "stages": _stages,
    "batch": _batch,
    "input_shapes": _input_shapes,
    "assume": _assume,
    "define": _define,
    "catalogue": _catalogue,
}
"""What brings each argument into its one form."""
