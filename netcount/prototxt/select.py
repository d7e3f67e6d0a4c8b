"""Which layers a net has in a given state: include and exclude rules (Caffe's Net::FilterNet)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, NamedTuple, TypeAlias

from netcount.core.errors import Advice, NetcountError
from netcount.prototxt.message import Message

Phase: TypeAlias = Literal["TRAIN", "TEST"]
"""Caffe's phases."""


class State(NamedTuple):
    """What rules are held against: phase ("TRAIN" or "TEST"), level and stages."""

    phase: Phase = "TEST"
    level: int = 0
    stages: Collection[str] = ()


def select(layers: list[Message], state: State, problems: list[NetcountError]) -> list[Message]:
    """The layers that are part of the net in `state`.

    Without include rules a layer is in unless an exclude rule is met; with them it is in when one
    is met.  Both kinds in one layer are an error.
    """
    kept = []
    for layer in layers:
        values = layer.values
        if "include" not in values and "exclude" not in values:
            kept.append(layer)
            continue
        include, exclude = layer.children("include"), layer.children("exclude")
        if include and exclude:
            name = layer.text("name")
            problems.append(
                layer.error(f'"{name}" has include and exclude rules; Caffe allows one kind', "exclude")
            )
        elif (
            any(_meets(state, rule) for rule in include)
            if include
            else not any(_meets(state, rule) for rule in exclude)
        ):
            kept.append(layer)
    return kept


def _meets(state: State, rule: Message) -> bool:
    """Whether a state meets every condition of one rule."""
    return (
        (not rule.has("phase") or rule.text("phase") == state.phase)
        and (not rule.has("min_level") or state.level >= rule.integer("min_level"))
        and (not rule.has("max_level") or state.level <= rule.integer("max_level"))
        and all(stage in state.stages for stage in rule.texts("stage"))
        and not any(stage in state.stages for stage in rule.texts("not_stage"))
    )


def way_in(layer: Message) -> Advice | None:
    """What takes in a layer that its rules leave out, where one argument does."""
    include, exclude = layer.children("include"), layer.children("exclude")
    phases: tuple[tuple[Phase, Phase], ...] = (("TRAIN", "TEST"), ("TEST", "TRAIN"))
    for phase, other in phases:
        if _phases(include) == {phase} or _phases(exclude) == {other}:
            return Advice("phase", phase)
    stages = [stage for rule in include for stage in rule.texts("stage")]
    return Advice("stages", stages[0]) if stages else None


def _phases(rules: list[Message]) -> set[str]:
    """The phases that the rules name; "" for a rule that names none."""
    return {rule.text("phase") if rule.has("phase") else "" for rule in rules}
