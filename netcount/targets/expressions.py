"""Expressions over a layer's figures, as the rules of a profile write them.

A language of its own, small enough to be bounded: whole numbers and decimals (exact), text, `+ - * // %`,
comparisons (chained, as in mathematics), `in (…)`, `and or not`, `a if c else b`, and calls of functions.
There are no loops, and the steps and the size of numbers have a bound, so no profile can hold anybody up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import NamedTuple, NoReturn, TypeAlias

from netcount.core.errors import InputError, Place
from netcount.core.suggest import nearest

MAX_TEXT = 2000
MAX_DEPTH = 40
MAX_STEPS = 5000
MAX_NUMBER = 2**200

Value: TypeAlias = "int | Fraction | bool | str | tuple[int | Fraction | str, ...]"

NUMBER, TEXT, BOOL, LIST = "a number", "a text", "true or false", "a list"
"""The kinds of values, as messages call them."""

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)|(?P<text>\"[^\"]*\"|'[^']*')"
    r"|(?P<sign>//|<=|>=|==|!=|[-+*%<>(),]))",
    re.ASCII,
)
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
_WORDS = frozenset({"and", "or", "not", "in", "if", "else", "true", "false"})


class Term(NamedTuple):
    """A part of an expression.

    op: "value", "name", "call", "ask", or the operator.  start, end: in the text.  arguments: of "ask", fields
    or types.
    """

    op: str
    kind: str
    start: int
    end: int
    parts: tuple[Term, ...] = ()
    value: Value = 0
    name: str = ""
    arguments: tuple[str, ...] = ()

    def leaves(self) -> tuple[Term, ...]:
        """The names and questions in it, in the order of the text."""
        own = (self,) if self.op in ("name", "ask") else ()
        return (*own, *(leaf for part in self.parts for leaf in part.leaves()))


class Function(NamedTuple):
    """A function that a profile defines: `body` over its arguments."""

    arguments: tuple[str, ...]
    body: Expression


class Vocabulary(NamedTuple):
    """What an expression may speak of.

    kind_of: the kind of a name's value, None for a name that means nothing.  names: for suggestions.
    functions: those of the profile.  asks: functions of the vocabulary's own over texts (`after("ReLU")`)
    or fields (`has(slice_param.slice_point)`), and what they give.
    """

    kind_of: Callable[[str], str | None]
    names: tuple[str, ...]
    functions: Mapping[str, Function] = {}
    asks: Mapping[str, str] = {}


class Expression(NamedTuple):
    """A parsed expression.  place: where its text begins in the profile."""

    text: str
    term: Term
    place: Place
    functions: Mapping[str, Function] = {}

    def part(self, term: Term) -> str:
        """The text of one part."""
        return self.text[term.start : term.end].strip()


class Absent(Exception):
    """A figure has no value for this layer."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


Scope: TypeAlias = "Callable[[str, tuple[str, ...]], Value | None]"
"""The value of a name, or of a call of one of the vocabulary's functions with these arguments; None: absent."""


def parse(text: str, place: Place, vocabulary: Vocabulary, wanted: str | None = None) -> Expression:
    """An expression, its names and kinds checked.

    Args:
        text: What the profile says.
        place: Where the text begins.
        vocabulary: What it may speak of.
        wanted: The kind that it has to have.

    Raises:
        InputError: It is none; the place says where in the text.
    """
    parser = _Parser(text, place, vocabulary)
    term = parser.whole()
    if wanted is not None and term.kind != wanted:
        parser.wrong(f"this is {term.kind}; needed is {wanted}", term.start)
    return Expression(text, term, place, vocabulary.functions)


