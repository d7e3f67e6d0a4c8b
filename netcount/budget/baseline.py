"""The baseline: exact figures of nets as they were accepted, in a small file that diffs well."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

from netcount.analysis.compare import LayerFacts, NetFacts
from netcount.analysis.figures import KEPT
from netcount.core.errors import InputError, Place
from netcount.core.files import is_document, read_text, relative_path, shown_path
from netcount.core.units import FLOAT_BYTES

SCHEMA = "netcount/baseline/1"
_REQUIRED = ("params", "madds", "layers")
"""The figures of a net without which nothing is compared; any other that an older file lacks stops only
the limits on it."""


class Baseline(NamedTuple):
    """A baseline file: its nets by label."""

    path: str
    nets: Mapping[str, NetFacts]

    def of(self, label: str, file: str) -> NetFacts | None:
        """The net of a label, None where there is none; InputError where it is of another file."""
        known = self.nets.get(label)
        if known is not None and known.file != (now := self.named(file)):
            was, is_now = shown_path(known.file), shown_path(now)
            raise InputError(
                f'the baseline of "{label}" is of the file {was}, and this is {is_now}; '
                "netcount check --update-baseline renews it",
                Place(shown_path(self.path)),
            )
        return known

    def named(self, file: str) -> str:
        """A net's file as seen from the baseline's folder, the same on every machine."""
        if file == "<stdin>":
            return file
        return relative_path(os.path.realpath(file), os.path.dirname(os.path.realpath(self.path)))


def baseline_text(nets: Mapping[str, NetFacts]) -> str:
    """The file: one line per layer, nets by label, so that a diff shows the layers that changed."""
    blocks = []
    for label, net in sorted(nets.items()):
        head = {
            "file": net.file.replace("\\", "/"),
            "phase": net.phase,
            "batch": net.batch,
            "convention": net.convention,
        }
        lines = [f"      {_json(key)}: {_json(value)}," for key, value in head.items()]
        totals = ",\n".join(f"        {_json(key)}: {n}" for key, n in net.totals.items())
        layers = ",\n".join(f"        {_json(_layer(layer))}" for layer in net.layers)
        body = "\n".join(lines)
        blocks.append(
            f"    {_json(label)}: {{\n{body}\n"
            f'      "totals": {{\n{totals}\n      }},\n      "layers": [\n{layers}\n      ]\n    }}'
        )
    inside = ",\n".join(blocks)
    return f'{{\n  "schema": {_json(SCHEMA)},\n  "nets": {{\n{inside}\n  }}\n}}\n'


def read_baseline(path: str) -> dict[str, NetFacts]:
    """The nets of a baseline file by label; InputError where it is not one."""
    file = shown_path(path)
    try:
        document = json.loads(read_text(path))
    except json.JSONDecodeError as failure:
        raise InputError(f"not valid JSON: {failure.msg}", Place(file, failure.lineno, failure.colno)) from None
    except (RecursionError, ValueError):
        raise InputError("not a baseline: nested too deeply, or a number too long", Place(file)) from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        raise InputError(
            f'not a baseline: its schema is {schema!r}, not "{SCHEMA}" '
            "(netcount check --update-baseline writes one)",
            Place(file),
        )
    try:
        return {str(label): _net(label, net) for label, net in document["nets"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as failure:
        raise InputError(
            f"not a complete baseline ({type(failure).__name__}: {failure}); write a new one",
            Place(file),
        ) from None


def is_baseline(path: str) -> bool:
    """Whether a file looks like one rather than a prototxt."""
    return is_document(path, SCHEMA)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)


def _layer(layer: LayerFacts) -> dict[str, Any]:
    record: dict[str, Any] = {
        "name": layer.name,
        "type": layer.type,
        **{key: value for key, value in layer.figures.items() if value},
    }
    if layer.sources:
        record["bottoms"] = list(layer.sources)
    if layer.tops:
        record["tops"] = [list(shape) for shape in layer.tops]
    if layer.fields:
        record["fields"] = dict(layer.fields)
    return record


def _net(label: str, net: Mapping[str, Any]) -> NetFacts:
    batch, file = net["batch"], str(net["file"])
    totals = {str(key): _whole(n) for key, n in net["totals"].items()}
    for figure in _REQUIRED:
        if figure not in totals:
            raise ValueError(f"{figure} is missing from the totals of {label!r}")
    if "\0" in file:
        raise ValueError(f"{file!r} is not a path")
    layers = tuple(
        LayerFacts(
            str(layer["name"]),
            str(layer["type"]),
            0,
            {str(path): str(value) for path, value in layer.get("fields", {}).items()},
            tuple(map(str, layer.get("bottoms", []))),
            {figure.key: _whole(layer.get(figure.key, 0)) for figure in KEPT},
            tuple(tuple(map(_whole, shape)) for shape in layer.get("tops", [])),
        )
        for layer in net["layers"]
    )
    _check_totals(label, totals, layers)
    batch = None if batch is None else _whole(batch)
    return NetFacts(label, file, str(net["phase"]), batch, str(net["convention"]), totals, layers)


def _check_totals(label: str, totals: Mapping[str, int], layers: Sequence[LayerFacts]) -> None:
    """ValueError where totals are not those of the rows: by an edit a net could grow unseen."""
    rows = [layer.figures for layer in layers]
    sums = {figure.key: sum(row[figure.key] for row in rows) for figure in KEPT}
    extents = [prod(top) for layer in layers for top in layer.tops]
    told = {
        **sums,
        "weight_bytes": FLOAT_BYTES * (sums["params"] + sums["statistics"]),
        "layers": len(layers),
        "largest_blob": max(extents, default=0),
        **{f"layer_{key}": max((row[key] for row in rows), default=0) for key in ("params", "madds")},
    }
    for key, value in told.items():
        if totals.get(key, value) != value:
            raise ValueError(f"{key} of {label!r} is {totals[key]} in the totals and {value} by its layers")
    least, most = (FLOAT_BYTES * value for value in (max(extents, default=0), sum(extents)))
    if not least <= totals.get("peak_bytes", least) <= most:
        raise ValueError(f"peak_bytes of {label!r} is {totals['peak_bytes']}, not from {least} to {most}")


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**127:
        raise ValueError(f"{value!r} is not a whole number")
    return value
