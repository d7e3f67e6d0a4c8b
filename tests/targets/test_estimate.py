"""The estimate of times: its formulas by hand, and held against times that others measured."""

from __future__ import annotations

import json
import runpy
from fractions import Fraction
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from netcount.analysis.count import count
from netcount.core.errors import InputError
from netcount.graph.load import load_text
from netcount.graph.options import LoadOptions
from netcount.targets.estimate import CAVEAT, Estimate
from netcount.targets.fit import Target, fit, times
from netcount.targets.profile import read_profile
from netcount.targets.shipped import profile
from tests.command import run
from tests.helpers import ROOT, SAMPLES, SHARED, valid
from tests.targets.cases import conv, deconv, eltwise, full, net, pool

needs_times = pytest.mark.skipif(
    not (SHARED / "targets").is_dir(), reason="the measured times of ../shared/targets are not here"
)
CHIP = """schema = "netcount-target/1"
name = "Chip"
toolchain = "cc"
version = "1"
reliability = "ours"
unlisted = "accepted"
[hardware]
array = { in = 3, out = 5, pixels = 7 }
depthwise = { channels = 5, pixels = 2 }
pool = { channels = 3, pixels = 11 }
clock_hz = 1000
bandwidth = 500
weight_bits = 8
activation_bits = 16
"""


def estimated(folder: Path, text: str, more: str = "", batch: str = "1") -> Estimate:
    path = folder / "chip.toml"
    path.write_text(CHIP + more, encoding="utf-8")
    found = fit(count(load_text(text, LoadOptions.of(batch=batch))), Target.of(read_profile(path))).estimate
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "cycles"),
    [
        (conv("kernel_h: 3 kernel_w: 2 group: 2", out=12), 2 * 2 * 2 * 6 * 3 * 21),
        (conv("kernel_size: 3 stride: 2", shape=(1, 8, 20, 22), out=12), 3 * 3 * 9 * 2 * 10),
        (conv("kernel_size: 3 pad: 1 group: 8"), 2 * 9 * 10 * 22),
        (deconv("kernel_size: 2 stride: 2", shape=(1, 8, 5, 6), out=6), 3 * 2 * 4 * 2 * 12),
        (full((1, 2, 5, 7)), 24 * 1),
        (pool("kernel_h: 2 kernel_w: 3 stride: 2"), 3 * 6 * 10),
        (eltwise(), 2 * 35 * 2),
        (net("ReLU", (1, 8, 5, 7)), 0),
        (net("BatchNorm", (1, 8, 5, 7)), 0),
        (net("Softmax", (1, 8, 5, 7)), 0),
    ],
)
def test_cycles_of_an_array(tmp_path: Path, text: str, cycles: int) -> None:
    layer = estimated(tmp_path, text).layers[-1]
    assert layer.cycles == cycles
    assert (layer.bytes == 0) is (cycles == 0)
    twice = estimated(tmp_path, text.replace("dim: 1 ", "dim: 2 ", 2), batch="net").layers[-1]
    assert twice.cycles == 2 * cycles


def test_bytes_and_the_bound(tmp_path: Path) -> None:
    text = conv("kernel_size: 1", shape=(1, 8, 4, 6), out=6)
    weights, moved = 8 * 6 + 6, 2 * (10 + 10) * 24
    layer = estimated(tmp_path, text).layers[-1]
    assert layer.bytes == weights + moved
    assert layer.seconds == Fraction(weights + moved, 500)
    assert layer.bound == "memory"
    fits = estimated(tmp_path, text, f"sram = {moved}\n").layers[-1]
    assert fits.bytes == weights
    assert fits.bound == "products" if fits.cycles * 500 >= weights * 1000 else fits.bound == "memory"
    assert estimated(tmp_path, text, f"sram = {moved - 1}\n").layers[-1].bytes == weights + moved
    blob = estimated(tmp_path, text, f'sram = {moved // 2}\nkeeps = "blob"\n').layers[-1]
    assert blob.bytes == weights
    assert estimated(tmp_path, text, 'traffic = "weights"\n').layers[-1].bytes == weights


@pytest.mark.parametrize(("combine", "part"), [("max", 0), ("max and half min", Fraction(1, 2)), ("sum", 1)])
def test_sides_are_combined(tmp_path: Path, combine: str, part: Fraction) -> None:
    layer = estimated(tmp_path, conv(), f'combine = "{combine}"\n').layers[-1]
    compute, load = Fraction(layer.cycles, 1000), Fraction(layer.bytes, 500)
    assert layer.seconds == max(compute, load) + part * min(compute, load)


def test_sums_and_shares(tmp_path: Path) -> None:
    found = estimated(tmp_path, conv())
    layer = found.layers[-1]
    assert found.seconds == layer.seconds
    assert found.peak == 3 * 5 * 7 * 1000
    assert found.utilisation == pytest.approx(layer.madds / (found.peak * float(layer.seconds)))
    assert found.naive_ms == pytest.approx(1000 * layer.madds / found.peak)


