"""Layers computed strip by strip: which rows a strip needs, held against runs, and what fits."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

import netcount
from netcount.analysis._support.tiling import (
    NO_ROWS,
    WHOLE,
    LayerTiling,
    Strips,
    _Chain,
    _Cut,
    _link,
    layer_tiling,
)
from netcount.cli.main import netcount as command
from netcount.execute.executor import Executor
from tests.analysis.test_memory import op
from tests.helpers import graph_of, inputs, net_of, valid

X = inputs(x=(2, 3, 13, 11))


def tiling(text: str, limit: int = 10**9) -> LayerTiling:
    node = net_of(text, batch="net").layers[-1]
    return layer_tiling(node, 1, 8, limit)


def param(name: str, fields: str) -> str:
    return f"{name}_param {{ {fields} }}"


WINDOWS = {
    "convolution": op("Convolution", "x", "y", param("convolution", "num_output: 4 kernel_size: 3 pad: 1")),
    "strided": op(
        "Convolution",
        "x",
        "y",
        param("convolution", "num_output: 4 kernel_h: 5 kernel_w: 3 stride_h: 2 stride_w: 1 pad_h: 2 pad_w: 0"),
    ),
    "dilated": op(
        "Convolution", "x", "y", param("convolution", "num_output: 2 kernel_size: 3 dilation: 2 pad: 1")
    ),
    "deconvolution": op("Deconvolution", "x", "y", param("convolution", "num_output: 2 kernel_size: 4 stride: 2")),
    "maximum": op("Pooling", "x", "y", param("pooling", "kernel_size: 3 stride: 2 pad: 1")),
    "average": op("Pooling", "x", "y", param("pooling", "pool: AVE kernel_size: 2 stride: 3")),
    "across": op("LRN", "x", "y", param("lrn", "local_size: 3")),
    "within": op("LRN", "x", "y", param("lrn", "local_size: 5 norm_region: WITHIN_CHANNEL")),
    "softmax": op("Softmax", "x", "y"),
    "activation": op("Sigmoid", "x", "y"),
    "joined": op("Concat", "x x", "y"),
}


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("rows", [1, 3])
def test_a_strip_needs_just_the_rows_that_it_is_said_to_read(name: str, rows: int) -> None:
    net = graph_of(net_of(X + WINDOWS[name], batch="net"))
    cut = _Cut.of(net.nodes[-1], 8)
    assert isinstance(cut, _Cut)
    (part,) = cut._parts
    executor = Executor(net, seed=3)
    image = np.random.default_rng(5).standard_normal((2, 3, 13, 11)).astype(np.float32)
    whole = executor.run({"x": image})["y"]
    for first in range(0, cut.rows, rows):
        last = min(first + rows, cut.rows) - 1
        span = part.span(first, last)
        assert span is not None
        start, stop = span
        alone = np.full_like(image, 1e6)
        alone[:, :, start : stop + 1] = image[:, :, start : stop + 1]
        made = executor.run({"x": alone})["y"]
        np.testing.assert_allclose(
            made[:, :, first : last + 1], whole[:, :, first : last + 1], rtol=1e-5, atol=1e-5
        )
        # a dilated window may step over the image's first row, and the greatest may stand elsewhere
        for row in {start, stop} - {0, 12} if name != "maximum" else ():
            spoilt = image.copy()
            spoilt[:, :, row] += 1e3
            made = executor.run({"x": spoilt})["y"]
            assert not np.allclose(made[:, :, first : last + 1], whole[:, :, first : last + 1]), "no row too many"


def test_strips_by_hand() -> None:
    # 13 rows of 2·3·11 = 66 values -> 7 rows of 2·4·11 = 88 by a window of 5 rows, stride 2, pad 2
    cut = tiling(X + WINDOWS["strided"].replace("kernel_w: 3", "kernel_w: 1"))
    assert cut.least == Strips(1, 7, 5 * 66 + 88, 5, 3, (3 * 6 - 2) * 66 + 2 * 66)
    assert cut.fitting == Strips(7, 1, 13 * 66 + 7 * 88, 13, 0, 0)
    # three rows: -2..6 -> 0..6, 4..12, 10..12
    three = tiling(X + WINDOWS["strided"].replace("kernel_w: 3", "kernel_w: 1"), 9 * 66 + 3 * 88)
    assert three.fitting == Strips(3, 3, 9 * 66 + 3 * 88, 9, 3, (3 + 3) * 66)


def test_what_fits_has_most_rows_and_a_row_more_does_not() -> None:
    text = X + WINDOWS["convolution"]
    for limit in range(3 * 66 + 88, 13 * 154, 7):
        fitting = tiling(text, limit).fitting
        assert fitting is not None
        assert fitting.bytes <= limit
        cut = _Cut.of(net_of(text, batch="net").layers[-1], 8)
        assert isinstance(cut, _Cut)
        assert fitting.rows == max(rows for rows in range(1, 14) if cut.fits(rows, limit))
    assert tiling(text, 3 * 66 + 87).fitting is None


def test_a_bottom_that_is_overwritten_is_held_once() -> None:
    least = tiling(X + op("ReLU", "x", "x")).least
    assert least is not None
    assert least.bytes == 66
    two = tiling(inputs(a=(2, 3, 13, 11), b=(2, 3, 13, 11)) + op("Eltwise", "a b", "y")).least
    assert two is not None
    assert two.bytes == 3 * 66


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (op("InnerProduct", "x", "y", "inner_product_param { num_output: 5 }"), NO_ROWS),
        (op("Pooling", "x", "y", "pooling_param { pool: AVE global_pooling: true }"), NO_ROWS),
        (op("Softmax", "x", "y", "softmax_param { axis: 2 }"), WHOLE),
        (op("InnerProduct", "x", "y", "inner_product_param { num_output: 5 axis: 3 }"), ""),
    ],
)
def test_what_cannot_be_cut_says_why(layer: str, reason: str) -> None:
    cut = tiling(X + layer)
    assert cut.reason == reason
    assert (cut.least is None) == bool(reason)


def test_the_verdict_has_the_layers_that_are_over() -> None:
    text = X + WINDOWS["convolution"] + op("InnerProduct", "y", "z", "inner_product_param { num_output: 5 }")
    verdict = net_of(text, batch="net").memory(8, fits=1000).verdict
    assert verdict is not None
    assert [(one.name, one.rows) for one in verdict.tilings] == [("Convolution-y", 13), ("InnerProduct-z", 0)]
    arguments = ["memory", "-", "--bits", "8", "--batch", "net", "--fits", "1000"]
    done = CliRunner().invoke(command, [*arguments, "-f", "json"], input=text)
    document = valid(json.loads(done.stdout), "memory")["verdict"]["tilings"]
    assert document[0]["least"]["bytes"] == 3 * 66 + 88
    assert document[1]["reason"] == NO_ROWS
    printed = CliRunner().invoke(command, arguments, input=text).stdout
    assert f"not computed by rows: InnerProduct-z (line 3): {NO_ROWS}" in printed
    assert isinstance(verdict.tilings[0].fitting, netcount.Strips)


CHAIN = (
    inputs(x=(1, 2, 16, 5))
    + op("Convolution", "x", "a", param("convolution", "num_output: 3 kernel_h: 3 kernel_w: 1 pad_h: 1 pad_w: 0"))
    + op("ReLU", "a", "a")
    + op("Convolution", "a", "b", param("convolution", "num_output: 4 kernel_h: 3 kernel_w: 1"))
    + op("Pooling", "b", "p", param("pooling", "kernel_h: 2 kernel_w: 1 stride: 2"))
)


def test_a_chain_by_hand() -> None:
    # p 7×3 rows of 4·3 values; b 14 rows of 20, a 16 of 15, x 16 of 10
    verdict = net_of(CHAIN).memory(8, fits=140).verdict
    assert verdict is not None
    (chain,) = verdict.chains
    assert chain.layers == ("Convolution-a", "ReLU-a", "Convolution-b", "Pooling-p")
    # a row of p: 2 of b, 4 of a (0-3, 2-5, …), 6 of x (5 at the edges); the first layer holds most
    assert chain.least == Strips(1, 7, 6 * 10 + 4 * 15, 6, 4, 6 * 4 * 10, 16 * 5 * 3 * 6 * (7 * 4 - 16) // 16)
    assert chain.fitting == chain.least
    wider = net_of(CHAIN).memory(8, fits=200).verdict
    assert wider is not None
    assert [(one.fitting.rows, one.fitting.bytes) for one in wider.chains] == [(2, 8 * 10 + 6 * 15)]


def test_a_chain_ends_where_a_blob_is_read_twice_or_a_row_no_longer_fits() -> None:
    text = CHAIN + op("Eltwise", "b b", "e")
    verdict = net_of(text).memory(8, fits=130).verdict
    assert verdict is not None
    assert [chain.layers for chain in verdict.chains] == [("Convolution-a", "ReLU-a", "Convolution-b")]
    tight = net_of(CHAIN).memory(8, fits=110).verdict
    assert tight is not None
    for chain in tight.chains:
        assert chain.fitting.bytes <= 110
    assert [chain.layers[0] for chain in tight.chains] == ["Convolution-a"]
    assert tight.chains[0].layers[-1] != "Pooling-p"


def test_a_strip_of_a_chain_is_what_the_net_computes() -> None:
    """The first bottom's rows that a strip is said to need, alone, give the strip's rows of the last top."""
    net = graph_of(net_of(CHAIN))
    links = [_link(node, 8) for node in net.nodes[1:]]
    chain = _Chain([link for link in links if link is not None], 8)
    executor = Executor(net, seed=3)
    image = np.random.default_rng(5).standard_normal((1, 2, 16, 5)).astype(np.float32)
    whole = executor.run({"x": image})["p"]
    for first in range(chain.rows):
        start, stop = chain._spans(first, first)[0]
        alone = np.full_like(image, 1e6)
        alone[:, :, start : stop + 1] = image[:, :, start : stop + 1]
        made = executor.run({"x": alone})["p"]
        np.testing.assert_allclose(made[:, :, first], whole[:, :, first], rtol=1e-5, atol=1e-5)
