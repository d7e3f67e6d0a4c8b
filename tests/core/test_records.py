"""A document that is read again: what does not fit is said in plain words, with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from netcount.core.errors import InputError
from netcount.core.records import Kind, Record, flag, list_of, mapping_of, optional, read_record, text, whole

KIND = Kind("cake", "netcount/cake/1", "bake another")
REMEDY = "; bake another"


def written(folder: Path, content: str) -> str:
    path = folder / "a.json"
    path.write_text(content, encoding="utf-8")
    return str(path)


def test_values_come_as_they_are_wanted() -> None:
    values = {"n": 3, "t": "x", "f": False, "none": None, "l": [[1], []], "m": {"a": {"n": 2}}, "r": [{"n": 5}]}
    record = Record(values, "a.json", KIND)
    assert record.get("n", whole) == record.get("n", optional(whole)) == 3
    assert (record.get("t", text), record.get("f", flag), record.get("none", optional(whole))) == (
        "x",
        False,
        None,
    )
    assert record.get("l", list_of(list_of(whole))) == ((1,), ())
    assert record.get("missing", whole, 7) == 7
    assert record.named("m")["a"].get("n", whole) == record.record("m").record("a").get("n", whole) == 2
    assert [row.get("n", whole) for row in record.records("r")] == [5]


def read_all(path: str) -> list[object]:
    record = read_record(path, KIND)
    checks: dict[str, Any] = {
        "n": whole,
        "t": text,
        "f": flag,
        "l": list_of(list_of(whole)),
        "m": mapping_of(mapping_of(whole)),
    }
    return [record.get(key, check) for key, check in checks.items()]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n": None}, "n is null, not a whole number from 0"),
        ({"n": True}, "n is true, not a whole number from 0"),
        ({"n": 2**127}, f"n is {2**127}, not a whole number from 0"),
        ({"t": 4}, "t is 4, not a text"),
        ({"f": "no"}, 'f is "no", not true or false'),
        ({"l": [[1], [2, -3]]}, "l[1][1] is -3, not a whole number from 0"),
        ({"l": {}}, "l is an object, not a list"),
        ({"m": {"a b": {"c": "1"}}}, 'm["a b"].c is "1", not a whole number from 0'),
        ({"m": {"x" * 60 + "-": 1}}, f'm["{"x" * 60}-"] is 1, not an object'),
        ({"m": {"\x1b[2J": []}}, 'm["\\u001b[2J"] is a list, not an object'),
        ({"t": ["y" * 99]}, "t is a list, not a text"),
        ({"n": "y" * 99}, f'n is "{"y" * 37} …, not a whole number from 0'),
    ],
)
def test_a_value_that_does_not_fit_is_named(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    values = {"schema": KIND.schema, "n": 1, "t": "x", "f": True, "l": [], "m": {}, **change}
    path = written(tmp_path, json.dumps(values))
    with pytest.raises(InputError) as refused:
        read_all(path)
    assert str(refused.value) == f"{path}: not a complete cake: {said}{REMEDY}"


def test_what_is_missing_is_named() -> None:
    record = Record({"nets": [{}, {"totals": {}}]}, "a.json", KIND)
    with pytest.raises(
        InputError, match=r"^a\.json: not a complete cake: nets\[1\]\.totals\.madds is missing; bake"
    ):
        record.records("nets")[1].record("totals").get("madds", whole)
    with pytest.raises(InputError, match=r"cake: runs is missing"):
        record.records("runs")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{\n "a" 1}', ":2:6: not a cake: not valid JSON: Expecting ':' delimiter"),
        ("[" * 100_000, ": not a cake: nested too deeply, or a number too long"),
        ('{"n": ' + "9" * 5000 + "}", ": not a cake: nested too deeply, or a number too long"),
        ("[1]", ': not a cake: it has no schema, which is "netcount/cake/1"' + REMEDY),
        ('{"schema": "x/1"}', ': not a cake: its schema is "x/1", not "netcount/cake/1"' + REMEDY),
    ],
)
def test_what_is_no_such_document_is_refused(content: str, said: str, tmp_path: Path) -> None:
    path = written(tmp_path, content)
    with pytest.raises(InputError) as refused:
        read_record(path, KIND)
    assert str(refused.value) == path + said
