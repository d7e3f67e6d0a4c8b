"""What the page is told about a text: its figures and pictures, or what is wrong and how it can be mended."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Protocol, TypeAlias

from netcount.analysis._support.scales import image_size, width_factor
from netcount.analysis.compare import compared, facts, told_apart
from netcount.analysis.count import Count, count
from netcount.analysis.figures import MAIN, NetFigures
from netcount.analysis.rescale import Rescaler
from netcount.core.errors import NetcountError, Spelling, each, spelled
from netcount.core.gc_pause import paused, undisturbed
from netcount.core.suggest import meant, nearest
from netcount.graph.graph import Graph
from netcount.graph.load import load_text
from netcount.graph.options import LoadOptions
from netcount.graph.partial import Outline, outline_of, outline_text
from netcount.picture.picture import open_and_folded
from netcount.report.comparison import report
from netcount.report.error import document as error_document
from netcount.report.formats.layout import Part
from netcount.report.page import cells, page_data, page_reasons
from netcount.serve.gate import Gate

Chosen: TypeAlias = "Sequence[tuple[str, str]]"
"""Options that were chosen on the page, each with its value."""


class Subject(Protocol):
    """A file that the page shows."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def gate(self) -> Gate | None:
        """What its limits are, if it has any."""


class Misasked(ValueError):
    """The page asks for what there is not."""


class _Drawn(NamedTuple):
    """A text that was drawn, and how it was read; whole: whether all of its layers could be counted."""

    text: str
    options: LoadOptions
    file: str
    counted: Count
    whole: bool


class Asker:
    """Asks about texts.

    Args:
        options: How nets are read, where some more options were chosen on the page.
        spelling: How options are written.
    """

    def __init__(self, options: Callable[[Chosen], LoadOptions], spelling: Spelling) -> None:
        self._options = options
        self._last: _Drawn | None = None
        self.spelling: Spelling = spelling

    def reply(self, way: str, asked: Mapping[str, Any], files: Sequence[Subject]) -> dict[str, Any]:
        """What the page gets.

        Args:
            way: What it asks for, one of `WAYS`.
            asked: About which text: `file`, an index into `files`, `text`, `options`, and more.
            files: The files of the page.

        Raises:
            Misasked: There is no such file, or way.
        """
        if way == "answer":
            file, text = _subject(asked, files), str(asked["text"])
            with paused():  # collects now and then: the errors of wrong texts hold all that was made of these
                answer = self.answer(text, file.name, _chosen(asked), asked.get("partial") is True)
                answer["budget"] = []
                if file.gate and answer["data"]:
                    answer["budget"] = file.gate.checks(lambda load: self._counted(text, load, file.name))
                return answer
        try:
            if way == "reasons":
                return self.reasons(str(asked.get("text")), _subject(asked, files).name, _chosen(asked))
            if way == "rescale":
                wish = asked.get("width"), asked.get("resolution")
                file = _subject(asked, files)
                return self.rescaled(str(asked["text"]), file.name, _chosen(asked), *wish)
            if way == "compare":
                nets = asked.get("nets")
                if not isinstance(nets, list) or not all(isinstance(net, dict) for net in nets) or len(nets) < 2:
                    raise Misasked("two nets are compared")
                texts = [(str(net.get("text")), _subject(net, files).name, _chosen(net)) for net in nets]
                return {"parts": [cells(part) for part in self.compared(texts) if part]}
        except NetcountError as mistake:  # a text is often wrong while it is typed
            with spelled(self.spelling):
                return {"error": "; ".join([one.message for one in each(mistake)])}
        raise Misasked("there is nothing here")

    def answer(self, text: str, file: str, chosen: Chosen = (), partial: bool = False) -> dict[str, Any]:
        """`data`, of the page, and `errors`; one of them is empty, unless what there is of a net is wanted too.

        Args:
            text: A prototxt.
            file: What it is called.
            chosen: Options that were chosen on the page.
            partial: Whether a net that cannot be finished is drawn as far as it goes.
        """
        with spelled(self.spelling):
            try:
                load = self._options(chosen)
            except NetcountError as refused:
                return {"data": None, "errors": problems(refused, text)}
            try:
                return {
                    "data": self._drawn(outline_of(load_text(text, load, file)), text, load, file),
                    "errors": [],
                }
            except NetcountError as refused:
                error = refused
            data = None
            if partial:
                with suppress(NetcountError):  # the text cannot be read at all: the first error says why
                    data = self._drawn(outline_text(text, load, file, error), text, load, file)
            return {"data": data, "errors": problems(error, text)}

    def reasons(self, text: str, file: str, chosen: Chosen = ()) -> dict[str, Any]:
        """How the figures of a text's layers come about, as far as it goes; the text drawn last is not read again.

        Raises:
            NetcountError: The text cannot be read at all.
        """
        with spelled(self.spelling):
            load = self._options(chosen)
            last = self._last_drawn(text, load, file)
            counted = last.counted if last else count(_as_far_as_it_goes(text, load, file).graph)
        with undisturbed():
            return page_reasons(counted)

    def _drawn(self, outline: Outline, text: str, load: LoadOptions, file: str) -> dict[str, Any]:
        counted = count(outline.graph)
        self._last = _Drawn(text, load, file, counted, whole=outline.error is None)
        return page_data(*open_and_folded(counted, outline))

    def _counted(self, text: str, load: LoadOptions, file: str) -> Count:
        """The count of a text; of the one that was drawn last it is known, unless only a part of that could be."""
        last = self._last_drawn(text, load, file)
        return last.counted if last and last.whole else count(load_text(text, load, file))

    def _last_drawn(self, text: str, load: LoadOptions, file: str) -> _Drawn | None:
        last = self._last
        return last if last is not None and (last.text, last.options, last.file) == (text, load, file) else None

    def rescaled(self, text: str, file: str, chosen: Chosen, width: object, resolution: object) -> dict[str, Any]:
        """The text of the net at another width and resolution, with what it costs and what it cost before.

        Raises:
            NetcountError: The text is wrong, or a constant in it makes it impossible.
        """
        with spelled(self.spelling):
            factor = width_factor("width", width)
            size = None if resolution is None else image_size("resolution", resolution)
            rescaler = Rescaler(text, file, self._options(chosen), both_phases=False)
            made = rescaler.rescaled(factor, size)
            return {"text": made.text, "before": _figures(made.before), "now": _figures(made.net)}

    def compared(self, nets: Sequence[tuple[str, str, Chosen]]) -> list[Part]:
        """The report of what the other texts change of the first: each with its name and chosen options.

        Raises:
            NetcountError: One of them is wrong.
        """
        with spelled(self.spelling):
            counts = [count(load_text(text, self._options(chosen), file)) for text, file, chosen in nets]
            return report(compared(told_apart([facts(one) for one in counts])))


