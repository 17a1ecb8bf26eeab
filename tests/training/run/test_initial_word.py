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


@pytest.mark.slow(15)
def test_found(bases: BaseCache, tmp_path: Path) -> None:
    """A panda's word starts at something like it, and the training continues from there.

    Commands are handled during the search, and a paused search begins again. A skull is a white
    face with black eyes, too, and an egg in a pan white on black.
    """
    folder = write_job(bases, JobFolder(tmp_path / "job"))
    task = train(folder, bases)
    run_until(task, 0)
    paused = [task.send(JobCommand.PAUSE), *task]
    task = train(folder, bases)
    run_until(task, 1)
    task.close()
    told = list(train(folder, bases))
    with safe_open(folder.result / "panda.safetensors", "pt") as opened:
        known = json.loads(opened.metadata()["safelight.recipe"])

    assert [event.kind for event in paused if event.kind != "step"][-1] == "paused"
    assert not any(getattr(event, "code", "") == "start" for event in paused)
    assert told[0].resumed
    assert known["initializer_token"] in {"koala", "bear", "skull", "cooking"}
    assert known["class_word"] == ""


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