def test_formulas_of_ones_own_come_first(tmp_path: Path) -> None:
    text = '[[cycles]]\ntype = "Convolution"\nwhen = "kernel_h == 3"\nvalue = "channels_out * 100"\n'
    assert estimated(tmp_path, conv(), text).layers[-1].cycles == 800
    assert estimated(tmp_path, conv("kernel_size: 1"), text).layers[-1].cycles != 800


def test_what_runs_on_the_cpu_has_no_time(tmp_path: Path) -> None:
    text = '[types]\ncpu = ["Convolution"]\n'
    found = estimated(tmp_path, conv(), text)
    assert found.uncounted == ("l",)
    assert not found.seconds


# width, height, milliseconds of 3×3, 128 -> 128 channels, 16-bit weights, at 300 MHz (bbs.sipeed.com/t/topic/691)
K210 = (
    (4, 4, 0.339), (4, 16, 0.339), (16, 16, 0.417), (32, 16, 0.692), (32, 32, 1.138), (64, 32, 2.125),
    (64, 64, 3.891), (128, 64, 7.709), (128, 128, 14.778), (256, 256, 57.756),
)  # fmt: skip


def test_the_k210s_ten_convolutions() -> None:
    one = profile("kendryte-k210")
    one = one._replace(hardware=one.hardware._replace(clock_hz=300_000_000, weight_bits=16))
    errors = []
    for wide, high, ms in K210:
        text = conv("kernel_size: 3 pad: 1 bias_term: false", shape=(1, 128, high, wide), out=128)
        found = fit(count(load_text(text)), Target.of(one)).estimate
        assert found is not None
        errors.append(abs(found.ms / ms - 1))
    assert fmean(errors) < 0.07
    assert max(errors) < 0.13


@needs_times
def test_the_dpus_measured_times() -> None:
    """At most 12 % off on average, on each of four boards; each net by a bandwidth from the others."""
    tool: dict[str, Any] = runpy.run_path(str(ROOT / "tools" / "validate_estimates.py"))
    rows, best = tool["compared"]()
    assert {name: round(found / 10**9, 2) for name, found in best.items()} == {
        board.name: round((board.bandwidth or 0) / 10**9, 2)
        for name in ("xilinx-dpuczdx8g-b4096", "xilinx-dpuczdx8g-b1600")
        for board in profile(name).boards
    }
    for board, nets in {"KV260": 11, "ZCU104": 11, "ZCU102": 11, "Ultra96": 9}.items():
        own = [row for row in rows if row.board == board]
        assert len(own) == nets
        assert fmean(abs(row.error(row.fitted)) for row in own) <= 0.12
        assert fmean(abs(row.error(row.naive)) for row in own) > 0.4
    assert (ROOT / "docs" / "estimate.md").read_text(encoding="utf-8") == tool["page"]()


def test_measured_times_of_ones_own_stand_beside_the_estimate(tmp_path: Path) -> None:
    (tmp_path / "a.prototxt").write_text(conv(), encoding="utf-8")
    estimate = estimated(tmp_path, conv()).ms
    rows = f'[[measured]]\nnet = "a.prototxt"\nms = {estimate * 2:.6f}\nsource = "us"\n'
    (tmp_path / "chip.toml").write_text(CHIP + rows, encoding="utf-8")
    arguments = ["fit", str(tmp_path / "a.prototxt"), "--target", str(tmp_path / "chip.toml")]
    assert "off by 50.0% on average of 1 measured time" in run(*arguments).stdout
    (row,) = valid(json.loads(run(*arguments, "-f", "json").stdout), "fit")["measured"]
    assert row["estimated_ms"] == pytest.approx(estimate)
    (tmp_path / "chip.toml").write_text(CHIP + rows.replace("a.proto", "b.proto"), encoding="utf-8")
    done = run(*arguments)
    assert done.returncode == 2
    assert "chip.toml:15:1: the measured net b.prototxt: cannot read" in done.stderr


def test_a_target_without_figures_has_no_time() -> None:
    counted = count(load_text(conv()))
    assert fit(counted, Target.of(profile("mnn"))).estimate is None
    with pytest.raises(InputError, match="mnn has not the hardware figures"):
        times([counted], Target.of(profile("mnn")))
    assert times([counted], Target.of(profile("kendryte-k210")))[0].ms > 0


def test_analyze_shows_the_times_too() -> None:
    path = str(SAMPLES / "resnet50.prototxt")
    done = run("analyze", path, "--target", "xilinx-dpuczdx8g-b4096", "--board", "KV260", "--top", "3")
    assert done.returncode == 0, done.stderr
    assert CAVEAT in done.stdout
    assert "3 of 123 layers shown" in done.stdout or "3 of " in done.stdout
    refused = run("analyze", path, "--target", "xilinx-dpuczdx8g-b4096", "-f", "csv")
    assert refused.returncode == 2
    assert "has no place in CSV" in refused.stderr