def short_form(
    figures: tuple[str, ...], texts: tuple[str, ...], place: Place, vocabulary: Vocabulary
) -> Expression:
    """A rule in short form as an expression: each figure has to be one of the alternatives.

    An alternative is a range `1..7`, `..7`, `2..`, or a value: a number, another figure, an expression; of a
    figure that is a text, the text.
    """
    figure = [_Parser(name, place, vocabulary).whole() for name in figures]
    whole = " or ".join(texts)
    shift = 0
    parts: list[list[Term]] = [[] for _ in figures]
    for text in texts:
        low, dots, high = text.partition("..")
        for name, choices in zip(figure, parts, strict=True):
            if name.kind == TEXT:
                choices.append(_compared("==", name, Term("value", TEXT, shift, shift + len(text), value=text)))
            elif dots:
                if name.kind != NUMBER:
                    raise InputError(f"{name.name} is {name.kind}; a range is for numbers", place)
                sides = [
                    _compared(op, name, _shifted(_side(end, place, at, vocabulary), shift + at))
                    for op, end, at in ((">=", low, 0), ("<=", high, len(low) + 2))
                    if end.strip()
                ]
                if not sides:
                    raise InputError(f'"{text}" has neither end; write 1..7, ..7 or 2..', place)
                choices.append(_joined("and", sides))
            else:
                other = _Parser(text, place, vocabulary).whole()
                if {other.kind, name.kind} & {LIST} or other.kind != name.kind:
                    raise InputError(f"{name.name} is {name.kind}, and {text} is {other.kind}", place)
                choices.append(_compared("==", name, _shifted(other, shift)))
        shift += len(text) + len(" or ")
    return Expression(whole, _joined("and", [_joined("or", one) for one in parts]), place, vocabulary.functions)


def _side(text: str, place: Place, at: int, vocabulary: Vocabulary) -> Term:
    parser = _Parser(text, _moved(place, at), vocabulary)
    term = parser.whole()
    if term.kind != NUMBER:
        parser.wrong(f"an end of a range is {NUMBER}, not {term.kind}", term.start)
    return term


def _compared(op: str, left: Term, right: Term) -> Term:
    return Term("compare", BOOL, right.start, right.end, (left, right), value=op)


def _joined(op: str, terms: list[Term]) -> Term:
    if len(terms) == 1:
        return terms[0]
    return Term(op, BOOL, terms[0].start, terms[-1].end, tuple(terms))


def _shifted(term: Term, by: int) -> Term:
    return term._replace(
        start=term.start + by, end=term.end + by, parts=tuple(_shifted(part, by) for part in term.parts)
    )


def _moved(place: Place, by: int) -> Place:
    return place._replace(column=place.column + by) if place.column else place


