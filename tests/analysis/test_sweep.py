"""Many widths and resolutions: the published table, budgets, and what is impossible."""

from __future__ import annotations

import csv
import io
from concurrent.futures import ThreadPoolExecutor

import pytest

import netcount
from netcount.analysis.rescale import Recipe
from netcount.core.errors import InputError
from netcount.report.formats.layout import plain
from netcount.report.sweep import sweep_csv, sweep_document, sweep_report
from tests.helpers import SAMPLES, inputs

MOBILENET = SAMPLES / "mobilenet_v1.prototxt"
WIDTHS, SIZES = ("1", "0.75", "0.5", "0.25"), (224, 192, 160, 128)


def test_mobilenets_table() -> None:
    found = netcount.sweep(MOBILENET, WIDTHS, SIZES, limits={"madds": 150_000_000, "params": 2_000_000})
    madds = {(v.width, v.resolution.high if v.resolution else 0): round(v.madds / 1e6, 2) for v in found.variants}
    assert [madds[width, 224] for width in WIDTHS] == [568.74, 325.40, 149.50, 41.03]
    assert [madds["1", size] for size in SIZES] == [568.74, 418.12, 290.68, 186.40]
    assert madds["0.5", 160] == 76.52
    assert found.best is not None
    best = found.variants[found.best]
    assert (best.width, best.resolution) == ("0.5", (224, 224))
    assert [v.over for v in found.variants if v.width == "0.75"][-1] == ("params",)
    assert [v.fits for v in found.variants].count(True) == 8


def test_a_variant_is_what_the_rescaled_file_says() -> None:
    found = netcount.sweep(MOBILENET, ["0.3"], [96], multiple=8)
    text = netcount.rescale(MOBILENET, width="0.3", resolution=96, multiple=8).text
    analysis = netcount.loads(text).analyze()
    (variant,) = found.variants
    assert variant.madds == analysis.totals.madds
    assert variant.peak_bytes == analysis.memory().peak_bytes
    assert variant.weight_bytes == analysis.totals.weight_bytes


def test_without_a_resolution_the_files_own_is_told() -> None:
    (variant,) = netcount.sweep(SAMPLES / "squeezenet_v1.1.prototxt").variants
    assert variant.resolution == (227, 227)
    assert variant.madds == 387_747_520


def test_peak_memory_is_a_limit() -> None:
    found = netcount.sweep(MOBILENET, ["1", "0.5"], [128], limits={"peak_bytes": 2**18}, bits=8)
    assert [v.over for v in found.variants] == [("peak_bytes",), ()]
    assert found.best == 1
    with pytest.raises(InputError, match="there is no limit on"):
        netcount.sweep(MOBILENET, limits={"mads": 1})


GROUPED = inputs(x=(1, 4, 9, 11)) + "".join(
    f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}" '
    f"convolution_param {{ num_output: {made} group: 2 kernel_size: 1 }} }}\n"
    for name, bottom, made in (("a", "x", 6), ("b", "a", 6), ("c", "b", 4))
)


def test_an_impossible_variant_stops_no_other() -> None:
    found = netcount.loads(GROUPED).sweep(["1", "0.5", "2"])
    assert [bool(v.error) for v in found.variants] == [False, True, False]
    assert "group 2" in str(found.variants[1].error)
    text = plain(sweep_report(found))
    assert "impossible" in text
    assert "warning: width 0.5: " in text
    records = list(csv.DictReader(io.StringIO(sweep_csv(found))))
    assert [record["fits"] for record in records] == ["True", "False", "True"]
    document = sweep_document(found)
    assert document["variants"][1]["error"] == found.variants[1].error
    assert document["best"] == 2, "the widest"


def test_as_a_frame() -> None:
    frame = netcount.sweep(MOBILENET, WIDTHS[:2], SIZES[:2]).to_frame()
    assert list(frame["resolution"]) == [(224, 224), (192, 192)] * 2
    assert frame["madds"].dtype == "int64"


def test_a_worker_reads_a_net_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    rescaler = Recipe.rescaler
    monkeypatch.setattr(Recipe, "rescaler", lambda self: read.append(self.text) or rescaler(self))
    net = netcount.load(MOBILENET)
    with ThreadPoolExecutor(1) as executor:
        far = [net.sweep(WIDTHS, SIZES, executor=executor) for _ in range(2)]
    assert len(read) == 1
    assert far[0].variants == far[1].variants == net.sweep(WIDTHS, SIZES).variants
