"""Nets that Caffe would refuse, as far as they go."""

from __future__ import annotations

import pytest

from netcount.core.errors import NetcountError
from netcount.graph.load import load_text
from netcount.graph.options import LoadOptions
from netcount.graph.partial import Outline, outline_of, outline_text
from tests.helpers import CORPUS, SAMPLES, inputs, needs_corpus, public_nets

CONV = 'layer {{ name: "{0}" type: "Convolution" bottom: "{1}" top: "{0}"\n{2} convolution_param {{ {3} }} }}\n'
FINE = "num_output: 4 kernel_size: 3"


def outline(text: str, **options: object) -> Outline:
    load = LoadOptions.of(**{"batch": "net", **options})  # type: ignore[typeddict-item]
    with pytest.raises(NetcountError) as refused:
        load_text(text, load, "a.prototxt")
    return outline_text(text, load, "a.prototxt", refused.value)


def broken(found: Outline) -> dict[str, str | None]:
    return {layer.name: layer.message for layer in found.layers if layer.node is None}


NET = inputs(x=(2, 3, 9, 11)) + CONV.format("a", "x", "", FINE)


def test_what_does_not_depend_on_a_mistake_is_a_net_of_its_own() -> None:
    found = outline(
        NET + CONV.format("b", "a", "", "num_output: 4 kernel_size: 99") + CONV.format("c", "b", "", FINE)
    )
    assert [layer.name for layer in found.layers] == ["x", "a", "b", "c"]
    assert [layer.node for layer in found.layers] == [0, 1, None, None]
    assert found.graph.node("a").top_shapes == [(2, 4, 7, 9)]
    assert list(broken(found)) == ["b", "c"]
    assert "kernel 99×99" in str(broken(found)["b"])
    assert broken(found)["c"] is None, "it only depends on what is wrong"
    assert found.layers[3].bottoms == found.layers[2].tops


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('layer { name: "b" type: "Fancy" bottom: "a" top: "b" }', 'unknown layer type "Fancy"'),
        (CONV.format("b", "aa", "", FINE), 'unknown bottom "aa"'),
        (CONV.format("b", "a", "", FINE + " kernel_sze: 3"), 'no field "kernel_sze"'),
        (CONV.format("b", "a", 'param { name: "w" }', "num_output: 4") , "kernel_size"),
        ('layer { name: "b" type: "Eltwise" bottom: "a" bottom: "x" top: "b" }', "one shape"),
    ],
)  # fmt: skip
def test_every_kind_of_mistake_is_at_its_layer(text: str, said: str) -> None:
    found = outline(NET + text + CONV.format("c", "x", "", FINE))
    assert list(broken(found)) == ["b"]
    assert said in str(broken(found)["b"])
    assert [node.name for node in found.graph.nodes] == ["x", "a", "c"]


def test_several_unknown_types_have_a_message_each() -> None:
    one, two = (f'layer {{ name: "{name}" type: "{name}Type" bottom: "a" top: "{name}" }}' for name in ("P", "Q"))
    messages = broken(outline(f"{NET}{one}\n{two}"))
    assert '"PType"' in str(messages["P"])
    assert '"QType"' not in str(messages["P"])
    assert '"QType"' in str(messages["Q"])


def test_shared_params_whose_owner_is_lost_are_their_own() -> None:
    share = 'param { name: "w" } param { name: "b" }'
    text = inputs(x=(2, 3, 9, 11), y=(2, 3, 9, 11)) + CONV.format("a", "x", share, FINE)
    text += CONV.format("b", "y", share, FINE) + CONV.format("c", "y", share, FINE)
    found = outline(text.replace('type: "Convolution" bottom: "x"', 'type: "Convolution" bottom: "z"'))
    owners = [found.graph.node(name).owners for name in ("b", "c")]
    assert owners == [(None, None), ((2, 0), (2, 1))], "the first that is left"
    assert found.graph.learnable() == 4 * 3 * 9 + 4


def test_the_batch_is_changed_as_in_a_whole_net() -> None:
    assert outline(NET + CONV.format("b", "aa", "", FINE), batch=5).graph.node("a").top_shapes == [(5, 4, 7, 9)]


def test_a_text_that_cannot_be_read_has_no_outline() -> None:
    with pytest.raises(NetcountError):
        outline_text("layer {", LoadOptions(), "a", NetcountError("x"))


def test_a_whole_net_has_all_its_layers() -> None:
    net = load_text((SAMPLES / "squeezenet_v1.1.prototxt").read_text(encoding="utf-8"))
    found = outline_of(net)
    assert [layer.node for layer in found.layers] == list(range(len(net.nodes)))
    assert sum(layer.in_place for layer in found.layers) == sum(
        node.type in ("ReLU", "Dropout") for node in net.nodes
    )


@needs_corpus
def test_every_public_net_that_is_refused_has_an_outline_or_cannot_be_read() -> None:
    seen = 0
    for file in public_nets(CORPUS, 3):
        text = file.read_text(encoding="utf-8", errors="surrogateescape")
        options = LoadOptions()
        try:
            load_text(text, options, file.name)
        except NetcountError as refused:
            try:
                found = outline_text(text, options, file.name, refused)
            except NetcountError:
                continue
            seen += 1
            lost = {blob for layer in found.layers if layer.node is None for blob in layer.tops}
            for layer in found.layers:
                if layer.node is not None:
                    assert lost.isdisjoint(layer.bottoms)
    assert seen > 5
