"""Variants counted the short way are those of the rescaled file, figure by figure."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import netcount
from netcount.analysis._support.resolutions import Resolution
from netcount.analysis.count import Count, count
from netcount.analysis.figures import SWEPT
from netcount.analysis.rescale import Rescaler
from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.graph.known import Known
from netcount.graph.load import load_text
from netcount.graph.options import LoadOptions
from netcount.layers.bases import Source
from netcount.layers.registry import CATALOGUE
from netcount.prototxt.message import Message
from tests.analysis.test_rescale import ALL_SAMPLES, LEGACY, V0, V1, conv
from tests.analysis.test_resolutions import FORMS
from tests.analysis.test_widths import op
from tests.cases import CASES, TOLD
from tests.helpers import SAMPLES, examples, graph_of, inputs


class Short(Rescaler):
    """A rescaler whose `counted` has to get along without the text."""

    def rescaled(self, *_: Any) -> Any:
        raise AssertionError("the text was asked")


def short_and_long(
    text: str, variant: tuple[Any, ...], shapes: Mapping[str, Shape] | None = None, keep: tuple[str, ...] = (),
    **arguments: Any,
) -> tuple[Count, Count]:  # fmt: skip
    """A variant counted the short way, and as the file that `rescale` writes, read anew."""
    options = LoadOptions.of(**arguments)
    found = Short(text, "x.prototxt", options, keep=keep, both_phases=False).counted(*variant)
    made = Rescaler(text, "x.prototxt", options, keep=keep, both_phases=False).rescaled(*variant)
    plain = options._replace(input_shapes=shapes) if shapes is not None else options
    return found, count(load_text(made.text, plain, "x.prototxt"))


def assert_same(short: Count, long: Count) -> None:
    assert short.layers == long.layers
    assert short.totals == long.totals
    assert short.net.blobs == long.net.blobs
    assert (short.net.inputs, short.net.outputs) == (long.net.inputs, long.net.outputs)
    assert (short.net.batch, short.net.complete) == (long.net.batch, long.net.complete)
    assert {figure.key: figure.of(short) for figure in SWEPT} == {figure.key: figure.of(long) for figure in SWEPT}


PINNED = [("0.25", 128, 1), ("0.77", None, 8), ("1", 288, 1), ("1.4", Resolution(256, 192), 16)]


@pytest.mark.parametrize("name", ALL_SAMPLES)
def test_every_sample_is_counted_as_its_rescaled_file(name: str) -> None:
    text = (SAMPLES / f"{name}.prototxt").read_text(encoding="utf-8")
    rescaler = Rescaler(text, both_phases=False)
    short = Short(text, both_phases=False)
    for variant in [*PINNED, *reversed(PINNED)]:  # the second time from what is known
        try:
            long = rescaler.rescaled(*variant)
        except InputError as problem:
            with pytest.raises(InputError) as other:
                rescaler.counted(*variant)
            assert str(other.value) == str(problem)
            continue
        assert_same(short.counted(*variant), count(load_text(long.text)))


SAMPLE = {
    name: (SAMPLES / f"{name}.prototxt").read_text(encoding="utf-8") for name in ("mobilenet_v1", "googlenet")
}
SHORT = {name: Short(text, both_phases=False) for name, text in SAMPLE.items()}
FACTORS = st.fractions(min_value=Fraction(1, 50), max_value=2, max_denominator=1000)


@examples(20)
@given(st.sampled_from(sorted(SAMPLE)), FACTORS, st.integers(96, 300), st.sampled_from([1, 2, 8, 16]))
def test_any_variant_is_counted_as_its_rescaled_file(name: str, width: Fraction, size: int, multiple: int) -> None:
    made = Rescaler(SAMPLE[name], both_phases=False).rescaled(width, size, multiple)
    assert_same(SHORT[name].counted(width, size, multiple), count(load_text(made.text)))


TWINS = conv("b", "a", "b", "num_output: 8 kernel_size: 3 pad: 1 group: 2") + conv(
    "c", "b", "c", "num_output: 8 kernel_size: 3 pad: 1 group: 2"
)
SHARED = "".join(
    conv(name, bottom, name, "num_output: 8 kernel_size: 3 pad: 1").replace(
        "bottom", 'param { name: "w" } bottom', 1
    )
    for name, bottom in (("b", "a"), ("c", "b"))
)
END = conv("end", "c", "end", "num_output: 9 kernel_size: 1")
X = inputs(x=(10, 3, 24, 26)) + conv("a", "x", "a", "num_output: 8 kernel_size: 3")
NETS: dict[str, tuple[str, dict[str, Any]]] = {
    "twins": (X + TWINS + END, {}),
    "declared batch": (X + TWINS + END, {"batch": "net"}),
    "shared blobs": (X + SHARED + END, {}),
    "kept": (X + TWINS + END, {"keep": ("a", "b")}),
    "in place": (X + TWINS + op("ReLU", "c", "c") + op("Dropout", "c", "c") + END, {"phase": "TRAIN"}),
    "loss": (
        X + TWINS + END + op("Reduction", "end", "sum", "loss_weight: 2"),
        {"phase": "TRAIN"},
    ),
    "assumed": (
        X + TWINS + op("Foo", "c", "foo") + END.replace('"c"', '"foo"', 1),
        {"assume": {"Foo": "identity"}},
    ),
    "taken for": (
        X.replace("Convolution", "Konvolution") + TWINS + END,
        {"assume": {"Konvolution": "Convolution"}},
    ),
    "template": (X.replace("num_output: 8", "num_output: $N$") + TWINS + END, {"define": {"N": 8}}),
    "V1": (LEGACY + V1, {}),
    "V0": (LEGACY + V0, {}),
    **{form: (text + conv("a", "x", "a", "num_output: 8 kernel_size: 3"), {}) for form, text in FORMS.items()},
}


@pytest.mark.parametrize("net", sorted(NETS))
@pytest.mark.parametrize(
    "variant", [("0.5", None, 2), ("1", Resolution(13, 17), 1), ("2.25", Resolution(31, 29), 2)]
)
def test_every_form_of_a_net_goes_the_short_way(net: str, variant: tuple[Any, ...]) -> None:
    text, arguments = NETS[net]
    assert_same(*short_and_long(text, variant, **arguments))


@pytest.mark.parametrize("source", ["layer { name: 'x' type: 'Data' top: 'x' data_param { batch_size: 1 } }", ""])
def test_sizes_that_only_the_caller_knows_go_the_short_way(source: str) -> None:
    text = source + conv("a", "x", "a", "num_output: 8 kernel_size: 3") + TWINS + END
    given, small = {"x": Shape((1, 3, 24, 26))}, {"x": Shape((1, 3, 13, 13))}
    assert_same(*short_and_long(text, ("0.5", 13, 2), small, input_shapes=given))
    assert_same(*short_and_long(text, ("0.5", None, 2), input_shapes=given))


def test_a_pooling_over_the_plane_is_read_anew() -> None:
    text = inputs(x=(1, 3, 15, 15)) + conv("a", "x", "a", "num_output: 8 kernel_size: 3 stride: 2")
    text += op("Pooling", "a", "p", "pooling_param { pool: AVE kernel_size: 7 }")
    assert_same(*short_and_long(text + conv("b", "p", "b", "num_output: 9 kernel_size: 1"), ("0.5", 31, 1)))


class Nameable(netcount.Layer):
    """A plugin's layer that looks at its name."""

    type = "Nameable"
    source = "a test"

    def read(self, message: Message) -> None: ...

    def infer(self, bottoms: Any) -> Any:
        return [bottoms[0]]

    def blobs(self, bottoms: Any) -> Any:
        return [netcount.ParamBlob(Shape((len(self.message.text("name")),)), "weight")]

    def ops(self, bottoms: Any, tops: Any) -> Any:
        return netcount.OpCount(madds=len(self.message.text("name")) * tops[0].count())

    def forward(self, bottoms: Any, blobs: Any, run: Any) -> Any: ...


