"""Drawn class images are kept for the next training of their class."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from storage.folders import Home, JobFolder
from storage.records import Base
from training.scheduler.class_images import MAX_SETS, find_set, keep_images, lend_images

HERE = Base("sd15", "Here", "sd1", "sd15.safetensors", 512, "none", "tests", present=True)
DOG = {"class_prompt": "a photo of a dog", "resolution": 512, "num_class_images": 3}


@pytest.fixture
def home(tmp_path):
    """Return a data folder."""
    return Home(tmp_path)


def draw(home, name, count):
    """Return a job's folder with so many drawn images."""
    folder = JobFolder(home.runs / name)
    folder.class_images.mkdir(parents=True)
    for number in range(count):
        (folder.class_images / f"{number:04}.png").write_text(f"{name} {number}")
    return folder


def read(folder):
    """Return what a job's class images are."""
    return [file.read_text() for file in sorted(folder.class_images.glob("*"))]


def test_they_are_lent_to_the_next(home):
    """As many as it wants are linked, those that it has already stay, and one is left to draw."""
    keep_images(home, draw(home, "first", 2), HERE, DOG)
    second, fewer = draw(home, "second", 1), draw(home, "fewer", 0)

    lend_images(home, second, HERE, DOG)
    lend_images(home, fewer, HERE, DOG | {"num_class_images": 1})

    assert read(second) == ["second 0", "first 1"]
    assert read(fewer) == ["first 0"]


@pytest.mark.parametrize(
    ("base", "recipe"),
    [
        (HERE, {"class_prompt": "a photo of a cat"}),
        (HERE, {"resolution": 768}),
        (replace(HERE, name="other"), {}),
        (replace(HERE, source="other.safetensors"), {}),
    ],
)
def test_another_class_or_base_gets_none(home, base, recipe):
    """What another base would draw, or another prompt, is not what was kept."""
    keep_images(home, draw(home, "first", 2), HERE, DOG)
    second = draw(home, "second", 0)

    lend_images(home, second, base, DOG | recipe)

    assert read(second) == []


def test_a_base_that_was_replaced_draws_anew(home):
    """A file of the same name that has changed is another base."""
    home.bases.mkdir()
    (home.bases / HERE.source).touch()
    before = find_set(home, HERE, DOG)
    os.utime(home.bases / HERE.source, (1, 1))

    assert find_set(home, HERE, DOG) != before


def test_the_sets_that_were_used_last_are_kept(home):
    """Of more sets than are kept, the ones go that were used longest ago."""
    for number in range(MAX_SETS):
        recipe = DOG | {"class_prompt": str(number)}
        keep_images(home, draw(home, str(number), 1), HERE, recipe)
        os.utime(find_set(home, HERE, recipe), (number, number))
    lend_images(home, draw(home, "again", 0), HERE, DOG | {"class_prompt": "0"})
    keep_images(home, draw(home, "new", 1), HERE, DOG)

    there = {
        int(n)
        for n in range(MAX_SETS)
        if find_set(home, HERE, DOG | {"class_prompt": str(n)}).exists()
    }
    assert there == set(range(MAX_SETS)) - {1}
    assert find_set(home, HERE, DOG).exists()
