"""`netcount memory` on the command line: what it ends with."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from netcount.cli.main import netcount
from netcount.core.errors import InputError
from tests.helpers import inputs, valid

# x 2·5·7 = 70 -> c 3·3·5 = 45, columns 18·15 = 270, weights 54 + 3
NET = inputs(x=(1, 2, 5, 7)) + (
    'layer { name: "c" type: "Convolution" bottom: "x" top: "c"\n'
    "convolution_param { num_output: 3 kernel_size: 3 } }\n"
)


def memory(*arguments: str) -> Result:
    return CliRunner().invoke(netcount, ["memory", "-", *arguments], input=NET)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--bits", "8", "--fits", "442"], 0),
        (["--bits", "8", "--fits", "441"], 1),
        (["--fits", "442"], 1),
        (["--bits", "8", "--fits", "0.25 KiB", "--fits-what", "activations"], 0),
        (["--bits", "8", "--fits", "0.25 KiB", "--fits-what", "scratch"], 1),
        (["--bits", "8", "--fits", "57", "--fits-what", "weights"], 0),
        (["--fits", "441", "--fits-what", "weights", "--assume", "c=1,3,3,5"], 3),
        (["--fits-what", "everything"], 2),
    ],
)
def test_the_exit_code_says_whether_it_fits(arguments: list[str], code: int) -> None:
    done = memory(*arguments)
    assert done.exit_code == code, done.output


@pytest.mark.parametrize("size", ["0", "2 parsecs"])
def test_a_size_holds_something(size: str) -> None:
    refusal = memory("--fits", size).exception
    assert isinstance(refusal, InputError)
    assert refusal.argument == "fits"


def test_the_document_has_the_verdict() -> None:
    assert json.loads(memory("--format", "json").stdout)["verdict"] is None
    verdict = valid(json.loads(memory("--bits", "8", "--fits", "80", "-f", "json").stdout), "memory")["verdict"]
    assert (verdict["limit_bytes"], verdict["what"], verdict["fits"]) == (80, "all", False)
    assert [(need["what"], need["bytes"], need["fits"]) for need in verdict["needs"]] == [
        ("activations", 115, False),
        ("scratch", 270, False),
        ("weights", 57, True),
        ("all", 442, False),
    ]
    assert verdict["needs"][0]["over"] == [{"name": "c", "line": 2, "bytes": 115}]


LEARNED = (
    NET.replace("dim: 1", "dim: 4") + 'layer { name: "r" type: "Reduction" bottom: "c" top: "r" loss_weight: 1 }'
)


@pytest.mark.parametrize(
    ("arguments", "phase", "batch"),
    [([], "TRAIN", 4), (["--batch", "7"], "TRAIN", 7), (["--phase", "TEST", "--batch", "1"], "TEST", 1)],
)
def test_training_is_in_its_phase_at_its_batch(arguments: list[str], phase: str, batch: int) -> None:
    done = CliRunner().invoke(netcount, ["memory", "-", "--train", "-f", "json", *arguments], input=LEARNED)
    document = valid(json.loads(done.stdout), "training")
    assert (document["phase"], document["batch"]) == (phase, batch)
    assert document["data_bytes"] == 4 * (70 * batch + 45 * batch + 1)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--train", "--fits", "1 KiB"], 1, "no batch fits in 1.00 KiB: 1 ("),
        (["--train", "--fits", "8 GiB", "--solver", "adam"], 0, "fits: batch 4 needs"),
        (["--train", "--bits", "8"], 2, "--bits: not with --train"),
        (["--train", "--scratch", "--arena"], 2, "--arena, --scratch: not with --train"),
        (["--solver", "sgd"], 2, "--solver is for --train"),
        (["--phase", "TRAIN"], 0, "a forward pass alone"),
        (["--fits-what", "all"], 2, "--fits-what: without --fits"),
        (["--no-scratch", "--align", "8"], 2, "--align, --no-scratch: without --arena"),
    ],
)
def test_training_on_the_command_line(arguments: list[str], code: int, said: str) -> None:
    done = CliRunner().invoke(netcount, ["memory", "-", *arguments], input=LEARNED)
    assert done.exit_code == code, done.output
    assert said in done.stdout + done.stderr
