"""The initial word of a learned word."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from safetensors import safe_open

from benchmarks.teaching import spec
from storage.folders import JobFolder, write_json
from storage.records import Concept, JobCommand
from tests.fakes.interrupts import run_until
from training.run.initial_word import is_needed
from training.run.loop import train

if TYPE_CHECKING:
    from pathlib import Path

    from storage.events import Event
    from training.bases.cache import BaseCache
    from training.recipe.recipe import Recipe


def panda(bases: BaseCache, folder: Path, method: str = "embedding", word: str = "") -> Recipe:
    """Return a job that learns a word for pandas, which the base has never seen."""
    asked = spec.TrainingSpec(
        method, Concept.SUBJECT, "panda", spec.read_photos("panda"), word=word
    )
    folder.mkdir(parents=True, exist_ok=True)
    for path, _ in asked.photos:
        shutil.copy(path, folder)
    return replace(spec.make_recipe(bases, asked), prompts=(), threads=1)


def write_job(bases: BaseCache, folder: JobFolder) -> JobFolder:
    """Write a job of two steps that has to look for a word."""
    recipe = replace(panda(bases, folder.photos), steps=2, save_every=1, accepted=1.7e9)
    write_json(folder.request_file, {"kind": "train", "attempt": 1, "recipe": recipe.to_json()})
    return folder


@pytest.fixture(scope="module")
def resumed(
    bases: BaseCache, tmp_path_factory: pytest.TempPathFactory
) -> tuple[JobFolder, list[Event]]:
    """Return a training that was killed after its first step, and the events from then on."""
    folder = write_job(bases, JobFolder(tmp_path_factory.mktemp("panda") / "job"))
    task = train(folder, bases)
    run_until(task, 1)
    task.close()
    return folder, list(train(folder, bases))


@pytest.mark.slow(14)
def test_told(resumed: tuple[JobFolder, list[Event]]) -> None:
    """A panda's word starts at something like it, and the training continues from there.

    A skull is a white face with black eyes, too, and an egg in a pan white on black.
    """
    folder, told = resumed
    with safe_open(folder.result / "panda.safetensors", "pt") as opened:
        known = json.loads(opened.metadata()["safelight.recipe"])

    assert told[0].resumed
    assert known["initializer_token"] in {"koala", "bear", "skull", "cooking"}
    assert known["class_word"] == ""


@pytest.mark.slow(14)
def test_heard(bases: BaseCache, tmp_path: Path, resumed: tuple[JobFolder, list[Event]]) -> None:
    """Commands are handled during the search; a paused search resumes to the same result."""
    paused = write_job(bases, JobFolder(tmp_path / "paused"))

    task = train(paused, bases)
    run_until(task, 0)
    told = [task.send(JobCommand.PAUSE), *task]
    list(train(paused, bases))

    assert [event.kind for event in told if event.kind != "step"][-1] == "paused"
    assert not any(getattr(event, "code", "") == "start" for event in told)
    style = "panda.safetensors"
    assert (paused.result / style).read_bytes() == (resumed[0].result / style).read_bytes()


@pytest.mark.parametrize(
    ("method", "word", "concept"),
    [
        ("embedding", "bear", Concept.SUBJECT),
        ("lora", "", Concept.SUBJECT),
        ("embedding", "", Concept.LOOK),
    ],
)
def test_said(bases: BaseCache, tmp_path: Path, method: str, word: str, concept: Concept) -> None:
    """A word given by the user is kept; looks and methods without a word have none."""
    recipe = replace(panda(bases, tmp_path, method, word), concept=concept)

    assert not is_needed(recipe, bases.find("embedded"))
