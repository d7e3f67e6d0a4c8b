"""What netcount does about mistakes in other people's layer classes: it says whose they are, and goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dis import get_instructions
from functools import wraps
from inspect import isfunction
from typing import Any

from netcount.core.errors import InputError, NetcountError, Place, reason
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape


class PluginError(InputError):
    """A layer class that is not netcount's own went wrong."""


METHODS = (
    "variant", "read", "infer", "blobs", "ops", "backward", "forward", "products", "passes_bottom", "window",
    "sights", "data_dependent", "indices", "working_memory", "error", "refuse", "given_bottoms", "given_tops",
    "axis", "named",
)  # fmt: skip
"""What the contract calls: an attribute of such a name would be called in its place."""
STATE = ("message", "top_count", "phase")
"""What `Layer.__init__` sets."""
DECLARED = ("type", "names", "source", "bottoms", "tops")
"""What a class says of all its layers."""
_OWN = ("error", "refuse", "given_bottoms", "given_tops", "axis", "named")


def check_class(cls: type, arity: type) -> None:
    """TypeError where a class has an attribute in the place of something the contract calls or sets.

    A `self.window = …` hides the method of that name for good, and would go wrong far from here.
    """
    title = f"{cls.__module__}.{cls.__qualname__}"
    for name, value in vars(cls).items():
        if name in STATE:
            raise TypeError(f"{title}: `{name}` is set by netcount; call yours otherwise")
        if name in METHODS and not (callable(value) or isinstance(value, (property, classmethod, staticmethod))):
            raise TypeError(f"{title}: `{name}` is a method of the contract; call this attribute otherwise")
        if name in ("bottoms", "tops") and not isinstance(value, arity):
            raise TypeError(f"{title}: `{name}` must be an Arity, such as Arity(1, 1), not {value!r}")
        for written in _set_by(value) if isfunction(value) else ():
            if written in (*METHODS, *STATE, *DECLARED) and name != "__init__":
                what = "is set by netcount" if written in STATE else "belongs to the contract of a layer"
                raise TypeError(f"{title}.{name}: `self.{written}` {what}; call yours otherwise")


def _set_by(function: Any) -> list[str]:
    """The attributes that a method sets on its first argument."""
    code = function.__code__
    if not code.co_argcount:
        return []
    own, names, before = code.co_varnames[0], [], None
    for step in get_instructions(code):
        if step.opname == "STORE_ATTR" and before is not None:
            loaded = before.argval[-1] if isinstance(before.argval, tuple) else before.argval
            if before.opname.startswith("LOAD_FAST") and loaded == own:
                names.append(str(step.argval))
        before = step
    return names


def watch(cls: type, kinds: Mapping[str, type]) -> None:
    """Let every method that a class defines tell, of whatever goes wrong in it, package, class and layer.

    Args:
        cls: A class that is not netcount's own.
        kinds: Of what kind the elements are that `blobs` and others give.
    """
    for name in (*METHODS, "__init__"):
        value = vars(cls).get(name)
        if isfunction(value) and name not in _OWN:
            setattr(cls, name, _watched(cls, name, value, kinds))


def _watched(cls: type, name: str, method: Callable[..., Any], kinds: Mapping[str, type]) -> Callable[..., Any]:
    @wraps(method)
    def watched(self: Any, *arguments: Any, **named: Any) -> Any:
        try:
            answer = method(self, *arguments, **named)
        except NetcountError:
            raise
        except (Exception, SystemExit) as failure:
            told = f"exit with {failure.code}" if isinstance(failure, SystemExit) else reason(failure)
            what = f"{type(failure).__name__}: {told}"
            raise _failed(cls, name, getattr(self, "message", None) or (*arguments, None)[0], what) from failure
        problem = _misfit(name, answer, kinds)
        if problem:
            raise _failed(cls, name, self.message, problem)
        return [Shape(shape) for shape in answer] if name == "infer" else answer

    return watched


def _misfit(name: str, answer: Any, kinds: Mapping[str, type]) -> str:
    """What is wrong with what a method gave; "" for nothing."""
    if name == "infer":
        wanted = "a list of shapes, one a top"
        fits = isinstance(answer, (list, tuple)) and all(
            isinstance(shape, tuple) and all(type(extent) is int and extent >= 0 for extent in shape)
            for shape in answer
        )
    elif name == "ops":
        wanted, fits = "an OpCount", isinstance(answer, OpCount)
    elif name == "backward":
        wanted, fits = "an OpCount or None", answer is None or isinstance(answer, OpCount)
    elif name == "forward":
        wanted, fits = "a list of arrays", isinstance(answer, (list, tuple))
    elif name == "window":
        wanted, fits = "a Window or None", answer is None or isinstance(answer, kinds[name])
    elif name in kinds:
        kind = kinds[name]
        wanted = f"a list of {kind.__name__}"
        fits = isinstance(answer, (list, tuple)) and all(isinstance(one, kind) for one in answer)
    else:
        return ""
    return "" if fits else f"it gave {str(answer)[:100]!r}, not {wanted}"


def _failed(cls: type, name: str, message: Any, what: str) -> PluginError:
    """An error of a class of another package, at the layer that it was to read or count."""
    package = cls.__module__.partition(".")[0]
    whose = f"{name} of {cls.__module__}.{cls.__qualname__} (package {package}) failed: {what}"
    try:
        place: Place | None = message.place()
        return PluginError(f'{message.text("type")} "{message.text("name")}": {whose}', place)
    except Exception:  # it has spoilt its own message
        return PluginError(whose)
