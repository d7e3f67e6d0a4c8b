"""The words that are completed are those of the schema."""

from __future__ import annotations

from netcount.layers.registry import CATALOGUE
from netcount.prototxt.schema import fields_of
from netcount.serve.meanings import MEANINGS
from netcount.serve.vocabulary import vocabulary

WORDS = vocabulary()


def test_fields_have_their_kind_and_default() -> None:
    fields = WORDS["messages"]["ConvolutionParameter"]
    assert fields["bias_term"][:4] == ["bool", "", False, "true"]
    assert fields["kernel_size"][:4] == ["uint32", "", True, None]
    assert WORDS["messages"]["LRNParameter"]["beta"][3] == "0.75"
    assert WORDS["messages"]["LayerParameter"]["pooling_param"][:2] == ["message", "PoolingParameter"]
    assert WORDS["enums"]["PoolingParameter.PoolMethod"][:2] == ["MAX", "AVE"]


def test_every_type_is_there_with_a_line() -> None:
    assert set(WORDS["types"]) == set(CATALOGUE)
    assert all(WORDS["types"].values())


def test_a_meaning_is_of_a_field_that_there_is() -> None:
    every = {name for fields in WORDS["messages"].values() for name in fields}
    for key in MEANINGS:
        message, _, field = key.rpartition(".")
        assert field in (fields_of(message) if message else every), key
