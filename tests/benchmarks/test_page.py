"""How long the page takes: to be ready, to select and to fold, and from a key to the painted picture.

python -m pytest tests/benchmarks/test_page.py -o addopts="" -s
"""

from __future__ import annotations

import json
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import pytest

from netcount.cli.serve import answerer
from tests.benchmarks.test_analysis import RESNET_152
from tests.browser.conftest import browser as browser
from tests.browser.conftest import shown as shown
from tests.browser.test_serve import Edit, Live
from tests.browser.test_serve import edit as edit
from tests.helpers import CORPUS, SAMPLES, needs_corpus

ROUNDS = 21
WIDTHS = ("num_output: 64", "num_output: 96")
"""What an edit changes to and fro, of the first layer that has it."""
LARGEST = CORPUS / "nets" / "soeaver__caffe-model__cls__air__deploy_air152.prototxt"
READY_SELECT_FOLD = """
async () => {
    const painted = () => new Promise(done => requestAnimationFrame(() => {
        const after = new MessageChannel();
        after.port1.onmessage = done;
        after.port2.postMessage(0);
    }));
    const taken = async (act) => {
        const start = performance.now();
        act();
        await painted();
        return performance.now() - start;
    };
    const ready = performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd;
    const rows = [...document.querySelectorAll("#pane-layers tbody tr")], select = [];
    for (const at of [5, 300, 600, 900, 1100]) select.push(await taken(() => rows[at].click()));
    return [ready, select.sort((a, b) => a - b)[2], await taken(() => document.getElementById("fold").click())];
}
"""
"""Milliseconds until the page's script has run, and until a selected row and folded blocks are painted."""
KEY_TO_PAINT = """
async (area, [at, text]) => {
    const facts = document.getElementById("facts"), before = facts.textContent, start = performance.now();
    area.focus({ preventScroll: true });
    area.setSelectionRange(at, at + text.length);
    document.execCommand("insertText", false, text);
    await new Promise(done => new MutationObserver(() => facts.textContent !== before && done())
        .observe(facts, { childList: true, characterData: true, subtree: true }));
    await new Promise(done => requestAnimationFrame(() => {
        const after = new MessageChannel();
        after.port1.onmessage = done;
        after.port2.postMessage(0);
    }));
    return performance.now() - start;
}
"""
"""Writes over a part of the text; milliseconds until the totals that follow from it have been painted."""


class Taken(NamedTuple):
    """Milliseconds."""

    painted: list[float]
    answered: list[float]


def taken(live: Live, text: str) -> Taken:
    """An edit to and fro, and in turn with it the answer alone, here."""
    at, answer, times = text.index(WIDTHS[0]), answerer(), Taken([], [])
    for number in range(ROUNDS):
        words = WIDTHS[1 - number % 2]
        times.painted.append(live.area.evaluate(KEY_TO_PAINT, [at, words]))
        live.page.wait_for_load_state("networkidle")
        asked = {"file": 0, "text": text[:at] + words + text[at + len(words) :], "options": []}
        start = perf_counter()
        answer("answer", json.dumps(asked), '["net.prototxt"]')
        times.answered.append(1000 * (perf_counter() - start))
    return times


@needs_corpus
@pytest.mark.parametrize(
    "file", [RESNET_152, SAMPLES / "squeezenet_v1.1.prototxt"], ids=["ResNet-152", "SqueezeNet"]
)
def test_key_to_paint(edit: Edit, capsys: pytest.CaptureFixture[str], file: Any) -> None:
    text = file.read_text(encoding="utf-8").replace("\r\n", "\n")
    painted, answered = taken(edit(text), text)
    with capsys.disabled():
        print(
            f"\n{file.stem}: painted after {median(painted):.0f} ms ({min(painted):.0f} at least), "
            f"{median(painted) / median(answered):.1f} times the answer alone ({median(answered):.0f} ms)"
        )


@needs_corpus
def test_ready_select_fold(shown: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    text = LARGEST.read_text(encoding="utf-8")
    times = []
    for _ in range(5):
        page = shown(text)
        page.locator("#pane-layers tbody tr").nth(1170).wait_for(state="attached")
        page.wait_for_timeout(500)
        times.append(page.evaluate(READY_SELECT_FOLD))
    ready, select, fold = (median(each) for each in zip(*times, strict=True))
    with capsys.disabled():
        print(
            f"\n1,171 layers: ready after {ready:.0f} ms, selected in {select:.0f}, folded in {fold:.0f} (medians)"
        )