WAYS = ("answer", "reasons", "rescale", "compare")
"""What a page asks for: figures and pictures, how the figures come about, another size of the net, what one text
changes of another."""


def _subject(asked: Mapping[str, Any], files: Sequence[Subject]) -> Subject:
    index = asked.get("file")
    if type(index) is not int or not 0 <= index < len(files) or "text" not in asked:
        raise Misasked("there is no such file")
    return files[index]


def _chosen(asked: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(str(option), str(value)) for option, value in asked.get("options", ())]


def _as_far_as_it_goes(text: str, load: LoadOptions, file: str) -> Outline:
    try:
        return outline_of(load_text(text, load, file))
    except NetcountError as refused:
        return outline_text(text, load, file, refused)


def _figures(net: Graph) -> dict[str, int]:
    figures = NetFigures(count(net))
    return {figure.key: int(figures[figure.key]) for figure in MAIN}


def problems(error: NetcountError, text: str) -> list[dict[str, Any]]:
    """The mistakes of an error document, each with `fixes`: what to click on.

    A fix has a `title`, and `options` to choose (their values may have words in capitals, for what only the
    user knows), or `edit`: the line, column and length of what to replace, and what by.
    """
    lines = text.split("\n")
    made: list[dict[str, Any]] = []
    for one, problem in zip(each(error), error_document(error)["problems"], strict=True):
        fixes: list[dict[str, Any]] = []
        edit = _edit(one, lines)
        if edit is not None:
            fixes.append({"title": f"change to {edit['by']}", "edit": edit, "options": []})
        ways: dict[int, list[list[str]]] = {}
        for way in problem["advice"]:
            ways.setdefault(way["way"], []).append([way["option"], way["value"]])
        for options in ways.values():
            title = " ".join([" ".join(option) for option in options])
            fixes.append({"title": title, "edit": None, "options": options})
        made.append({"place": problem["place"], "message": problem["message"], "fixes": fixes})
    return made


def _edit(problem: NetcountError, lines: Sequence[str]) -> dict[str, Any] | None:
    """The replacement of a misspelt word, where one is meant and such a word stands where the mistake does."""
    by = meant(problem.what)
    place = problem.place
    if not by or place is None or not 0 < place.line <= len(lines):
        return None
    for word in _WORD.finditer(lines[place.line - 1], max(0, place.column - 1)):
        if nearest(word[0], [by]):
            return {"line": place.line, "column": word.start() + 1, "length": len(word[0]), "by": by}
    return None


_WORD = re.compile(r"[^\s\"':{}<>,;#\[\]]+")
