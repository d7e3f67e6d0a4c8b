"""Why a layer or a block costs what it costs: formulas with the numbers in them."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from netcount.analysis._support.alternatives import Alternative
from netcount.analysis._support.priors import Priors
from netcount.analysis.blocks import Block
from netcount.analysis.explain import Explanation, LayerReasons
from netcount.core.units import human, percent, plural, times
from netcount.layers.layer import Factors, Product
from netcount.report import document
from netcount.report.blocks import block_document, ends, kernels_text, plain_lines
from netcount.report.formats.fit import BELOW, LEFT_OUT
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import visible, window_text
from netcount.report.receptive import by_axis, field_document, field_text
from netcount.report.tabular import Csv, csv_text

if TYPE_CHECKING:
    from netcount.report import document_types as types


def explanation(answer: Explanation) -> list[Part]:
    """The reasons for people."""
    parts = _of_block(answer, answer.block) if answer.block else _of_layer(answer, answer.layers[0])
    if answer.also:
        parts += ["", f"note: {answer.also}"]
    return parts


def numbers(factors: Factors) -> str:
    """Factors as a product, those of one image left out: `1·1·512·1000`."""
    return "·".join(str(extent) for _, extent in _told(factors)) or "1"


def letters(factors: Factors) -> str:
    """The names of the factors as a product: `kh·kw·C·C'`."""
    return "·".join(name for name, _ in _told(factors))


def _told(factors: Factors) -> Factors:
    return tuple((name, extent) for name, extent in factors if name not in ("N", "M") or extent != 1)


def params_formula(reasons: LayerReasons) -> str:
    """`1·1·512·1000 + 1000 = 513,000`."""
    own = [term for term in reasons.terms if term.role != "statistic" and term.shared_with is None]
    if not own:
        return "0"
    return f"{' + '.join(numbers(term.factors) for term in own)} = {reasons.row.params:,}"


def madds_formula(products: Sequence[Product]) -> str:
    """`13·13 × 1·1·512·1000 = 86,528,000`; the positions before the matrix's elements."""
    if not products:
        return "0"
    parts = []
    for product in products:
        uses = numbers(product.uses)
        parts.append(f"{uses} × {numbers(product.weights)}" if uses != "1" else numbers(product.weights))
    total = sum(product.madds for product in products)
    return f"{' + '.join(parts)} = {total:,}"


def rule(reasons: LayerReasons) -> str:
    """How the layer's type counts, in words."""
    text = inspect.getdoc(type(reasons.node.layer).ops) or ""
    return " ".join(text.split("\n\n")[0].split())


def _of_layer(answer: Explanation, reasons: LayerReasons) -> list[Part]:
    row, totals = reasons.row, answer.counted.totals
    images = answer.counted.net.batch
    inputs = ", ".join(blob.shape.hwc(images) for blob in row.bottoms) or "nothing"
    outputs = ", ".join(blob.shape.hwc(images) for blob in row.tops) or "nothing"
    kernel = f" {window_text(row.window)}" if row.window else ""
    parts: list[Part] = [
        f"{visible(row.name)}  {visible(row.type)}{kernel}  {visible(answer.counted.net.file)}:{row.line}",
        f"{inputs} -> {outputs}",
        "",
    ]
    if reasons.node.layer.detail:
        parts.append(f"detail      {visible(reasons.node.layer.detail)}")
    for priors in reasons.priors:
        parts += _priors(priors)
    parts += _formulas(reasons)
    others = ", ".join(f"{n:,} {name}" for name, n in row.ops._asdict().items() if n and name != "madds")
    parts.append(f"other ops   {others or 'none'}")
    if row.madds or row.params:
        parts.append(
            f"share       {percent(row.madds, totals.madds)} of the net's madds, "
            f"{percent(row.params, totals.params)} of its params"
        )
    parts += [f"sees        {field_text(field)}" for field in reasons.fields]
    parts.append(f"rule        {rule(reasons)}")
    for other in reasons.alternatives:
        parts += ["", *_alternative(other)]
    return parts


def _priors(priors: Priors) -> list[Part]:
    """The channels of the heads, and all boxes of the net."""
    made = f"{priors.boxes:,} × {plural(priors.positions, 'position')} = {priors.number:,}"
    location = f"loc {priors.coordinates}·{priors.boxes} = {priors.location_channels:,} channels"
    if priors.detector is None:
        return [
            f"heads       {location}, conf classes·{priors.boxes}",
            f"priors      {made}; no detector reads them",
        ]
    reader = f'"{visible(priors.detector)}" (line {priors.line})'
    confidence = f"conf {priors.classes}·{priors.boxes} = {priors.confidence_channels:,} channels"
    return [
        f"heads       {location}, {confidence}, for {reader}",
        f"priors      {made}, of {priors.all_boxes:,} that {reader} reads",
    ]


def _formulas(reasons: LayerReasons) -> list[Part]:
    parts: list[Part] = [f"params      {params_formula(reasons)}"]
    named = [
        f"{letters(t.factors)} {t.role}{f' of {visible(t.shared_with)}' if t.shared_with else ''}"
        for t in reasons.terms
    ]
    if named:
        parts.append(f"            {' + '.join(named)}")
    if reasons.row.statistics:
        parts.append(f"statistics  {reasons.row.statistics:,}, kept but not learned")
    parts.append(f"madds       {madds_formula(reasons.products)}")
    if reasons.products:
        parts.append(
            "            "
            + " + ".join(f"{letters(p.uses)} × {letters(p.weights)}".removeprefix(" × ") for p in reasons.products)
        )
    window = reasons.row.window
    if window and window.group > 1 and reasons.products:
        each = reasons.products[0].elements // window.group
        parts.append(
            f"a group     {plural(each, 'weight')} and {plural(reasons.row.madds // window.group, 'madd')}, "
            f"{window.group} times"
        )
    return parts


