"""The reader held to protobuf's own text parser: equal messages, and equal refusals."""

from __future__ import annotations

import re
from typing import Any

import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st

import netcount
from netcount.core.errors import InputError, NetcountError, raise_all
from netcount.prototxt.bind import bind
from netcount.prototxt.protobuf import message_class, to_protobuf
from netcount.prototxt.reader import read
from netcount.prototxt.schema import fields_of
from netcount.prototxt.schema_table import ENUMS, REQUIRED
from netcount.prototxt.tree import Source
from netcount.prototxt.unknown_fields import UnknownField, refusal
from tests.helpers import CORPUS, SAMPLES, WIDE, conformance_cases, examples, needs_corpus, needs_wide, public_nets

NET = "NetParameter"


def ours(text: str, type: str = NET) -> Any:
    """The protobuf message of our reader; InputError where it refuses."""
    problems: list[NetcountError] = []
    unknown: list[UnknownField] = []
    message = bind(read(text, "test"), type, problems, unknown)
    raise_all(problems)
    raise_all([refusal(field, None) for field in unknown])
    if _kept_for_custom_layers(message):
        raise InputError("parameter messages or types that no schema knows", message.place())
    return to_protobuf(message)


def _kept_for_custom_layers(message: Any) -> list[str]:
    """Parameter messages and V1 types that no schema knows."""
    old = message.values.get("layers", [])
    layers = [*message.values.get("layer", []), *old]
    types = {layer.text("type") for layer in old if layer.has("type")}
    return [name for layer in layers for name in layer.values if name[0] == "?"] + sorted(
        types - set(ENUMS["V1LayerParameter.LayerType"])
    )


def ours_without_unknown_fields(text: str, type: str = NET) -> Any:
    """The protobuf message of our reader, unknown fields passed over; InputError where it refuses."""
    problems: list[NetcountError] = []
    message = bind(read(text, "test"), type, problems, [])
    raise_all(problems)
    return to_protobuf(message)


def theirs(text: str, type: str = NET) -> Any:
    """The message of protobuf's parser; ParseError where it refuses."""
    return text_format.Parse(text, message_class(type)())


def both_refuse_or_agree(text: str, type: str = NET) -> bool:
    """Hold one text to both; whether it was accepted.

    Protobuf's Python parser takes -0 for an unsigned 0 or for false, its C++ parser does not.
    """
    if re.search(r"-\s*0", text):
        return False
    try:
        expected = theirs(re.sub(r"-\s+(?=[\w.])", "-", text), type)  # C++ allows space behind a minus
    except (text_format.ParseError, DeprecationWarning):  # the latter for escapes C does not have
        with pytest.raises(InputError):
            ours(text, type)
        return False
    assert ours(text, type) == expected
    return True


def passed_over_alike(text: str) -> bool:
    """Hold one text to both, unknown fields passed over; whether protobuf then accepts it."""
    try:
        expected = text_format.Parse(text, message_class(NET)(), allow_unknown_field=True)
    except (text_format.ParseError, DeprecationWarning):
        return False
    assert ours_without_unknown_fields(text) == expected
    return True


@pytest.mark.parametrize(
    "text",
    [
        "foo: 1 name: 'x'",
        "layer { foo: 'a' 'b' name: 'x' bar: [1, 2] }",
        "layer { foo_param { a: -1.5 b { c: TRUE } } name: 'x' }",
        "layer { convolution_param { pad: 1 foo < x: 1 > kernel_size: 3 } }",
    ],
)
def test_unknown_fields_are_passed_over_as_protobuf_does_it(text: str) -> None:
    assert passed_over_alike(text)


@needs_wide
def test_public_nets_with_unknown_fields_read_as_protobuf_reads_them() -> None:
    files = public_nets(WIDE, 8)
    accepted = [file.name for file in files if passed_over_alike(file.read_text("utf-8", errors="replace"))]
    assert len(accepted) > 0.9 * len(files)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.prototxt")), ids=lambda p: p.stem)
def test_samples_read_as_protobuf_reads_them(path: Any) -> None:
    text = path.read_text(encoding="utf-8")
    assert ours(text) == theirs(text)


@needs_corpus
@pytest.mark.parametrize("path", sorted((CORPUS / "nets").glob("*")), ids=lambda p: p.name)
def test_corpus_reads_as_protobuf_reads_it(path: Any) -> None:
    both_refuse_or_agree(path.read_text(encoding="utf-8", errors="replace"))


@pytest.mark.parametrize("case", conformance_cases(), ids=lambda c: str(c["name"]))
def test_conformance_reads_as_protobuf_reads_it(case: dict[str, Any]) -> None:
    both_refuse_or_agree(case["prototxt"])


