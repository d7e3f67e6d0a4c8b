"""Memory by liveness, in Caffe, and the size of a compressed model."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import netcount
from netcount.analysis._support.modelsize import Matrix, matrices_of, model_size
from netcount.analysis.count import count
from netcount.analysis.memory import memory
from netcount.core.errors import InputError
from netcount.execute.executor import Executor
from netcount.execute.weight_stats import counted_matrices, weight_stats
from netcount.report.formats.layout import plain
from netcount.report.weight_stats import stats_report
from tests.helpers import GOLDEN, SAMPLES, graph_of, inputs, needs_golden, net_of

ALL_SAMPLES = sorted(path.stem for path in SAMPLES.glob("*.prototxt"))


def sample(name: str) -> netcount.Net:
    return netcount.load(SAMPLES / f"{name}.prototxt")


def op(type: str, bottoms: str, tops: str, rest: str = "") -> str:
    lines = "".join(f' bottom: "{b}"' for b in bottoms.split()) + "".join(f' top: "{t}"' for t in tops.split())
    return f'layer {{ name: "{type}-{tops}" type: "{type}"{lines} {rest} }}\n'


CONV = "convolution_param {{ num_output: {} kernel_size: {} }}"


def test_a_chain_by_hand() -> None:
    # x 2·5·7 = 70 -> c 3·3·5 = 45 (in place ReLU) -> p 4·3·5 = 60
    text = inputs(x=(1, 2, 5, 7)) + op("Convolution", "x", "c", CONV.format(3, 3)) + op("ReLU", "c", "c")
    text += op("Convolution", "c", "p", CONV.format(4, 1))
    found = memory(count(graph_of(net_of(text))))
    assert [layer.live for layer in found.layers] == [70, 70 + 45, 45, 45 + 60]
    assert [layer.scratch for layer in found.layers] == [0, 2 * 9 * 15, 0, 0]
    assert found.layers[found.peak].row.type == "Convolution"
    assert found.peak_bytes == 4 * 115
    assert [blob.name for blob in found.alive] == ["x", "c"]
    assert found.working_bytes == 4 * (115 + 270)
    assert found.caffe == (4 * (70 + 45 + 60), 4 * 270, 4 * (3 * 18 + 3 + 4 * 3 + 4))


def test_a_blob_lives_until_its_last_reader_and_outputs_to_the_end() -> None:
    text = inputs(x=(1, 2, 5, 7)) + op("Sigmoid", "x", "a") + op("Sigmoid", "a", "b") + op("Sigmoid", "b", "c")
    text += op("Eltwise", "a c", "s") + op("Sigmoid", "s", "y")
    text += op("Reduction", "x", "z")
    found = memory(count(graph_of(net_of(text))))
    unit = 70
    # x lives to the end, as its last reader is the last layer
    assert [layer.live // unit for layer in found.layers] == [1, 2, 3, 4, 4, 3, 2]


def test_who_reads_a_shape_alone_keeps_nothing_alive() -> None:
    text = inputs(x=(1, 2, 5, 7), big=(1, 9, 5, 7)) + op("Sigmoid", "big", "a")
    text += op("Crop", "x big", "c", "crop_param { axis: 2 }") + op("Sigmoid", "c", "y")
    net = net_of(text)
    found = memory(count(graph_of(net)))
    assert [layer.live for layer in found.layers] == [70, 70 + 315, 70 + 630, 70 + 70 + 315, 140 + 315]
    executor = Executor(graph_of(net))
    executor.run()
    assert [step.live_bytes // 4 for step in executor.steps] == [layer.live for layer in found.layers]


def test_a_loss_that_is_read_is_an_output_and_lives_to_the_end() -> None:
    text = inputs(x=(1, 2, 5, 7)) + op("Reduction", "x", "l", "loss_weight: 1") + op("Sigmoid", "l", "s")
    net = net_of(text + op("Sigmoid", "s", "y"))
    found = memory(count(graph_of(net)))
    assert [layer.live for layer in found.layers] == [70, 71, 2, 3]
    executor = Executor(graph_of(net))
    assert set(executor.run()) == {"l", "y"}
    assert [step.live_bytes // 4 for step in executor.steps] == [layer.live for layer in found.layers]


def test_aliases_share_a_buffer() -> None:
    text = inputs(x=(1, 2, 5, 7)) + op("Sigmoid", "x", "a") + op("Flatten", "a", "f") + op("Split", "f", "g h")
    text += op("Dropout", "g", "d") + op("Eltwise", "d h", "s")
    found = memory(count(graph_of(net_of(text))))
    assert [layer.live // 70 for layer in found.layers] == [1, 2, 1, 1, 1, 2]
    assert found.caffe.blobs == 4 * 70 * 4, "Caffe copies in a Dropout that is not in place"
    training = memory(count(graph_of(net_of(text, phase="TRAIN"))))
    assert max(layer.live for layer in training.layers) == 3 * 70


@pytest.mark.parametrize("name", ALL_SAMPLES)
def test_widths_of_values_scale_everything(name: str) -> None:
    counted = count(graph_of(sample(name)))
    full, half, mixed = memory(counted), memory(counted, 16), memory(counted, 8, 6)
    assert full.peak_bytes == 2 * half.peak_bytes == 4 * mixed.peak_bytes
    assert full.weight_bytes == 2 * half.weight_bytes == counted.totals.weight_bytes
    assert mixed.weight_bytes == -(-counted.totals.weight_bytes * 6 // 32)
    assert full.total_bytes == full.weight_bytes + full.working_bytes
    assert full.peak == half.peak
    assert sum(blob.shape.count() for blob in full.alive) == full.layers[full.peak].live


@pytest.mark.parametrize("name", ALL_SAMPLES)
def test_the_peak_is_no_less_than_any_layer_needs_and_no_more_than_caffe_keeps(name: str) -> None:
    found = memory(count(graph_of(sample(name))))
    for layer in found.layers:
        own = {blob.index: blob for blob in (*layer.row.bottoms, *layer.row.tops)}
        overwritten = {blob.overwrites for blob in own.values()}
        assert layer.live >= sum(b.shape.count() for b in own.values() if b.index not in overwritten)
    assert found.peak_bytes <= found.caffe.blobs


def test_one_by_one_needs_no_column() -> None:
    found = memory(count(graph_of(sample("squeezenet_v1.1"))))
    for layer in found.layers:
        kernel = layer.row.window.kernel if layer.row.type == "Convolution" and layer.row.window else None
        assert bool(layer.scratch) == (kernel == (3, 3))


def test_pruned_to_a_third_at_6_bits_squeezenet_is_half_a_megabyte() -> None:
    net = sample("squeezenet_v1.0")
    found = model_size(graph_of(net), matrices_of(graph_of(net), 0.33), 6)
    assert found.dense == 4 * 1_248_424
    assert round(found.dense / 2**20, 1) == 4.8
    assert found.total == found.values + found.indices + found.codebooks + found.others
    assert 0.46 < found.total / 2**20 < 0.49, "Deep Compression reports 0.47 MB"
    assert found.codebooks == 26 * 64 * 4
    assert found.index_bits == 3


def test_the_parts_of_an_estimate_by_hand() -> None:
    net = net_of(inputs(x=(1, 10)) + op("InnerProduct", "x", "y", "inner_product_param { num_output: 8 }"))
    dense = model_size(graph_of(net), matrices_of(graph_of(net), 1.0), 8)
    assert dense[2:] == (0, 80, 0, 80 * 4, 8 * 4, 0, 88 * 4)
    gapped = model_size(graph_of(net), [Matrix("y", 80, 3, {1: 1, 5: 1, 70: 1}, 2)], 4)
    # 3 bits: the gap of 70 needs 69 // 8 = 8 fillers; 7 bits: none, (3) · (4 + 7) is the least
    assert (gapped.index_bits, gapped.fillers) == (7, 0)
    assert (gapped.values, gapped.indices, gapped.codebooks) == (2, 3, 8)


def test_where_almost_nothing_is_0_no_index_is_kept() -> None:
    net = net_of(inputs(x=(1, 10)) + op("InnerProduct", "x", "y", "inner_product_param { num_output: 8 }"))
    found = model_size(graph_of(net), [Matrix("y", 80, 79, {1: 78, 2: 1})], 32)
    assert (found.index_bits, found.fillers, found.values) == (0, 1, 320)


@pytest.mark.parametrize("density", [0.0, -0.5, 1.5, float("nan")])
def test_a_density_is_a_share(density: float) -> None:
    with pytest.raises(InputError, match="density is a share"):
        matrices_of(graph_of(sample("alexnet")), density)


def test_trained_weights_are_counted(tmp_path: Any) -> None:
    net = net_of(inputs(x=(1, 6)) + op("InnerProduct", "x", "y", "inner_product_param { num_output: 2 }"))
    weights = np.array([[0, 0.5, 0, 0, 0.5, -1], [0, 0, 0, 0, 0, 2]], dtype=np.float32)
    blobs = {"InnerProduct-y": [weights, np.zeros(2, dtype=np.float32)]}
    (matrix,) = counted_matrices(graph_of(net), blobs)
    assert matrix == ("InnerProduct-y", 12, 4, {1: 1, 2: 1, 3: 1, 6: 1}, 3)
    first, second = weight_stats(graph_of(net), blobs)
    assert first == ("InnerProduct-y", 0, "weight", 12, 4, 4, -1.0, 2.0, 0)
    assert (second.nonzero, second.distinct) == (0, 1)


def test_what_is_not_finite_is_counted_and_not_in_the_range() -> None:
    net = net_of(inputs(x=(1, 3)) + op("InnerProduct", "x", "y", "inner_product_param { num_output: 2 }"))
    weights = np.array([[np.nan, 0.5, 0], [np.inf, np.nan, -1]], dtype=np.float32)
    blobs = {"InnerProduct-y": [weights, np.full(2, np.nan, dtype=np.float32)]}
    stats = weight_stats(graph_of(net), blobs)
    assert [(row.least, row.most, row.nonfinite) for row in stats] == [(-1.0, 0.5, 3), (0.0, 0.0, 2)]
    assert "InnerProduct-y blob 0: 3 values not finite" in plain(stats_report(stats))
    json.dumps([row._asdict() for row in stats], allow_nan=False)


@needs_golden
def test_random_weights_are_dense() -> None:
    from netcount.execute.weights import read_caffemodel

    net = netcount.load(GOLDEN / "squeezenet_v1.1.prototxt")
    blobs = read_caffemodel(GOLDEN / "squeezenet_v1.1.caffemodel", graph_of(net)).blobs
    stats = weight_stats(graph_of(net), blobs)
    assert sum(row.elements for row in stats) == net.learnable()
    assert sum(row.nonzero for row in stats) > 0.999 * net.learnable()


# x 2·5·7 = 70 -> c 3·3·5 = 45, columns 18·15 = 270, weights 54 + 3 -> y 4·3·5 = 60, weights 12 + 4
SMALL = (
    inputs(x=(1, 2, 5, 7))
    + op("Convolution", "x", "c", CONV.format(3, 3))
    + op("Convolution", "c", "y", CONV.format(4, 1))
)
NEEDS = {"activations": 115, "scratch": 270, "weights": 73, "all": 115 + 270 + 73}


@pytest.mark.parametrize("what", NEEDS)
def test_a_net_fits_into_what_it_needs_and_not_into_a_byte_less(what: netcount.MemoryPart) -> None:
    net = net_of(SMALL)
    exact = net.memory(8, fits=NEEDS[what], fits_what=what).verdict
    tight = net.memory(8, fits=NEEDS[what] - 1, fits_what=what).verdict
    assert exact is not None
    assert tight is not None
    assert {need.what: need.bytes for need in exact.needs} == NEEDS
    assert (exact.fits, tight.fits) == (True, False)
    assert [need.fits for need in tight.needs] == [need.bytes < NEEDS[what] for need in tight.needs]


def test_what_is_over_is_named() -> None:
    verdict = net_of(SMALL).memory(8, weight_bits=16, fits=107, fits_what="weights").verdict
    assert verdict is not None
    over = {need.what: [(layer.name, layer.bytes) for layer in need.over] for need in verdict.needs}
    assert over["activations"] == [("Convolution-c", 115)]
    assert over["scratch"] == [("Convolution-c", 270)]
    assert over["weights"] == [("Convolution-c", 114)]
    assert [need.layer for need in verdict.needs] == ["Convolution-c", "Convolution-c", None, "Convolution-c"]
    assert verdict.blobs == (("Convolution-c", "weight", (3, 2, 3, 3), 108),)
    printed = str(net_of(SMALL).memory(8, weight_bits=16, fits=107, fits_what="weights"))
    assert "scratch over 107 B in 1 layer: Convolution-c (line 2) 270 B" in printed
    assert "does not fit: weights 146 B of 107 B" in printed


def test_a_model_is_estimated_in_python_too() -> None:
    net = net_of(SMALL)
    blobs = {
        name: [np.ones(blob.shape, np.float32) for blob in net.layer(name).params]
        for name in ("Convolution-c", "Convolution-y")
    }
    measured = net.memory(8, weights=blobs)
    assert measured.model is not None
    assert (measured.model.density, len(measured.stats)) == (1.0, 4)
    assert net.memory(8, density=0.5).model == model_size(graph_of(net), matrices_of(graph_of(net), 0.5), 8)
    with pytest.raises(InputError, match=r"density.* counted in the weights"):
        net.memory(density=0.5, weights=blobs)
    with pytest.raises(InputError, match='Convolution "Convolution-y" needs blobs'):
        net.memory(weights={**blobs, "Convolution-y": []})
