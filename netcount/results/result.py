"""What every result can do, derived from the descriptor of its question."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from netcount.report.questions import QUESTIONS

if TYPE_CHECKING:
    import pandas as pd


class Result(ABC):
    """The answer to a question: `print` shows what the command line prints, a notebook shows it as a table.

    A subclass names its question and says what it is in a line; how it prints itself and which document it is
    follow from the question's descriptor.
    """

    __slots__ = ()

    question: ClassVar[str]
    """The name of the question it answers, as of the command."""

    @abstractmethod
    def _line(self) -> str:
        """What `repr` says, behind the name of the class."""

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """A pandas DataFrame: numbers are numbers, whole ones exact, shapes tuples in Caffe's order."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON document that the command writes with `--format json` (docs/json.md)."""
        question = QUESTIONS[self.question]
        answer = question.loaded("document")(*self._arguments())
        if question.many:
            (answer,) = answer
        document: dict[str, Any] = answer
        return document

    def _arguments(self) -> Sequence[object]:
        """What the functions of the question's descriptor are called with: one answer, or a list of answers."""
        return ([self],) if QUESTIONS[self.question].many else (self,)

    def _parts(self) -> list[Any]:
        parts: list[Any] = QUESTIONS[self.question].loaded("report")(*self._arguments())
        return parts

    def _repr_html_(self) -> str:
        from netcount.report.formats.html import html

        return html(self._parts())

    def __str__(self) -> str:
        from netcount.report.formats.layout import plain

        return plain(self._parts())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._line()}>"


def frame_of(columns: Sequence[str], records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A frame of some records: a column of whole numbers of which some are missing is Int64, not float."""
    import pandas as pd

    rows = list(records)
    made: dict[str, Any] = {}
    for column in columns:
        values = [row.get(column) for row in rows]
        kinds = {type(value) for value in values}
        if kinds == {int, type(None)} and all(value is None or abs(value) < 2**63 for value in values):
            made[column] = pd.array(values, dtype="Int64")
        else:
            made[column] = pd.Series(values, dtype="object" if kinds & {tuple, dict, list} else None)
    return pd.DataFrame(made, columns=list(columns))
