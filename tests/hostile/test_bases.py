"""A hostile folder of bases: each thing in it is a base or none, and nothing hangs or escapes."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

from benchmarks.hostile.bases import fill_folder
from storage.errors import JobError
from tests.fakes.memory import measure_growth
from training.bases.registry import BaseRegistry

THINGS, ASKED = 100, 12
LIMIT_SECONDS = 20  #: for what takes less than one


@pytest.fixture(autouse=True)
def limit():
    """Interrupt what waits for a pipe that nobody writes to, or reads an endless file."""

    def interrupt(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(LIMIT_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def find_bases(folder: Path, names: list[str], seed: int) -> tuple[set[str], set[str], set[str]]:
    """Return the bases and captioners that are listed, and the codes when others are asked for."""
    registry = BaseRegistry(folder)
    refused = set()
    own = {base.source for base in registry.list_own()}
    captioners = {base.source for base in registry.list_captioners()}
    for name in random.Random(seed).sample(names, ASKED):
        for asked in (Path(name).stem, f"../{name}"):
            registry.locate_source(asked)
            try:
                registry.find(asked)
            except JobError as error:
                refused.add(error.code)
    return own, captioners, refused


@pytest.mark.parametrize("seed", [1, 2])
def test_folder(tmp_path: Path, seed: int) -> None:
    """Listing tells known from unknown; asking for each by its name refuses with a code."""
    names = fill_folder(random.Random(seed), tmp_path / "bases", THINGS)

    (own, captioners, refused), growth = measure_growth(
        find_bases, tmp_path / "bases", names, seed
    )

    assert own <= set(names)
    assert len(own) < THINGS
    assert {each for each in captioners if ":" not in each and "/" not in each} <= set(names)
    assert "base_unknown" in refused
    assert growth < 50 << 20
