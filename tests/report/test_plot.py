"""Plots: what stands in them, at which size, and that names are data."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from netcount.cli.main import netcount as command
from netcount.report.formats.plot import _short
from tests.command import run
from tests.helpers import SAMPLES, inputs

pytest.importorskip("matplotlib")
MOBILENET = str(SAMPLES / "mobilenet_v1.prototxt")
SWEEP = ("sweep", MOBILENET, "--width", "1,.5,.25", "--resolution", "224,128")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The figure that a command draws, and how it was saved."""
    from matplotlib.figure import Figure

    saved: list[tuple[Figure, dict[str, Any]]] = []
    savefig = Figure.savefig

    def kept(self: Figure, *arguments: Any, **options: Any) -> None:
        saved.append((self, options))
        savefig(self, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", kept)

    def draw(*arguments: str, stdin: str | None = None, ending: str = "png") -> tuple[Any, dict[str, Any]]:
        done = CliRunner().invoke(command, [*arguments, "--plot", str(tmp_path / f"p.{ending}")], input=stdin)
        assert done.exit_code in (0, 1), done.output
        assert (tmp_path / f"p.{ending}").stat().st_size > 500
        return saved[-1]

    return draw


def texts(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts]


def names(axes: Any) -> list[str]:
    return [label.get_text() for label in axes.get_xticklabels()]


def test_madds_and_params_of_each_layer(drawn: Any) -> None:
    figure, _ = drawn("analyze", str(SAMPLES / "squeezenet_v1.1.prototxt"))
    above, below = figure.axes
    assert (above.get_ylabel(), below.get_ylabel()) == ("madds", "params")
    assert max(bar.get_height() for bar in above.patches) == 100_352_000
    assert sum(bar.get_height() for bar in below.patches) == 1_235_496
    assert len(names(below)) == len(below.patches) == 26
    assert "20M" in [label.get_text() for label in above.get_yticklabels()]
    figure, _ = drawn("analyze", str(SAMPLES / "squeezenet_v1.1.prototxt"), "--top", "3")
    assert names(figure.axes[1]) == ["fire2/expand3x3", "fire3/expand3x3", "conv10"]


def test_memory_has_its_peak_and_scratch(drawn: Any) -> None:
    figure, _ = drawn("memory", MOBILENET, "--bits", "8", "--top", "4")
    (axes,) = figure.axes
    assert texts(axes) == ["peak of activations 1.15 MiB"]
    assert len(names(axes)) == 4
    assert [label.get_text() for label in axes.get_yticklabels()][:2] == ["0 B", "1 MiB"]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["activations alive", "im2col scratch"]
    assert axes.get_legend() is None, "a legend over data"


def test_a_sweep_marks_limits_and_the_best(drawn: Any) -> None:
    figure, _ = drawn(*SWEEP, "--max-madds", "300M", "--max-params", "2M", "--max-peak-memory", "10 MiB")
    (axes,) = figure.axes
    assert {"max_madds 300M", "max_params 2M", "224", "128"} <= set(texts(axes))
    assert axes.get_title().splitlines()[1:] == ["peak at most 10 MiB"]
    shown = [text.get_text() for text in figure.legends[0].get_texts()]
    assert shown == ["width 1", "width .5", "width .25", "best: width .5, 224"]
    assert "×10" not in "".join(label.get_text() for label in axes.get_yticklabels())


def test_names_are_no_more_than_can_be_read(drawn: Any) -> None:
    text = inputs(x=(1, 3, 8, 9))
    for index in range(400):
        text += (
            f'layer {{ name: "a_long_name_of_a_layer_{index}" type: "Convolution" bottom: "x" top: "y{index}"\n'
        )
        text += "convolution_param { num_output: 4 kernel_size: 3 } }\n"
    figure, _ = drawn("analyze", "-", stdin=text)
    wide = figure.get_size_inches()[0]
    assert 20 < len(names(figure.axes[1])) < wide / 0.12
    assert wide < 20


def test_many_variants_have_names_that_do_not_touch(drawn: Any) -> None:
    widths = ",".join(str(number / 20) for number in range(4, 21))
    figure, _ = drawn("sweep", MOBILENET, "--width", widths, "--resolution", "224,208,192,176")
    (axes,) = figure.axes
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert 8 < len(boxes) < 68
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])


