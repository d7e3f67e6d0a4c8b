"""The blocks of a net, a row each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from netcount.analysis._support.plain import Plain
from netcount.analysis.blocks import Block, outside
from netcount.analysis.count import Count, totals_of
from netcount.analysis.figures import sums_of
from netcount.analysis.rows import Totals
from netcount.core.errors import Advice
from netcount.core.units import human, percent, plural, times
from netcount.report import document
from netcount.report.formats.fit import BELOW, LEFT_OUT
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import heading, kernel_text, visible
from netcount.report.tabular import Csv, csv_text

if TYPE_CHECKING:
    from netcount.report import document_types as types

_FIELDS = (
    "block", "line", "layers", "input", "output", "params", "statistics", "madds", "cost", "share_madds",
    "share_params", "kernels", "plain_kernel", "plain_params", "plain_madds", "ratio_params", "ratio_madds",
)  # fmt: skip


def blocks_report(count: Count, blocks: Sequence[Block]) -> list[Part]:
    """The table of blocks, and what lies outside them."""
    net, totals = count.net, count.totals
    head = heading(net.name, net.file, plural(len(blocks), "block"))
    if not blocks:
        return [head, f"no blocks were found in this net; {Advice('pattern', 'REGEX')} can name them"]
    rest = outside(count, blocks)
    others = totals_of(rest)
    rows = [
        (
            visible(block.name),
            block.inputs[0].shape.hwc(net.batch) + _more(block.inputs) if block.inputs else "",
            block.outputs[0].shape.hwc(net.batch) + _more(block.outputs) if block.outputs else "",
            *_sums(block.totals, totals),
            ", ".join(f"{kernel_text(share)} {share.share_madds:.0%}" for share in block.kernels),
            _plain_cell(block.plain),
        )
        for block in blocks
    ]
    rows.append((f"({plural(len(rest), 'other')})", "", "", *_sums(others, totals), "", ""))
    table = Table(
        ("block", "input", "output", "params", "madds", "share", "by kernel", "plain"),
        (False, True, True, True, True, True, False, False),
        tuple(rows),
        (plural(len(count.layers), "layer"), "", "", *_sums(totals, totals), "", ""),
        shrink=((0, 12), (7, LEFT_OUT), (6, BELOW), (1, LEFT_OUT), (0, 8)),
    )
    return [
        head,
        "",
        table,
        "",
        "plain: one convolution from the block's input to its output, and how many times its weights are "
        "the block's (biases left out); netcount explain FILE BLOCK says more",
    ]


def _sums(part: Totals, whole: Totals) -> tuple[str, str, str]:
    return human(part.params), human(part.madds), percent(part.madds, whole.madds)


def ends(block: Block, images: int | None) -> str:
    """`55×55×96 -> 55×55×128`, with the blobs' names."""
    sides = []
    for blobs in (block.inputs, block.outputs):
        sides.append(", ".join(f"{blob.shape.hwc(images)} ({visible(blob.name)})" for blob in blobs) or "nothing")
    return " -> ".join(sides)


def kernels_text(block: Block) -> str:
    """`3×3 77.14%, 1×1 22.86%` of the block's madds."""
    return ", ".join(f"{kernel_text(share)} {percent(share.madds, block.totals.madds)}" for share in block.kernels)


def plain_lines(block: Block) -> list[str]:
    """The plain equivalent in words, or why there is none."""
    plain = block.plain
    if isinstance(plain, str):
        return [f"no plain equivalent: {visible(plain)}"]
    kernel, taps = _sizes(plain.kernel, "×"), _sizes(plain.kernel, "·")
    return [
        f"plain equivalent: one {kernel} convolution from {plain.channels} to {plural(plain.outputs, 'channel')}:",
        f"  weights   {taps}·{plain.channels}·{plain.outputs} = {plain.params:,}; the block has "
        f"{plain.own_params:,} without biases, {times(plain.own_params, plain.params)}",
        f"  madds     {plain.madds:,}; the block has {plain.own_madds:,}, {times(plain.own_madds, plain.madds)}",
    ]


def _more(blobs: Sequence[object]) -> str:
    return f" (+{len(blobs) - 1})" if len(blobs) > 1 else ""


def _sizes(extents: Sequence[int], sign: str) -> str:
    return sign.join(map(str, extents))


def _plain_cell(plain: Plain | str) -> str:
    if isinstance(plain, str):
        return ""
    return f"{_sizes(plain.kernel, '×')} {plain.params / plain.own_params:.2f}"


def _record(block: Block, count: Count) -> dict[str, Any]:
    totals = count.totals
    plain = block.plain if isinstance(block.plain, Plain) else None
    return {
        "block": block.name,
        "line": block.rows[0].line,
        "layers": len(block.rows),
        "input": " ".join(_sizes(blob.shape, "x") for blob in block.inputs),
        "output": " ".join(_sizes(blob.shape, "x") for blob in block.outputs),
        "params": block.totals.params,
        "statistics": block.totals.statistics,
        "madds": block.totals.madds,
        "cost": block.totals.cost,
        "share_madds": block.totals.madds / totals.madds if totals.madds else 0.0,
        "share_params": block.totals.params / totals.params if totals.params else 0.0,
        "kernels": " ".join(
            f"{share.kernel}{'dw' if share.depthwise else ''}={share.share_madds:.6f}" for share in block.kernels
        ),
        "plain_kernel": _sizes(plain.kernel, "x") if plain else "",
        "plain_params": plain.params if plain else "",
        "plain_madds": plain.madds if plain else "",
        "ratio_params": plain.params / plain.own_params if plain else "",
        "ratio_madds": plain.madds / plain.own_madds if plain and plain.own_madds else "",
    }


def blocks_csv(count: Count, blocks: Sequence[Block]) -> Csv:
    """A record a block, exact numbers; the layers outside have none."""
    return csv_text(_FIELDS, ([_record(block, count)[key] for key in _FIELDS] for block in blocks))


def blocks_document(count: Count, blocks: Sequence[Block]) -> types.Blocks:
    """The JSON document, versioned by its `schema`."""
    net = count.net
    return {
        "schema": "netcount/blocks/1",
        **document.subject(net),
        "convention": count.convention.name,
        "complete": net.complete,
        "blocks": [block_document(block, count) for block in blocks],
        "outside": [row.name for row in outside(count, blocks)],
        "totals": document.totals(sums_of(count.layers)),
    }


def block_document(block: Block, count: Count) -> types.Block:
    """One block; `plain` is null where there is no equivalent, and `why_not_plain` then says why."""
    plain = block.plain
    told: types.Plain | None = None
    if isinstance(plain, Plain):
        told = {
            "kernel": list(plain.kernel),
            "channels": plain.channels,
            "num_output": plain.outputs,
            "params": plain.params,
            "madds": plain.madds,
            "own_params": plain.own_params,
            "own_madds": plain.own_madds,
        }
    return {
        "name": block.name,
        "line": block.rows[0].line,
        "layers": [row.name for row in block.rows],
        "inputs": [document.shaped(blob.name, blob.shape) for blob in block.inputs],
        "outputs": [document.shaped(blob.name, blob.shape) for blob in block.outputs],
        "totals": document.totals(sums_of(block.rows)),
        "share_madds": block.totals.madds / count.totals.madds if count.totals.madds else 0.0,
        "share_params": block.totals.params / count.totals.params if count.totals.params else 0.0,
        "kernels": [document.kernel(share) for share in block.kernels],
        "plain": told,
        "why_not_plain": plain if isinstance(plain, str) else None,
    }
