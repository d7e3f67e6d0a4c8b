"""The language of rules: values, kinds, mistakes with their column, and a bound on work."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcount.core.errors import InputError, Place
from netcount.targets.expressions import (
    BOOL,
    LIST,
    NUMBER,
    TEXT,
    Absent,
    Expression,
    Function,
    Machine,
    Value,
    Vocabulary,
    parse,
    short_form,
)
from tests.helpers import examples

PLACE = Place("p.toml", 3, 10)
VALUES: dict[str, Value] = {"a": 7, "b": 3, "half": Fraction(1, 2), "t": "MAX", "yes": True, "l": (1, -1)}
KINDS = {
    "a": NUMBER,
    "b": NUMBER,
    "none": NUMBER,
    "half": NUMBER,
    "t": TEXT,
    "yes": BOOL,
    "l": LIST,
    "x.y": NUMBER,
}


def vocabulary(**functions: Function) -> Vocabulary:
    return Vocabulary(KINDS.get, tuple(KINDS), functions, {"has": BOOL})


def scope(name: str, given: tuple[str, ...]) -> Value | None:
    return bool(given) if name == "has" else VALUES.get(name)


def value(text: str, **functions: Function) -> Value:
    return Machine(scope, "the test").value(parse(text, PLACE, vocabulary(**functions)))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("7 // 2 - 7 % 3", 2),
        ("- -a - -b", 10),
        ("-7 // 2", -4),
        ("ceil_div(a, b) + min(a, b) + max(a, b, 9)", 15),
        ("max(l) - min(l)", 2),
        ("1 < b < a <= 7", True),
        ("1 < b < a < 7", False),
        ("a == 7 and not b == 7 or false", True),
        ("not not yes", True),
        ("half == 0.5", True),
        ('t == \'MAX\' and t in ("AVE", "MAX")', True),
        ("a in (1, b + 4,)", True),
        ("l in (1, -1)", True),
        ("l in (1, 2)", False),
        ("1 if a > b else 2 if yes else 3", 1),
        ("b if a < b else -b if yes else 3", -3),
        ("true or none == 1", True),
        ("has(x.y)", True),
    ],
)
def test_values(text: str, wanted: Value) -> None:
    assert value(text) == wanted
    assert value(f"({text})") == wanted


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("", 10, "a value is missing at the end"),
        ("1 +", 13, "a value is missing at the end"),
        ("1 + )", 14, 'a value is missing before ")"'),
        ("(1 + 2", 16, '")" is missing at the end'),
        ("1 2", 12, '"2" is not expected here'),
        ("a & b", 12, "'&' has no meaning here"),
        ("a ** b", 13, 'a value is missing before "*"'),
        ("kernel == 3", 10, 'there is no figure "kernel"'),
        ("aa == 3", 10, 'there is no figure "aa"'),
        ("a == 'x'", 15, "'x' is a text, not a number"),
        ("t < 'x'", 10, "t is a text, not a number"),
        ("a and yes", 10, "a is a number, not true or false"),
        ("yes + 1", 10, "yes is true or false, not a number"),
        ("l == 3", 15, "3 is a number, not a list"),
        ("a in 3", 15, '"(" is missing before "3"'),
        ("a in (3, 'x')", 19, "'x' is a text, not a number"),
        ("ceil_div(a)", 10, "ceil_div takes 2 values, not 1"),
        ("celi_div(a, b)", 10, 'there is no function "celi_div"; did you mean "ceil_div"?'),
        ("has(a)", 14, "has takes a field"),
        ("1 if a else 2", 15, "a is a number, not true or false"),
        ("1 if yes else t", 24, "t is a text, not a number"),
        ("1 if yes", 18, '"else" is missing at the end'),
        ("__import__('os')", 10, 'there is no function "__import__"'),
        ("a.__class__", 10, 'there is no figure "a.__class__"'),
        ("(" * 50 + "1" + ")" * 50, 50, "nested too deeply"),
        ("1 + " * 600 + "1", 10, "at most 2000 characters"),
    ],
)
def test_a_mistake_has_its_column(text: str, column: int, said: str) -> None:
    with pytest.raises(InputError) as caught:
        value(text)
    assert said in caught.value.what
    assert caught.value.place == Place("p.toml", 3, column)


def test_a_figure_that_is_not_there_is_told() -> None:
    with pytest.raises(Absent, match="none"):
        value("none == 1")


@pytest.mark.parametrize("text", ["a // (b - 3) == 1", "a % 0", "ceil_div(a, 0)"])
def test_a_division_by_zero_is_a_mistake_of_the_profile(text: str) -> None:
    with pytest.raises(InputError, match="a division by zero for the test") as caught:
        value(text)
    assert caught.value.place == PLACE


def doubling(times: int) -> dict[str, Function]:
    """f1(n) = n + n, f2(n) = f1(n) + f1(n), …: 2^times steps."""
    functions: dict[str, Function] = {}
    for index in range(times):
        inner = f"f{index - 1}(n)" if index else "n"
        words = Vocabulary(lambda name: NUMBER if name == "n" else None, ("n",), dict(functions))
        functions[f"f{index}"] = Function(("n",), parse(f"{inner} + {inner}", PLACE, words))
    return functions


def test_work_has_a_bound() -> None:
    assert value("f5(a)", **doubling(6)) == 7 * 64
    with pytest.raises(InputError, match="more than 5000 steps"):
        value("f39(a)", **doubling(40))


def test_numbers_have_a_bound() -> None:
    with pytest.raises(InputError, match="a number too large"):
        value(" * ".join(["99999999999999999999"] * 20))


def short(figures: str, *texts: str) -> Expression:
    return short_form(tuple(figures.split()), texts, PLACE, vocabulary())


@pytest.mark.parametrize(
    ("figures", "texts", "wanted"),
    [
        ("a", ["1..7"], True),
        ("a", ["1..6"], False),
        ("a b", ["3.."], True),
        ("a b", ["..6"], False),
        ("a b", ["3", "7"], True),
        ("a b", ["3"], False),
        ("a", ["1", "b + 4"], True),
        ("a", ["1..b", "b..2 * b + 1"], True),
        ("t", ["AVE", "MAX"], True),
        ("t", ["AVE"], False),
        ("half", ["0.5"], True),
        ("yes", ["true"], True),
    ],
)
def test_short_forms(figures: str, texts: list[str], wanted: bool) -> None:
    expression = short(figures, *texts)
    assert Machine(scope, "the test").holds(expression) is wanted
    assert expression.text == " or ".join(texts)


@pytest.mark.parametrize(
    ("figures", "text", "said"),
    [
        ("a", "..", "has neither end"),
        ("a", "1..t", "an end of a range is a number"),
        ("yes", "1..2", "a range is for numbers"),
        ("a", "t", "a is a number, and t is a text"),
        ("a", "1..x", 'there is no figure "x"'),
    ],
)
def test_a_short_form_that_is_none(figures: str, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        short(figures, text)
    assert caught.value.place is not None


@examples(200)
@given(st.text(alphabet="ab1290 .,()<>=!+-*/%'\"andorntief_", max_size=60))
def test_any_text_is_an_expression_or_a_mistake_with_a_place(text: str) -> None:
    try:
        value(text)
    except Absent:
        pass
    except InputError as problem:
        assert problem.place is not None
        assert problem.place.line == 3


@examples(100)
@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(1, 50))
def test_arithmetic_is_pythons(a: int, b: int, c: int) -> None:
    text = f"{a} * {b} - {a} // {c} + {b} % {c} + ceil_div({a}, {c})"
    assert value(text) == a * b - a // c + b % c - (-a // c)
