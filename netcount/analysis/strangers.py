"""Nets that are no versions of each other, side by side: by kind of operation, and by stage of the plane."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import Literal, NamedTuple

from netcount.analysis.compare import LayerFacts, NetFacts

NO_PLANE = "no plane"
OTHERS = "without madds and params"


class GroupSums(NamedTuple):
    """What the layers of a group come to in one net."""

    layers: int
    params: int
    madds: int


class Group(NamedTuple):
    """Layers of one kind, or of one stage, in each of the nets.

    by: "kind" (3×3 convolutions, InnerProduct …) or "stage" (how much smaller than the input's plane).
    """

    by: Literal["kind", "stage"]
    name: str
    sums: tuple[GroupSums, ...]


def groups(nets: Sequence[NetFacts]) -> list[Group]:
    """The nets' layers by kind, the costliest first, then by stage, the largest plane first."""
    kinds: dict[str, list[list[LayerFacts]]] = {}
    stages: dict[float, list[list[LayerFacts]]] = {}
    for index, net in enumerate(nets):
        height = _input_height(net)
        for layer in net.layers:
            kinds.setdefault(_kind(layer), [[] for _ in nets])[index].append(layer)
            stages.setdefault(_stage(layer, height), [[] for _ in nets])[index].append(layer)
    by_kind = [Group("kind", name, tuple(map(_sums, parts))) for name, parts in kinds.items()]
    by_kind.sort(key=lambda group: (group.name == OTHERS, -sum(sums.madds for sums in group.sums)))
    by_stage = [Group("stage", _stage_name(stage), tuple(map(_sums, stages[stage]))) for stage in sorted(stages)]
    return [*by_kind, *by_stage]


def _sums(layers: Sequence[LayerFacts]) -> GroupSums:
    params, madds = (sum(layer.figures.get(key, 0) for layer in layers) for key in ("params", "madds"))
    return GroupSums(len(layers), params, madds)


def _kind(layer: LayerFacts) -> str:
    """The kernel of a convolution, the type of any other layer that costs something."""
    if not (layer.figures.get("madds") or layer.figures.get("params")):
        return OTHERS
    field = {path.rpartition(".")[2]: value for path, value in layer.fields.items() if "_param." in path}
    extents = field["kernel_size"].split(", ") if "kernel_size" in field else []
    if "kernel_h" in field and "kernel_w" in field:
        extents = [field["kernel_h"], field["kernel_w"]]
    if not extents:
        return layer.type
    kernel = "×".join(extents * 2 if len(extents) == 1 else extents)
    group = field.get("group", "1")
    how = "" if group == "1" else " depthwise" if group == field.get("num_output") else " in groups"
    return f"{kernel}{how}" if layer.type == "Convolution" else f"{kernel}{how} {layer.type}"


def _input_height(net: NetFacts) -> int:
    """The height of the first image in the net, 0 where there is none."""
    return next((shape[2] for layer in net.layers for shape in layer.tops[:1] if len(shape) == 4), 0)


def _stage(layer: LayerFacts, height: int) -> float:
    """How many times the plane was halved, rounded; infinite where there is no plane."""
    shape = layer.tops[0] if layer.tops else ()
    if len(shape) != 4 or not height or not shape[2] or shape[2:] == (1, 1):
        return float("inf")
    return round(log2(height / shape[2]))


def _stage_name(stage: float) -> str:
    if stage == float("inf"):
        return NO_PLANE
    return f"1/{2**stage:g}" if stage >= 0 else f"×{2**-stage:g}"
