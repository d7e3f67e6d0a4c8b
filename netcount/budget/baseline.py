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
from netcount.core.files import is_document, relative_path, shown_path
from netcount.core.records import Kind, Record, list_of, mapping_of, optional, read_record, text, whole
from netcount.core.units import FLOAT_BYTES

SCHEMA = "netcount/baseline/1"
_KIND = Kind("baseline", SCHEMA, "netcount check --update-baseline writes a new one")
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
    return {label: _net(label, net) for label, net in read_record(path, _KIND).named("nets").items()}


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


def _net(label: str, net: Record) -> NetFacts:
    file = net.get("file", text)
    if "\0" in file:
        net.wrong("is not a path", "file")
    totals = net.get("totals", mapping_of(whole))
    for figure in _REQUIRED:
        if figure not in totals:
            net.wrong("is missing", "totals", figure)
    layers = tuple(
        LayerFacts(
            layer.get("name", text),
            layer.get("type", text),
            0,
            layer.get("fields", _FIELDS, {}),
            layer.get("bottoms", _NAMES, ()),
            {figure.key: layer.get(figure.key, whole, 0) for figure in KEPT},
            layer.get("tops", _SHAPES, ()),
        )
        for layer in net.records("layers")
    )
    _check_totals(net, totals, layers)
    phase, batch, convention = (
        net.get("phase", text),
        net.get("batch", optional(whole)),
        net.get("convention", text),
    )
    return NetFacts(label, file, phase, batch, convention, totals, layers)


_FIELDS = mapping_of(text)
_NAMES = list_of(text)
_SHAPES = list_of(list_of(whole))


def _check_totals(net: Record, totals: Mapping[str, int], layers: Sequence[LayerFacts]) -> None:
    """InputError where totals are not those of the rows: by an edit a net could grow unseen."""
    rows = [layer.figures for layer in layers]
    sums = {figure.key: sum(row[figure.key] for row in rows) for figure in KEPT}
    extents = [prod(top) for layer in layers for top in layer.tops]
    by_rows = {
        **sums,
        "weight_bytes": FLOAT_BYTES * (sums["params"] + sums["statistics"]),
        "layers": len(layers),
        "largest_blob": max(extents, default=0),
        **{f"layer_{key}": max((row[key] for row in rows), default=0) for key in ("params", "madds")},
    }
    for key, value in by_rows.items():
        if totals.get(key, value) != value:
            net.wrong(f"is {totals[key]}, and {value} by the net's layers", "totals", key)
    least, most = (FLOAT_BYTES * value for value in (max(extents, default=0), sum(extents)))
    if not least <= totals.get("peak_bytes", least) <= most:
        net.wrong(
            f"is {totals['peak_bytes']}, not from {least} to {most} as the net's layers say",
            "totals",
            "peak_bytes",
        )
