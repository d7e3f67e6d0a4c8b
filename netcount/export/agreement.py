"""An exported net held against the executor: what was allowed, and what an engine showed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from netcount.core.errors import Advice, InputError
from netcount.execute.stand_ins import distance

if TYPE_CHECKING:
    from netcount.kernels.run import Array

TOLERANCE = 1e-4
"""By how much of its largest absolute value a blob may differ."""


class EngineCheck(NamedTuple):
    """What the comparison showed.

    Attributes:
        engine: The engine and its version.
        blobs: How many blobs were compared.
        error: The largest difference of a blob, by its own largest absolute value.
    """

    engine: str
    blobs: int
    error: float


def extra(name: str, package: str) -> InputError:
    """The error where an engine is not installed."""
    return InputError(
        f"this takes {package}, of the extra netcount[{name}]; in a clone: python -m pip install '.[{name}]'"
    )


def no_engine(name: str, package: str) -> InputError:
    """The error where the engine is missing that would check a model: it can be written unchecked."""
    way = Advice("check", "False", lead="or write it unchecked with")
    return InputError(extra(name, package).what, advice=[way])


def differences(
    file: str, engine: str, expected: Mapping[str, Array], computed: Mapping[str, Array]
) -> dict[str, float]:
    """How far each blob that both have is off, by its own largest absolute value.

    Raises:
        InputError: One is off by more than is allowed.
    """
    errors = {name: distance(expected[name], array) for name, array in computed.items() if name in expected}
    wrong = [name for name, error in errors.items() if not error <= TOLERANCE]
    if wrong:
        more = f", and {len(wrong) - 1} more blobs" if len(wrong) > 1 else ""
        raise InputError(
            f'{file}: in {engine} "{wrong[0]}" differs by {errors[wrong[0]]:.1e} of its largest value{more}; '
            "nothing is written"
        )
    return errors