def test_a_plugins_layers_answer_for_themselves() -> None:
    text = (
        X
        + TWINS
        + op("Nameable", "c", "one")
        + op("Nameable", "one", "another")
        + END.replace('"c"', '"another"', 1)
    )
    short, long = short_and_long(text, ("0.5", 16, 2), catalogue=CATALOGUE.with_(Nameable))
    assert_same(short, long)
    assert len({row.params for row in short.layers if row.type == "Nameable"}) == 2


def test_a_solver_that_names_a_net_goes_the_long_way(tmp_path: Any) -> None:
    (tmp_path / "net.prototxt").write_text(X + TWINS + END)
    solver = tmp_path / "solver.prototxt"
    solver.write_text('net: "net.prototxt" base_lr: 0.1')
    found = Rescaler.of_file(solver, both_phases=False).counted("0.5", 16, 2)
    made = Rescaler.of_file(tmp_path / "net.prototxt", both_phases=False).rescaled("0.5", 16, 2)
    assert found.totals == count(load_text(made.text)).totals


def test_what_was_known_is_forgotten_when_it_is_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netcount.graph.known.MOST", 20)
    monkeypatch.setattr("netcount.analysis._support.variants.MOST_PARTS", 5)
    monkeypatch.setattr("netcount.analysis.rescale.MOST_KEPT", 1)
    net = netcount.loads(X + TWINS + END)
    found = net.sweep(["0.5", "1", "2"], [16, 24], multiple=2)
    for variant in found.variants:
        made = net.rescale(width=variant.width, resolution=variant.resolution, multiple=2)
        assert variant.madds == count(graph_of(made.net)).totals.madds


@pytest.mark.parametrize("key", sorted(CASES))
def test_names_are_no_part_of_what_a_layer_answers(key: str) -> None:
    """What lets layers of one net answer for each other holds for every type."""
    known = Known(CATALOGUE)
    for node in netcount.loads(CASES[key], batch="net", input_shapes=TOLD.get(key, {})).nodes:
        layer = node.layer
        if isinstance(layer, Source) or not node.bottoms:
            continue
        values = dict(layer.message.values)
        for field in ("bottom", "top"):
            if field in values:
                values[field] = [f"other {name}" for name in values[field]]
        message = Message(layer.message.type, {**values, "name": "another"}, layer.message.tree)
        twin = type(layer)(message, layer.top_count, layer.phase)
        bottoms, tops = node.bottom_shapes, node.top_shapes
        assert known.key(twin, bottoms) == known.key(layer, bottoms)
        assert twin.infer(bottoms) == layer.infer(bottoms)
        assert [blob[:2] for blob in twin.blobs(bottoms)] == [blob[:2] for blob in layer.blobs(bottoms)]
        assert twin.ops(bottoms, tops) == layer.ops(bottoms, tops)
        assert twin.window(bottoms) == layer.window(bottoms)
        assert (twin.shares_bottom, twin.passes_bottom) == (layer.shares_bottom, layer.passes_bottom)
