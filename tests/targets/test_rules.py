"""Every rule of every shipped profile passes a layer just inside it and finds one just outside."""

from __future__ import annotations

import pytest

from netcount.analysis.count import count
from netcount.graph.load import load_text
from netcount.graph.options import LoadOptions
from netcount.targets.fit import Fit, Target, fit
from netcount.targets.profile import Profile, Rule
from netcount.targets.shipped import profile, shipped
from tests.targets.cases import BY_CAFFE, CASES, Pair, key

NAMES = [*shipped()]
FAMILY = {name: path.stem for name, (path, _) in shipped().items()}
PROFILES = {name: profile(name) for name in NAMES}


def rules(one: Profile) -> dict[str, tuple[Rule | None, str]]:
    """Each rule by its key, with the text that a finding names it by; banks of memory are rules too."""
    found: dict[str, tuple[Rule | None, str]] = {
        key(rule, bound.text): (rule, bound.text)
        for rule in (*one.rules, *one.file_rules)
        for bound in rule.bounds
    }
    return {**found, **{f"memory: {bank.name}": (None, "memory") for bank in one.banks}}


TRIED = [
    pytest.param(name, rule, id=f"{name}: {rule}")
    for name in NAMES
    for rule in rules(PROFILES[name])
    if rule not in BY_CAFFE
]


def held(name: str, text: str) -> Fit:
    net = load_text(text, LoadOptions.of(batch="net"))
    return fit(count(net), Target.of(PROFILES[name]))


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_has_a_pair(name: str) -> None:
    assert set(rules(PROFILES[name])) - BY_CAFFE == set(CASES[FAMILY[name]])


@pytest.mark.parametrize(("name", "rule"), TRIED)
def test_a_layer_just_inside_passes_and_one_just_outside_is_found(name: str, rule: str) -> None:
    case = CASES[FAMILY[name]][rule]
    pair = case if isinstance(case, Pair) else case(PROFILES[name])
    kept, text = rules(PROFILES[name])[rule]
    inside, outside = held(name, pair.inside), held(name, pair.outside)
    assert text not in [found.rule for found in inside.findings]
    assert not [one for one in inside.unjudged if one.rule == text]
    (found,) = [found for found in outside.findings if found.rule == text]
    assert found.layer in ("l", None)
    assert found.value
    if kept is not None:
        assert found.effect == kept.effect
        assert found.source


@pytest.mark.parametrize("name", NAMES)
def test_types_are_taken_by_their_lists(name: str) -> None:
    types = PROFILES[name].types
    assert all(types.effect(one) is None for one in types.accepted | types.passed)
    assert types.effect("NoSuchType") == types.unlisted
    assert not types.accepted & types.passed
    assert "Convolution" in types.accepted
    assert types.source


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_says_where_it_comes_from(name: str) -> None:
    one = PROFILES[name]
    assert one.sources
    assert one.reliability
    assert one.version
    assert one.unchecked
    assert all(rule.source for rule in (*one.rules, *one.file_rules, *one.banks))
