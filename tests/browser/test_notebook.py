"""What a notebook shows of a net, in a page such as JupyterLab, VS Code and nbconvert make of a cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import netcount
from netcount.core.errors import InputError
from tests.cli.test_analyze import hostile_net
from tests.helpers import SAMPLES

NET = netcount.load(SAMPLES / "squeezenet_v1.1.prototxt")


@pytest.fixture
def cells(browser: Any) -> Any:
    page = browser.new_page()
    page.wrong = []
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("console", lambda said: page.wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("dialog", lambda dialog: page.wrong.append(dialog.message))
    yield page
    page.close()
    assert not page.wrong


def test_the_page_works_in_its_frame_and_reaches_nothing_else(cells: Any) -> None:
    cells.set_content(f"<title>notebook</title><p>secret</p>{NET.page(height=700)._repr_html_()}")
    frame = cells.frame_locator("iframe")
    frame.locator("#pane-layers a", has_text="conv10").first.click()
    assert frame.locator("#graph .chosen text").first.text_content() == "conv10"
    assert frame.locator("#layer h2").inner_text().startswith("conv10 ")
    assert cells.locator("iframe").bounding_box()["height"] == 702
    inner = cells.frames[1]
    assert inner.evaluate(
        "() => { try { return parent.document.title } catch (error) { return error.name } }"
    ) == ("SecurityError")
    with cells.expect_download() as waiting:
        frame.locator("#export").select_option("svg")
    assert waiting.value.suggested_filename == "SqueezeNet_v1.1.svg"


def test_the_picture_is_an_image_of_its_size(cells: Any) -> None:
    picture = NET.graph(collapse=["all"])
    cells.set_content(f"<title>notebook</title>{picture._repr_html_()}")
    image = cells.locator("img")
    image.evaluate("image => image.decode()")
    wide, tall = image.evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert f'width="{wide}" height="{tall}"' in picture.svg
    assert picture._repr_svg_() == picture.svg == str(picture)


def test_hostile_names_stay_in_the_frame_as_text(cells: Any) -> None:
    net = netcount.loads(hostile_net())
    cells.set_content(f"<title>notebook</title>{net.graph()._repr_html_()}{net.page()._repr_html_()}")
    assert cells.locator("img, iframe, script").count() == 2
    cells.locator("img").evaluate("image => image.decode()")
    cells.frame_locator("iframe").locator("#pane-layers a").first.click()
    cells.frame_locator("iframe").locator("#layer h2").wait_for()


def test_both_are_written_to_files(tmp_path: Path) -> None:
    NET.graph(color="type").save(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text(encoding="utf-8").startswith("<svg ")
    page = NET.page(collapse=["fire2"])
    page.save(tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == str(page)
    assert '"folded":["fire2"]' in str(page)
    assert repr(page).startswith("<Page of 'SqueezeNet_v1.1': ")


def test_the_frame_of_the_picture_has_a_row_a_box() -> None:
    frame = NET.graph().to_frame()
    assert frame["madds"].sum() == NET.analyze().totals.madds
    assert frame["names"][1] == ("conv1", "relu_conv1")
    assert len(NET.graph(fuse=False).to_frame()) == len(NET.layers)


@pytest.mark.parametrize(
    "wrong", [{"color": "red"}, {"collapse": "all"}, {"collapse": ["fire99"]}, {"fuse": 1}, {"height": 0}]
)
def test_wrong_arguments_are_named(wrong: Any) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        NET.page(**wrong)