class _Parser:
    """Reads one text."""

    def __init__(self, text: str, place: Place, vocabulary: Vocabulary) -> None:
        self.text, self.place, self.vocabulary = text, place, vocabulary
        self.tokens: list[tuple[str, str, int, int]] = []
        self.at = self.depth = 0
        if len(text) > MAX_TEXT:
            self.wrong(f"an expression has at most {MAX_TEXT} characters", 0)
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                position += len(text[position:]) - len(text[position:].lstrip())
                self.wrong(f"{text[position]!r} has no meaning here", position)
            group = match.lastgroup
            kind = "word" if group == "name" and match[group] in _WORDS else group
            self.tokens.append((kind, match[group], match.start(group), match.end(group)))
            position = match.end()
        self.tokens.append(("end", "", len(text), len(text)))

    def wrong(self, message: str, offset: int) -> NoReturn:
        raise InputError(f'in "{self.text}": {message}', _moved(self.place, offset))

    def whole(self) -> Term:
        term = self.choice()
        kind, word, start, _ = self.tokens[self.at]
        if kind != "end":
            self.wrong(f'"{word}" is not expected here', start)
        return term

    def taken(self, *words: str) -> str | None:
        """The next token, taken, where it is one of these signs or words."""
        kind, word, _, _ = self.tokens[self.at]
        if kind in ("sign", "word") and word in words:
            self.at += 1
            return word
        return None

    def expected(self, word: str) -> None:
        if self.taken(word) is None:
            _, there, start, _ = self.tokens[self.at]
            self.wrong(f'"{word}" is missing' + (f' before "{there}"' if there else " at the end"), start)

    def kinds(self, wanted: str, *terms: Term) -> None:
        for term in terms:
            if term.kind != wanted:
                self.wrong(f"{self.text[term.start : term.end].strip()} is {term.kind}, not {wanted}", term.start)

    def choice(self) -> Term:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.wrong("parentheses are nested too deeply", self.tokens[self.at][2])
        term = self.either()
        if self.taken("if"):
            condition = self.either()
            self.expected("else")
            other = self.choice()
            self.kinds(BOOL, condition)
            self.kinds(term.kind, other)
            term = Term("if", term.kind, term.start, other.end, (condition, term, other))
        self.depth -= 1
        return term

    def either(self) -> Term:
        return self.chain("or", self.both)

    def both(self) -> Term:
        return self.chain("and", self.negated)

    def chain(self, word: str, inner: Callable[[], Term]) -> Term:
        terms = [inner()]
        while self.taken(word):
            terms.append(inner())
        if len(terms) > 1:
            self.kinds(BOOL, *terms)
        return _joined(word, terms)

    def negated(self) -> Term:
        start = self.tokens[self.at][2]
        number = 0
        while self.taken("not"):
            number += 1
        term = self.comparison()
        if not number:
            return term
        self.kinds(BOOL, term)
        return Term("not", BOOL, start, term.end, (term,)) if number % 2 else term

    def comparison(self) -> Term:
        left = self.sum()
        if self.taken("in"):
            return self.membership(left)
        links = []
        while (sign := self.taken(*_COMPARISONS)) is not None:
            right = self.sum()
            if sign in ("==", "!="):
                self.kinds(left.kind, right)
                if left.kind == LIST:
                    self.wrong(f"{left.name} is a list; write {left.name} in (…)", left.start)
            else:
                self.kinds(NUMBER, left, right)
            links.append(Term("compare", BOOL, left.start, right.end, (left, right), value=sign))
            left = right
        return _joined("and", links) if links else left

    def membership(self, left: Term) -> Term:
        self.expected("(")
        members = [self.sum()]
        while self.taken(",") and self.tokens[self.at][1] != ")":
            members.append(self.sum())
        end = self.tokens[self.at][3]
        self.expected(")")
        kind = members[0].kind if left.kind == LIST else left.kind
        self.kinds(kind, *members)
        return Term("in", BOOL, left.start, end, (left, *members))

    def sum(self) -> Term:
        return self.arithmetic(("+", "-"), self.product)

    def product(self) -> Term:
        return self.arithmetic(("*", "//", "%"), self.signed)

    def arithmetic(self, signs: tuple[str, ...], inner: Callable[[], Term]) -> Term:
        term = inner()
        while (sign := self.taken(*signs)) is not None:
            right = inner()
            self.kinds(NUMBER, term, right)
            term = Term(sign, NUMBER, term.start, right.end, (term, right))
        return term

    def signed(self) -> Term:
        start = self.tokens[self.at][2]
        number = 0
        while self.taken("-"):
            number += 1
        term = self.atom()
        if number:
            self.kinds(NUMBER, term)
            term = Term("neg", NUMBER, start, term.end, (term,)) if number % 2 else term
        return term

    def atom(self) -> Term:
        kind, word, start, end = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            value = Fraction(word) if "." in word else int(word)
            return Term("value", NUMBER, start, end, value=value)
        if kind == "text":
            return Term("value", TEXT, start, end, value=word[1:-1])
        if word in ("true", "false"):
            return Term("value", BOOL, start, end, value=word == "true")
        if word == "(":
            term = self.choice()
            self.expected(")")
            return term
        if kind == "name":
            return self.call(word, start) if self.taken("(") else self.named(word, start, end)
        self.at -= 1
        self.wrong(f'a value is missing before "{word}"' if word else "a value is missing at the end", start)

    def named(self, word: str, start: int, end: int) -> Term:
        kind = self.vocabulary.kind_of(word)
        if kind is None:
            hint = nearest(word, self.vocabulary.names)
            self.wrong(f'there is no figure "{word}"{hint}', start)
        return Term("name", kind, start, end, name=word)

    def call(self, word: str, start: int) -> Term:
        if word in self.vocabulary.asks:
            return self.question(word, start)
        given = [self.choice()]
        while self.taken(","):
            given.append(self.choice())
        end = self.tokens[self.at][3]
        self.expected(")")
        function = self.vocabulary.functions.get(word)
        wanted = 2 if word == "ceil_div" else None
        if function is not None:
            wanted = len(function.arguments)
        elif word not in _BUILT_IN:
            known = (*_BUILT_IN, *self.vocabulary.functions, *self.vocabulary.asks)
            self.wrong(f'there is no function "{word}"{nearest(word, known)}', start)
        if wanted is not None and len(given) != wanted:
            self.wrong(f"{word} takes {wanted} values, not {len(given)}", start)
        if word in ("min", "max") and len(given) == 1:
            self.kinds(LIST, *given)
        else:
            self.kinds(NUMBER, *given)
        kind = function.body.term.kind if function else NUMBER
        return Term("call", kind, start, end, tuple(given), name=word)

    def question(self, word: str, start: int) -> Term:
        given: list[str] = []
        while not given or self.taken(","):
            kind, text, at, _ = self.tokens[self.at]
            self.at += 1
            if kind == "name" and "." in text and self.vocabulary.kind_of(text) is not None:
                given.append(text)
            elif kind == "text":
                given.append(text[1:-1])
            else:
                self.wrong(f"{word} takes a field such as slice_param.axis, or a type in quotes", at)
        end = self.tokens[self.at][3]
        self.expected(")")
        return Term("ask", self.vocabulary.asks[word], start, end, name=word, arguments=tuple(given))


