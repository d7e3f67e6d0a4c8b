"""Which layers a net has in a given state: include and exclude rules (Caffe's Net::FilterNet)."""

from __future__ import annotations

from collections.abc import Collection
from itertools import product
from typing import Literal, NamedTuple, TypeAlias

from netcount.core.errors import Advice, NetcountError
from netcount.prototxt.message import Message

Phase: TypeAlias = Literal["TRAIN", "TEST"]
"""Caffe's phases."""
MOST_RULES = 8
"""Rules of a layer that are looked through for a way to take it in."""


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
        elif _taken(include, exclude, state):
            kept.append(layer)
    return kept


def _taken(include: list[Message], exclude: list[Message], state: State) -> bool:
    """Whether a layer with rules of one kind is part of the net."""
    if include:
        return any(_meets(state, rule) for rule in include)
    return not any(_meets(state, rule) for rule in exclude)


def _meets(state: State, rule: Message) -> bool:
    """Whether a state meets every condition of one rule."""
    return (
        (not rule.has("phase") or rule.text("phase") == state.phase)
        and (not rule.has("min_level") or state.level >= rule.integer("min_level"))
        and (not rule.has("max_level") or state.level <= rule.integer("max_level"))
        and all(stage in state.stages for stage in rule.texts("stage"))
        and not any(stage in state.stages for stage in rule.texts("not_stage"))
    )


def way_in(layer: Message, state: State) -> list[Advice]:
    """What takes in a layer that its rules leave out: as few arguments as do, none where nothing does.

    Stages that the state has stay: nobody can take one back who has asked for it.
    """
    include, exclude = layer.children("include")[:MOST_RULES], layer.children("exclude")[:MOST_RULES]
    rules = [*include, *exclude]
    phases: list[Phase] = [state.phase, "TRAIN" if state.phase == "TEST" else "TEST"]
    asked = [tuple([one for one in rule.texts("stage") if one not in state.stages]) for rule in include]
    levels = [rule.integer(name) for rule in rules for name in ("min_level", "max_level") if rule.has(name)]
    ways = []
    for phase, stages, level in product(
        phases, dict.fromkeys([(), *asked]), dict.fromkeys([state.level, *levels])
    ):
        if _taken(include, exclude, State(phase, level, {*state.stages, *stages})):
            way = [Advice("phase", phase)] if phase != state.phase else []
            way += [Advice("stages", stage) for stage in stages]
            ways.append(way + ([Advice("level", str(level))] if level != state.level else []))
    shortest = min(ways, key=len, default=[])
    return [one._replace(lead="and") if number else one for number, one in enumerate(shortest)]
