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
    from collections.abc import Callable, Iterator
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


@pytest.mark.slow(4)
def test_told(
    bases: BaseCache, tmp_path: Path, run_task: Callable[[Iterator[Event]], list[Event]]
) -> None:
    """A panda's word starts at a similar animal, and the training continues from there."""
    recipe = replace(panda(bases, tmp_path / "job" / "photos"), steps=2, save_every=1)
    folder = JobFolder(tmp_path / "job")
    write_json(folder.request_file, {"kind": "train", "attempt": 1, "recipe": recipe.to_json()})

    task = train(folder, bases)
    run_until(task, 1)
    task.close()
    told = run_task(train(folder, bases))

    with safe_open(folder.result / "panda.safetensors", "pt") as opened:
        known = json.loads(opened.metadata()["safelight.recipe"])
    assert told[0].resumed
    assert known["initializer_token"] in {"koala", "bear"}
    assert known["class_word"] == ""


@pytest.mark.slow(4)
def test_heard(bases: BaseCache, tmp_path: Path) -> None:
    """Commands are handled during the search; a paused search resumes to the same result."""
    recipe = replace(panda(bases, tmp_path / "whole" / "photos"), steps=2, save_every=2)
    panda(bases, tmp_path / "paused" / "photos")
    whole, paused = JobFolder(tmp_path / "whole"), JobFolder(tmp_path / "paused")
    for folder in (whole, paused):
        write_json(
            folder.request_file, {"kind": "train", "attempt": 1, "recipe": recipe.to_json()}
        )

    task = train(paused, bases)
    run_until(task, 0)
    told = [task.send(JobCommand.PAUSE), *task]
    list(train(paused, bases))
    list(train(whole, bases))

    assert [event.kind for event in told if event.kind != "step"][-1] == "paused"
    assert not any(getattr(event, "code", "") == "start" for event in told)
    style = "panda.safetensors"
    assert (paused.result / style).read_bytes() == (whole.result / style).read_bytes()


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