_BUILT_IN = ("ceil_div", "min", "max")


class Machine:
    """Evaluates expressions for one layer, within a bound on the steps of each."""

    scope: Scope
    of: str

    def __init__(self, scope: Scope, of: str) -> None:
        """scope: the values of names.  of: what is evaluated, for messages."""
        self.scope, self.of = scope, of

    def value(self, expression: Expression) -> Value:
        """Its value.  Absent where a figure has none; InputError where it cannot be computed."""
        return _Run(self, expression).value(expression.term, self.scope)

    def holds(self, expression: Expression) -> bool:
        """Whether it is true."""
        return bool(self.value(expression))

    def number(self, expression: Expression) -> int:
        """A number's value, rounded down."""
        value = self.value(expression)
        assert isinstance(value, (int, Fraction))  # its kind was checked
        return value.__floor__()

    def part(self, expression: Expression, term: Term) -> Value:
        """The value of one part."""
        return _Run(self, expression).value(term, self.scope)

    def failing(self, expression: Expression, term: Term | None = None) -> Term:
        """The first part of a chain of `and` that is false; the whole, where that is no chain."""
        term = term or expression.term
        if term.op == "and":
            for part in term.parts:
                if not self.part(expression, part):
                    return self.failing(expression, part)
        return term


class _Run:
    """One evaluation."""

    def __init__(self, machine: Machine, expression: Expression) -> None:
        self.machine, self.expression, self.steps = machine, expression, 0

    def wrong(self, message: str) -> InputError:
        text = f'"{self.expression.text}": {message} for {self.machine.of}'
        return InputError(text, self.expression.place)

    def value(self, term: Term, scope: Scope) -> Value:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise self.wrong(f"more than {MAX_STEPS} steps")
        if term.op == "value":
            return term.value
        if term.op in ("name", "ask"):
            given = scope(term.name, term.arguments)
            if given is None:
                raise Absent(term.name)
            return given
        if term.op in ("and", "or"):
            ends = term.op == "or"
            return ends if any(bool(self.value(part, scope)) is ends for part in term.parts) else not ends
        if term.op == "if":
            condition, then, other = term.parts
            return self.value(then if self.value(condition, scope) else other, scope)
        values = [self.value(part, scope) for part in term.parts]
        if term.op == "not":
            return not values[0]
        if term.op == "compare":
            return _compare(str(term.value), *values)
        if term.op == "in":
            mine, *members = values
            return all(one in members for one in mine) if isinstance(mine, tuple) else mine in members
        if term.op == "call" and (function := self.expression.functions.get(term.name)) is not None:
            names = dict(zip(function.arguments, values, strict=True))
            return self.value(
                function.body.term, lambda name, given: names[name] if name in names else scope(name, given)
            )
        return self.within(self.arithmetic(term, values))

    def arithmetic(self, term: Term, values: list[Value]) -> int | Fraction:
        if term.name in ("min", "max") and term.op == "call":
            values = [*values[0]] if isinstance(values[0], tuple) else values
        numbers = [value for value in values if isinstance(value, (int, Fraction))]
        if term.name in ("min", "max") and term.op == "call":
            if not numbers:
                raise Absent(term.leaves()[0].name)
            return min(numbers) if term.name == "min" else max(numbers)
        if term.op == "neg":
            return -numbers[0]
        left, right = numbers
        if term.op in ("//", "%") or term.op == "call":
            if not right:
                raise self.wrong("a division by zero")
            if term.op == "%":
                return left % right
            return -(-left // right) if term.op == "call" else left // right
        if term.op == "*":
            return left * right
        return left + right if term.op == "+" else left - right

    def within(self, value: int | Fraction) -> int | Fraction:
        if not -MAX_NUMBER < value < MAX_NUMBER:
            raise self.wrong("a number too large")
        return value


def _compare(sign: str, left: Value, right: Value) -> bool:
    if sign in ("==", "!="):
        return (left == right) is (sign == "==")
    assert isinstance(left, (int, Fraction))  # kinds are checked
    assert isinstance(right, (int, Fraction))
    if sign == "<":
        return left < right
    if sign == "<=":
        return left <= right
    return left > right if sign == ">" else left >= right