FORMS = [
    "",
    "# only a comment",
    "name: 'a' 'b' \"c\"",
    'name: "a" # then\n "b"',
    'name: "a\\n\\t\\"\\\\\\101\\x41"',
    'name: "caf\\303\\251"',
    "name: 'it\"s'; input: \"x\", input: 'y'",
    "input: ['a', \"b\" 'c']",
    "input: []",
    "input_dim: [1, 2,3]",
    "input_dim: 0x10 input_dim: 010 input_dim: -5 input_dim: 0",
    "force_backward: true debug_info: 1",
    "force_backward: t debug_info: False",
    "layer { name: 'x' }",
    "layer: { name: 'x' }",
    "layer < name: 'x' >",
    "layer: < name: 'x' >;",
    "layer [{ name: 'x' }, < name: 'y' >]",
    "layer: [{ name: 'x' param [{ name: 'w' }, {}] }]",
    "layer { phase: TEST } layer { phase: 1 }",
    "layer { dropout_param { dropout_ratio: .5 } }",
    "layer { dropout_param { dropout_ratio: 1. } }",
    "layer { dropout_param { dropout_ratio: 1e-3 } }",
    "layer { dropout_param { dropout_ratio: 5e-1f } }",
    "layer { dropout_param { dropout_ratio: 2 } }",
    "layer { dropout_param { dropout_ratio: -inf } }",
    "layer { dropout_param { dropout_ratio: 1e999 } }",
    "layer { include { min_level: -2147483648 } }",
    "state { stage: 'a', stage: 'b'; level: 3 }",
]
REFUSED = [
    "nam: 'x'",
    "name 'x'",
    "name: x",
    "name: 5",
    "name: 'a' name: 'b'",
    "name: 'a",
    "name: 'a\nb'",
    "name: 'a\\q'",
    "name: ",
    "name:: 'a'",
    ": 'a'",
    "layer {",
    "layer { name: 'x' ",
    "layer }",
    "layer { > ",
    "layer < name: 'x' }",
    "layer: 5",
    "layer 'x'",
    "input ['a']",
    "input: ['a'",
    "input: ['a',]",
    "input: ['a' 5]",
    "name: ['a']",
    "input_dim: 1.5",
    "input_dim: 4294967296",
    "input_dim: 08",
    "input_dim: 0x",
    "input_dim: --1",
    "input_dim: one",
    "input_dim: 1e3",
    "layer { convolution_param { num_output: -1 } }",
    "layer { phase: TESTING }",
    "layer { phase: 7 }",
    "layer { dropout_param { dropout_ratio: 010 } }",
    "layer { dropout_param { dropout_ratio: 0x10 } }",
    "layer { dropout_param { dropout_ratio: half } }",
    "force_backward: yes",
    "force_backward: 2",
    "name: 'a';; force_backward: true",
    "\x00",
    "name: 'a' $",
    "\ufeffname: 'a'",
    "input_dim: 1input_dim: 2",
    "state { phase: TEST } state { phase: TEST }",
]


UNLIKE_PYTHON = [
    "force_backward: -0",
    "layer { convolution_param { num_output: -0 } }",
    "layer { convolution_param { num_output: - 0x0 } }",
    "name: 'a\0b'",
    "# \0\nname: 'a'",
]
"""What protobuf's C++ parser, which Caffe reads with, refuses though the Python one does not."""


@pytest.mark.parametrize("text", UNLIKE_PYTHON)
def test_the_stricter_cpp_parser_is_followed(text: str) -> None:
    with pytest.raises(InputError):
        ours(text)


def test_the_laxer_cpp_parser_is_followed() -> None:
    assert ours("input_dim: -0 layer { phase: -0 }").layer[0].phase == 0
    assert ours("layer { blobs { raw_data: '\\400\\777' } }").layer[0].blobs[0].raw_data == b"\0\xff"


@pytest.mark.parametrize("text", FORMS)
def test_each_form_is_accepted_as_by_protobuf(text: str) -> None:
    assert ours(text) == theirs(text)


@pytest.mark.parametrize("text", REFUSED)
def test_each_mistake_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(InputError) as refusal:
        ours(text)
    problems = getattr(refusal.value, "problems", [refusal.value])
    assert all(problem.place and problem.place.line >= 1 for problem in problems)


def _messages(type: str, depth: int) -> st.SearchStrategy[Any]:
    """Protobuf messages of a type with any of its fields set."""
    return st.builds(
        _made,
        st.just(type),
        st.dictionaries(st.sampled_from(sorted(fields_of(type))), st.integers(0, 2**32), max_size=6),
        st.just(depth),
    )


