"""How a net is read: one value, checked in one place, whose errors name the argument."""

from __future__ import annotations

import pickle
from typing import Any, get_type_hints

import numpy as np
import pytest

import netcount
from netcount.core.errors import Advice, Errors, InputError, MissingFileError, spelled
from netcount.core.shape import Shape
from netcount.graph.options import LoadArguments, LoadOptions
from netcount.layers.assumed import Assumption
from netcount.layers.registry import CATALOGUE
from tests.helpers import inputs

MANY = {
    "phase": "train",
    "level": np.int64(3),
    "stages": ["a", "b"],
    "batch": "4",
    "input_shapes": {"x": np.array([2, 3]), "": [5]},
    "assume": {
        "Foo": "identity",
        "bar": (1, 2),
        "baz": [(1, 2), [3]],
        "Twin": "Convolution",
        "DataParameter.x": "ignored",
        "Own": {"shape": [1, 2], "params": np.int64(3), "madds": 4},
    },
    "define": {"N": 3, "NAME": "x"},
    "catalogue": CATALOGUE.with_(),
}
KINDS = {
    "phase": str,
    "level": int,
    "stages": tuple,
    "batch": int,
    "input_shapes": dict,
    "assume": dict,
    "define": dict,
}


def test_the_arguments_are_the_options() -> None:
    assert list(LoadArguments.__annotations__) == list(LoadOptions._fields)
    assert set(get_type_hints(LoadArguments)) == set(MANY)
    options = LoadOptions.of(**MANY)  # type: ignore[arg-type]
    for name in LoadOptions._fields:
        assert getattr(options, name) != getattr(LoadOptions(), name)


def test_values_are_brought_into_one_form() -> None:
    options = LoadOptions.of(**MANY)  # type: ignore[arg-type]
    assert (options.phase, options.level, options.stages, options.batch) == ("TRAIN", 3, ("a", "b"), 4)
    assert options.input_shapes == {"x": Shape((2, 3)), "": Shape((5,))}
    assert options.assume == {
        "Foo": Assumption(),
        "bar": Assumption((Shape((1, 2)),)),
        "baz": Assumption((Shape((1, 2)), Shape((3,)))),
        "Twin": Assumption(like="Convolution"),
        "DataParameter.x": Assumption(ignored=True),
        "Own": Assumption((Shape((1, 2)),), params=3, madds=4),
    }
    assert options.define == {"N": "3", "NAME": "x"}
    assert all(type(getattr(options, name)) is kind for name, kind in KINDS.items())
    assert LoadOptions.of(batch="net").batch is None
    assert LoadOptions.of(input_shapes=None, assume=None, batch=None) == LoadOptions(batch=None)
    assert pickle.loads(pickle.dumps(LoadOptions())) == LoadOptions()


@pytest.mark.parametrize(
    ("argument", "value", "said"),
    [
        ("phase", "DEPLOY", '"TEST" or "TRAIN"'),
        ("phase", 1, '"TEST" or "TRAIN"'),
        ("level", "x", "whole number"),
        ("level", 2**31, "32 bits"),
        ("level", True, "whole number"),
        ("stages", "deploy", "list of names"),
        ("stages", [1], "a stage is a name"),
        ("batch", 2.5, "images from 1 to 2147483647"),
        ("batch", 0, "images from 1 to 2147483647"),
        ("batch", 2**31, "images from 1 to 2147483647"),
        ("batch", "2147483648", "images from 1 to 2147483647"),
        ("batch", "x", "images from 1 to 2147483647"),
        ("batch", True, "images from 1 to 2147483647"),
        ("input_shapes", "1,3,8,8", '{"data": (1, 3, 224, 224)}'),
        ("input_shapes", {"data": "1,3,8,8"}, 'of "data"'),
        ("input_shapes", {"data": (1, 2.5)}, "whole numbers"),
        ("input_shapes", {"data": (1, -1)}, "negative"),
        ("input_shapes", {"data": (1 << 16, 1 << 16)}, "INT_MAX"),
        ("input_shapes", {1: (1, 3)}, "a name is a string"),
        ("assume", {"Foo": ""}, '"Foo" is assumed to be "identity", a known type or a shape'),
        ("assume", {"Foo": []}, '"identity"'),
        ("assume", {"Foo": [(1, 2), "x"]}, "whole numbers"),
        ("assume", ["Foo"], "by name"),
        ("define", {"1N": 3}, "is a string or a number"),
        ("define", {"N": [3]}, "is a string or a number"),
        ("catalogue", {}, "netcount.Catalogue"),
    ],
)
def test_a_wrong_value_names_the_argument(argument: str, value: Any, said: str) -> None:
    arguments: Any = {argument: value}
    with pytest.raises(InputError) as refusal:
        netcount.loads(inputs(x=(1, 3)), **arguments)
    assert refusal.value.argument == argument
    assert str(refusal.value).startswith(f"{argument}: ")
    assert said in str(refusal.value)


def test_an_argument_that_there_is_not_is_a_type_error() -> None:
    with pytest.raises(TypeError, match='no argument "input_shape"; did you mean "input_shapes"'):
        netcount.loads(inputs(x=(1, 3)), input_shape={})  # type: ignore[call-arg]


def test_a_way_out_is_data_and_words() -> None:
    text = 'layer { name: "d" type: "Data" top: "x" data_param { batch_size: 2 } }'
    with pytest.raises(InputError) as refusal:
        netcount.loads(text)
    (advice,) = refusal.value.advice
    assert advice == Advice("input_shapes", "N,C,H,W", "x", "give it with")
    assert str(refusal.value).endswith('; give it with input_shapes={"x": (N, C, H, W)}')
    with pytest.raises(InputError) as refusal:
        netcount.loads(inputs(x=(1, 3)) + 'layer { name: "f" type: "Foo" bottom: "x" top: "y" }')
    assert [(one.argument, one.key, one.value) for one in refusal.value.advice] == [
        ("assume", "Foo", "identity"),
        ("assume", "f", "N,C,H,W"),
    ]


def test_an_error_travels_whole() -> None:
    from netcount.cli.flags import OPTIONS

    error = InputError("no size", argument="batch", advice=[Advice("batch", "4"), Advice("keep", "c", lead="and")])
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == 'batch: no size; try batch=4 and keep=["c"]'
    with spelled(OPTIONS):
        assert str(error) == "--batch: no size; try --batch 4 and --keep c"
    changed = error.changed("nothing", advice=[Advice("phase", "TEST")])
    assert str(changed) == 'batch: nothing; try batch=4 and keep=["c"], or try phase="TEST"'
    several = pickle.loads(pickle.dumps(Errors([error, changed])))
    assert [problem.advice for problem in several.problems] == [error.advice, changed.advice]
    missing = pickle.loads(pickle.dumps(MissingFileError("nowhere")))
    assert isinstance(missing, FileNotFoundError)
    assert (str(missing), missing.errno) == ("nowhere", 2)