HOSTILE = ("<script>alert(1)</script>", "$x^2_{$", "--><b>", "&amp;", "\\frac{", "red\x1b[31m", "\u202egnp", "层")


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
@pytest.mark.parametrize("question", ["analyze", "memory", "sweep"])
def test_names_are_data(drawn: Any, question: str, ending: str, tmp_path: Path) -> None:
    def quoted(name: str) -> str:
        return '"' + name.replace("\\", "\\\\") + '"'

    text = f"name: {quoted(''.join(HOSTILE))}\n{inputs(x=(1, 3, 8, 9))}"
    for index, name in enumerate(HOSTILE):
        text += f'layer {{ name: {quoted(name)} type: "Convolution" bottom: "x" top: "y{index}"\n'
        text += "convolution_param { num_output: 4 kernel_size: 3 } }\n"
    figure, _ = drawn(question, "-", stdin=text, ending=ending)
    shown = " ".join([figure.axes[0].get_title(), *names(figure.axes[-1])])
    assert "<script>" in shown
    assert not any(sign in shown for sign in ("\x1b", "\u202e"))
    assert r"\$" in shown
    assert "$" not in shown.replace(r"\$", ""), "a formula"
    if ending == "svg":
        root = ElementTree.parse(tmp_path / "p.svg").getroot()
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert not tags & {"script", "b", "a", "foreignObject"}


def test_few_short_names_lie_level(drawn: Any) -> None:
    layer = 'layer { name: "c" type: "Convolution" bottom: "x" top: "y"'
    layer += " convolution_param { num_output: 4 kernel_size: 3 } }"
    figure, _ = drawn("analyze", "-", stdin=inputs(x=(1, 3, 8, 9)) + layer)
    (label,) = figure.axes[1].get_xticklabels()
    assert (label.get_text(), label.get_rotation()) == ("c", 0)


@pytest.mark.parametrize(
    ("size", "inches"),
    [("8.5x6cm", (3.346, 2.362)), ("4x3", (4, 3)), ("90×60mm", (3.543, 2.362)), ("3x2in", (3, 2))],
)
def test_size_and_dpi(drawn: Any, size: str, inches: tuple[float, float]) -> None:
    figure, options = drawn("memory", MOBILENET, "--plot-size", size, "--plot-dpi", "300")
    assert tuple(figure.get_size_inches()) == pytest.approx(inches, abs=1e-3)
    assert options["dpi"] == 300


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_a_plot_is_the_same_every_time(drawn: Any, ending: str, tmp_path: Path) -> None:
    made = []
    for _ in range(2):
        drawn(*SWEEP, ending=ending)
        made.append((tmp_path / f"p.{ending}").read_bytes())
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--plot", "x.gif"), "has to end in .png, .svg or .pdf"),
        (("--plot", "x.png", "--plot-size", "8.5"), "is not WxH"),
        (("--plot", "x.png", "--plot-size", "0x6"), "from 1 to 60 inches"),
        (("--plot", "x.png", "--plot-size", "900x900"), "from 1 to 60 inches"),
        (("--plot", "x.png", "--plot-dpi", "9"), "--plot-dpi"),
    ],
)
def test_what_is_refused(arguments: tuple[str, ...], message: str) -> None:
    for name in ("analyze", "memory", "sweep"):
        done = run(name, MOBILENET, *arguments)
        assert done.returncode == 2
        assert message in done.stderr
    assert not Path("x.png").exists()


def test_one_net_a_plot() -> None:
    assert "--plot takes one FILE" in run("analyze", MOBILENET, MOBILENET, "--plot", "x.png").stderr


def test_no_zeros_that_say_nothing() -> None:
    assert [_short(text) for text in ("4.20M", "100.00M", "0", "10.00 KiB", "0 B", "1.05G")] == [
        "4.2M", "100M", "0", "10 KiB", "0 B", "1.05G",
    ]  # fmt: skip