def _made(type: str, chosen: dict[str, int], depth: int) -> Any:
    message = message_class(type)()
    for name, seed in chosen.items():
        _, kind, type_name, repeated, _ = fields_of(type)[name]
        if kind == "message":
            if depth:
                inner_names = sorted(fields_of(type_name))
                inner = _made(type_name, {inner_names[seed % len(inner_names)]: seed // 7}, depth - 1)
                target = getattr(message, name)
                (target.add() if repeated else target).CopyFrom(inner)
            continue
        value: Any = {
            "string": f"n{seed} \"'\\\n\x01é",
            "bytes": bytes((seed % 256, 34, 92)),
            "bool": bool(seed % 2),
            "float": (seed - 2**31) / 977.0,
            "double": (seed - 2**31) / 977.0,
            "enum": list(ENUMS.get(type_name, {"": 0}).values())[seed % len(ENUMS.get(type_name, " "))],
        }.get(kind, seed % 2**31)
        if repeated:
            getattr(message, name).extend([value, value])
        else:
            setattr(message, name, value)
    for name in REQUIRED.get(type, ()):
        setattr(message, name, getattr(message, name))  # set, though it be to the default
    return message


@examples(200)
@given(_messages("LayerParameter", 2))
def test_generated_messages_come_back_equal(layer: Any) -> None:
    net = message_class(NET)()
    net.layer.add().CopyFrom(layer)
    for style in ({}, {"as_one_line": True}, {"use_short_repeated_primitives": True}):
        text = text_format.MessageToString(net, **style)
        assert ours(text) == net


SOURCES = [case["prototxt"] for case in conformance_cases()[::7]]


@examples(400)
@given(
    st.sampled_from(SOURCES),
    st.integers(0, 10**6),
    st.sampled_from(list("{}<>[]:;,\"'#-.x0 \n\\")),
    st.sampled_from(["put", "cut", "set"]),
)
def test_mutated_nets_are_judged_as_by_protobuf(text: str, at: int, piece: str, how: str) -> None:
    position = at % (len(text) + 1)
    end = position + (how != "put")
    both_refuse_or_agree(text[:position] + ("" if how == "cut" else piece) + text[end:])


@examples(200)
@given(st.one_of(st.text(max_size=60), st.text("{}<>[]:;,\"'#-.x0 \n\\layername", max_size=40)))
def test_noise_makes_an_input_error_or_a_net(text: str) -> None:
    try:
        netcount.loads(f"{text}\n")
    except InputError as refusal:
        assert str(refusal)


@pytest.mark.parametrize("place", ["", "include { phase: TRAIN }"])
def test_a_message_without_a_required_field_is_refused_wherever_it_stands(place: str) -> None:
    text = f'layer {{ name: "r" type: "ReLU" {place} clip_param {{ max: 6 }} }}'
    with pytest.raises(InputError, match=r'test:1:.*ClipParameter needs the field "min"'):
        ours(text)


def test_deeply_nested_input_is_refused_without_a_traceback() -> None:
    for text in ("layer {" * 100_000, "layer [{" * 100_000, "a: [{b " * 5000, "[" * 10**5):
        with pytest.raises(InputError):
            netcount.loads(text + "\n{")


def test_several_mistakes_are_told_together_in_order() -> None:
    text = 'layer { nme: "a" }\nlayer { type: 5 }\nlayer { convolution_param { num_outputs: 3 } }\n'
    with pytest.raises(InputError) as refusal:
        netcount.loads(text)
    lines = str(refusal.value).splitlines()
    assert [line.split(":")[1] for line in lines] == ["1", "2", "3"]
    assert 'did you mean "name"?' in lines[0]
    assert 'did you mean "num_output"?' in lines[2]


def test_the_escaped_question_mark_of_c_is_known() -> None:
    assert ours('name: "a\\?b"').name == "a?b"


def test_places_can_be_asked_in_any_order() -> None:
    source = Source("a\n\nbc\n d\n", "t")
    places = {offset: source.place(offset)[1:] for offset in (7, 0, 5, 3, 4, 2, 6, 1, 8)}
    assert [places[offset] for offset in range(9)] == [
        *((1, 1), (1, 2), (2, 1), (3, 1), (3, 2), (3, 3), (4, 1), (4, 2), (4, 3))
    ]


def test_places_are_lines_and_columns_from_one() -> None:
    tree = read('name: "x"\n\n  layer {\n    name: "y" }', "f")
    assert [tuple(tree.place(at))[1:] for _, _, at in tree.fields] == [(1, 1), (3, 3)]
