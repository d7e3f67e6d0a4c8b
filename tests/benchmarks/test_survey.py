"""What a second process saves in a survey.

python -m pytest tests/benchmarks/test_survey.py -o addopts="" -s
"""

from __future__ import annotations

import shutil
from pathlib import Path
from time import perf_counter

import pytest

from netcount.analysis.survey import survey
from tests.helpers import SAMPLES, WIDE

NETS = 400
ROUNDS = 3


def _files(folder: Path) -> list[str]:
    """Public nets where they are here, else copies of the samples."""
    public = sorted((WIDE / "nets").glob("*.prototxt"))
    if public:
        return [str(path) for path in public[:: max(1, len(public) // NETS)]]
    samples = sorted(SAMPLES.glob("*.prototxt"))
    for number in range(NETS):
        sample = samples[number % len(samples)]
        shutil.copy(sample, folder / f"{number:03}_{sample.name}")
    return [str(path) for path in sorted(folder.iterdir())]


def test_two_jobs_beside_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = _files(tmp_path)
    seconds: dict[int, list[float]] = {1: [], 2: []}
    rows = {}
    for _ in range(ROUNDS):
        for jobs, taken in seconds.items():
            start = perf_counter()
            rows[jobs] = survey(files, jobs=jobs).rows
            taken.append(perf_counter() - start)
    assert rows[1] == rows[2]
    with capsys.disabled():
        ratios = ", ".join(f"{two / one:.2f}" for one, two in zip(seconds[1], seconds[2], strict=True))
        print(
            f"\n{len(files)} nets: two jobs take {min(seconds[2]) / min(seconds[1]):.2f} of one's time ({ratios})"
        )
