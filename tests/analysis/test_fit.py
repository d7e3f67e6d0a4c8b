"""The largest width or resolution that fits: found by bisection, with the next step looked at too."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import netcount
from netcount.analysis._support import search
from netcount.analysis._support.resolutions import Resolution
from netcount.core.errors import InputError
from netcount.report.formats.layout import plain
from netcount.report.sweep import sweep_document, sweep_report
from tests.analysis.test_rescale import conv
from tests.analysis.test_sweep import GROUPED
from tests.helpers import SAMPLES, inputs, valid

MOBILENET = SAMPLES / "mobilenet_v1.prototxt"


@given(st.data())
def test_the_search_finds_what_looking_at_all_finds(data: st.DataObject) -> None:
    most = data.draw(st.integers(1, 60))
    threshold = data.draw(st.integers(0, most + 1))
    impossible = data.draw(st.sets(st.integers(1, most)))
    asked: set[int] = set()

    def fits(candidate: int) -> bool | None:
        assert 1 <= candidate <= most
        assert candidate not in asked
        asked.add(candidate)
        return None if candidate in impossible else candidate <= threshold

    found = search.largest(fits, data.draw(st.integers(1, most)), most)
    possible = set(range(1, most + 1)) - impossible
    assert found.fits == max((i for i in possible if i <= threshold), default=None)
    assert found.over == min((i for i in possible if i > threshold), default=None)
    lower = found.fits or 0
    if found.over is not None:
        assert set(range(lower, found.over + 1)) - {0} <= asked, "both sides, and all between, were looked at"


@pytest.mark.parametrize("limits", [{"madds": 300_000_000}, {"peak_bytes": 2**21, "params": 4_000_000}])
@pytest.mark.parametrize("multiple", [1, 8])
def test_the_largest_width_fits_and_the_next_does_not(limits: dict[str, int], multiple: int) -> None:
    found = netcount.load(MOBILENET).sweep(resolutions=[224, 160], limits=limits, fit="width", multiple=multiple)
    assert len(found.searches) == 2
    for one in found.searches:
        assert one.fits is not None
        assert one.over is not None
        fits, over = found.variants[one.fits], found.variants[one.over]
        assert Fraction(over.width) - Fraction(fits.width) == Fraction(1, 1000)
        for variant in (fits, over):
            text = (
                netcount.load(MOBILENET)
                .rescale(width=variant.width, resolution=variant.resolution, multiple=multiple)
                .text
            )
            analysis = netcount.loads(text).analyze()
            figures = {
                "madds": analysis.totals.madds,
                "params": analysis.totals.params,
                "peak_bytes": analysis.memory().peak_bytes,
            }
            assert all(figures[key] <= most for key, most in limits.items()) is (variant is fits)
        assert one.counted < 40
    assert found.best in {one.fits for one in found.searches}


def test_the_largest_resolution() -> None:
    limits = {"madds": 300_000_000}
    found = netcount.load(MOBILENET).sweep(["1", "0.5"], limits=limits, fit="resolution", step=32)
    sizes = [(v.width, v.resolution, v.fits) for v in found.variants]
    assert sizes == [
        ("1", (160, 160), True), ("1", (192, 192), False), ("0.5", (288, 288), True), ("0.5", (320, 320), False),
    ]  # fmt: skip
    fine = netcount.load(MOBILENET).sweep(limits=limits, fit="resolution")
    (one,) = fine.searches
    assert one.fits is not None
    assert one.over is not None
    fits, over = (fine.variants[i].resolution for i in (one.fits, one.over))
    assert fits is not None
    assert over == (fits.high + 1, fits.high + 1)


def test_images_keep_their_proportion() -> None:
    text = inputs(x=(1, 3, 40, 61)) + conv("a", "x", "a", "num_output: 8 kernel_size: 3")
    text += conv("b", "a", "b", "num_output: 9 kernel_size: 1")
    found = netcount.loads(text).sweep(limits={"madds": 1_000_000}, fit="resolution", step=20)
    assert [v.resolution for v in found.variants] == [Resolution(40, 61), Resolution(60, 92)]


def test_widths_that_are_impossible_are_passed_over() -> None:
    found = netcount.loads(GROUPED).sweep(limits={"params": 26}, fit="width", step="1/12")
    (one,) = found.searches
    assert one.fits is not None
    assert one.over is not None
    fits, over = found.variants[one.fits], found.variants[one.over]
    for numerator in range(1, 40):
        width = str(Fraction(numerator, 12))
        (variant,) = netcount.loads(GROUPED).sweep([width], limits={"params": 26}).variants
        if Fraction(fits.width) < Fraction(width) < Fraction(over.width):
            assert variant.error is not None
        elif variant.error is None:
            assert variant.fits is (Fraction(width) <= Fraction(fits.width))


def test_nothing_or_everything_may_fit() -> None:
    none = netcount.load(MOBILENET).sweep(limits={"madds": 10}, fit="width", step=0.25)
    assert none.best is None
    assert none.searches[0].fits is None
    assert [v.width for v in none.variants] == ["0.25"]
    assert "no width fits at 224; the smallest, 0.25, has 41.03M madds" in plain(sweep_report(none))
    every = netcount.load(MOBILENET).sweep(limits={"madds": 10**15}, fit="width", step=1)
    assert [v.width for v in every.variants] == ["45"], "46·1024 squared are more weights than Caffe can hold"
    assert every.searches[0].over is None
    assert "width 45 fits at 224; nothing larger was found" in plain(sweep_report(every))


def test_both_sides_are_told() -> None:
    found = netcount.load(MOBILENET).sweep(resolutions=[192], limits={"madds": 300_000_000}, fit="width")
    assert "width 0.842 fits at 192; the next, 0.843, does not: 300.46M madds" in plain(sweep_report(found))
    document = sweep_document(found)
    valid(document, "sweep")
    assert document["searches"] == [{"axis": "width", "step": "0.001", "fits": 0, "over": 1, "counted": 11}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fit": "width"}, "needs a limit to fit"),
        ({"fit": "width", "limits": {"mads": 1}}, "there is no limit on"),
        ({"fit": "width", "limits": {"madds": 1}, "step": "x"}, "a step of widths is a number above 0"),
        ({"fit": "width", "limits": {"madds": 1}, "step": "1/0"}, "a step of widths"),
        ({"fit": "width", "limits": {"madds": 1}, "step": 1e-9}, "a step of widths"),
        (
            {"fit": "resolution", "limits": {"madds": 1}, "step": "0.5"},
            "a step of resolutions is a positive",
        ),
    ],
)
def test_what_cannot_be_searched(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        netcount.load(MOBILENET).sweep(**arguments)


def test_a_search_among_the_impossible_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_IMPOSSIBLE", 50)
    text = inputs(x=(1, 4, 9, 11)) + conv("a", "x", "a", "num_output: 6 kernel_size: 1")
    text += 'layer { name: "cut" type: "Slice" bottom: "a" top: "p" top: "q" slice_param { slice_point: 2 } }\n'
    text += "".join(conv(name, bottom, name, "num_output: 9 kernel_size: 1") for name, bottom in ("bp", "cq"))
    found = netcount.loads(text).sweep(limits={"madds": 10**9}, fit="width", step="1/10")
    assert [variant.width for variant in found.variants] == ["1"]
    assert found.searches[0].over is None
    text = inputs(x=(1, 4, 9, 11)) + conv("a", "x", "a", "num_output: 8 kernel_size: 1 axis: 2")
    text += conv("b", "a", "b", "num_output: 9 kernel_size: 1")
    with pytest.raises(InputError, match=r"no width that fits was found: 50 variants .* channels are not axis 1"):
        netcount.loads(text).sweep(limits={"madds": 1}, fit="width", step="3/10")
    with pytest.raises(InputError, match="most are impossible"):
        netcount.loads(text).sweep(limits={"madds": 1}, fit="width", step="1/1000")


def test_without_an_image_no_resolution_is_searched() -> None:
    plane = inputs(x=(4, 7)) + (
        'layer { name: "f" type: "InnerProduct" bottom: "x" top: "f" inner_product_param { num_output: 3 } }'
    )
    with pytest.raises(InputError, match="there is no resolution to change"):
        netcount.loads(plane).sweep(limits={"madds": 1}, fit="resolution")