def _alternative(alternative: Alternative) -> list[str]:
    weights = " + ".join(numbers(product.weights) for product in alternative.products)
    lines = [
        f"{visible(alternative.title)}:",
        f"  weights   {weights} = {alternative.params:,}, {times(alternative.params, alternative.own_params)}",
        f"  madds     {madds_formula(alternative.products)}, {times(alternative.madds, alternative.own_madds)}",
    ]
    if alternative.note:
        lines.append(f"  {visible(alternative.note)}")
    return lines


def _of_block(answer: Explanation, block: Block) -> list[Part]:
    totals, whole = block.totals, answer.counted.totals
    rows = [
        (
            visible(reasons.row.name),
            visible(reasons.row.type),
            window_text(reasons.row.window),
            reasons.row.tops[0].shape.hwc(answer.counted.net.batch) if reasons.row.tops else "",
            params_formula(reasons) if reasons.row.params else "",
            human(reasons.row.madds) if reasons.row.madds else "",
        )
        for reasons in answer.layers
    ]
    table = Table(
        ("layer", "type", "kernel", "output", "params", "madds"),
        (False, False, False, True, True, True),
        tuple(rows),
        (f"total of {plural(len(rows), 'layer')}", "", "", "", f"{totals.params:,}", human(totals.madds)),
        shrink=((1, 6), (0, 14), (1, LEFT_OUT), (2, LEFT_OUT), (4, BELOW), (0, 8)),
    )
    net = answer.counted.net
    parts: list[Part] = [
        f"{visible(block.name)}  a block of {len(rows)} layers  {visible(net.file)}:{block.rows[0].line}",
        ends(block, answer.counted.net.batch),
        "",
        table,
        "",
        f"params   {totals.params:,}, {percent(totals.params, whole.params)} of the net's",
        f"madds    {totals.madds:,}, {percent(totals.madds, whole.madds)} of the net's",
    ]
    if block.kernels:
        parts.append(f"kernels  {kernels_text(block)}")
    parts += ["", *plain_lines(block)]
    pairs = [one for reasons in answer.layers for one in reasons.alternatives if one.kind == "plain_for_pair"]
    parts += [f"  {visible(other.note)}" for other in pairs]
    return parts


_FIELDS = (
    "name",
    "type",
    "line",
    "params",
    "params_formula",
    "statistics",
    "madds",
    "madds_formula",
    "rule",
    "input",
    "receptive",
    "receptive_least",
    "receptive_stride",
    "receptive_offset",
    "receptive_pad",
)


def explanation_csv(answer: Explanation) -> Csv:
    """A record a layer: that asked about, or those of the block."""
    return csv_text(
        _FIELDS,
        (
            (
                reasons.row.name,
                reasons.row.type,
                reasons.row.line,
                reasons.row.params,
                params_formula(reasons),
                reasons.row.statistics,
                reasons.row.madds,
                madds_formula(reasons.products),
                rule(reasons),
                *_most(reasons),
            )
            for reasons in answer.layers
        ),
    )


def _most(reasons: LayerReasons) -> tuple[str, ...]:
    """The receptive field in the input that the layer sees most of."""
    if not reasons.fields:
        return ("",) * 6
    field = max(reasons.fields, key=lambda field: prod(field.size))
    figures = (field.size, field.least, field.stride, field.offset, field.pad)
    return (field.input.name, *map(by_axis, figures))


def explanation_document(answer: Explanation) -> types.Explanation:
    """The JSON document, versioned by its `schema`."""
    net = answer.counted.net
    return {
        "schema": "netcount/explain/1",
        **document.subject(net),
        "complete": net.complete,
        "kind": "block" if answer.block else "layer",
        "name": answer.name,
        "block": block_document(answer.block, answer.counted) if answer.block else None,
        "layers": [_layer_document(reasons) for reasons in answer.layers],
    }


def _layer_document(reasons: LayerReasons) -> types.ExplainedLayer:
    return {
        **document.layer(reasons.row),
        "rule": rule(reasons),
        "detail": reasons.node.layer.detail,
        "params_formula": params_formula(reasons),
        "madds_formula": madds_formula(reasons.products),
        "terms": [
            {
                "role": term.role,
                "factors": _factors(term.factors),
                "elements": term.elements,
                "shared_with": term.shared_with,
            }
            for term in reasons.terms
        ],
        "products": [_product(product) for product in reasons.products],
        "alternatives": [
            {
                "kind": other.kind,
                "title": other.title,
                "params": other.params,
                "madds": other.madds,
                "own_params": other.own_params,
                "own_madds": other.own_madds,
                "products": [_product(product) for product in other.products],
                "note": other.note,
            }
            for other in reasons.alternatives
        ],
        "priors": [
            {
                "boxes": priors.boxes,
                "positions": priors.positions,
                "number": priors.number,
                "location_channels": priors.location_channels,
                "confidence_channels": priors.confidence_channels,
                "detector": priors.detector,
                "line": priors.line or None,
                "all_boxes": priors.all_boxes or None,
                "classes": priors.classes,
            }
            for priors in reasons.priors
        ],
        "receptive": [field_document(field) for field in reasons.fields],
    }


def _product(product: Product) -> types.Product:
    return {"weights": _factors(product.weights), "uses": _factors(product.uses), "madds": product.madds}


def _factors(factors: Factors) -> list[types.Factor]:
    return [{"name": name, "extent": extent} for name, extent in factors]
