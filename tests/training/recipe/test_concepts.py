"""Several concepts in one run."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from storage.errors import JobError
from storage.records import Concept
from training import methods
from training.recipe.concepts import ConceptPhotos, TrainingPhoto
from training.run.loop import train
from training.styles import header
from training.styles.inspect import inspect_file


@pytest.fixture
def two(make_recipe):
    """Return a recipe of two concepts, with two photos and with one."""

    def make(method="lora", **more):
        cat = ConceptPhotos(
            "mycat", Concept.SUBJECT, "cat", (TrainingPhoto("2.png", "a mycat emoji, red"),)
        )
        return make_recipe(method, photos=2, steps=3, other_concepts=(cat,), **more)

    return make


def test_both_are_learnt_and_named(bases, two, make_job_folder, run_task):
    """The second concept is trained, too, and the file's header has both triggers."""
    asked = two()
    moved = replace(
        asked.other_concepts[0], photos=(TrainingPhoto("0.png", "a mycat emoji, red"),)
    )
    recipes = {"plain": asked, "again": asked, "other": replace(asked, other_concepts=(moved,))}
    files = {}
    for name, each in recipes.items():
        folder = make_job_folder(replace(each, photos=asked.photos), name)
        for at in (2,):
            (folder.photos / f"{at}.png").write_bytes((folder.photos / "1.png").read_bytes())
        assert run_task(train(folder, bases))[-1].kind == "done"
        files[name] = folder.result / "mydog.safetensors"
    told = header.read_metadata(header.read_header(files["plain"]))

    assert files["plain"].read_bytes() == files["again"].read_bytes()
    assert files["plain"].read_bytes() != files["other"].read_bytes()
    assert told["modelspec.trigger_phrase"] == "mydog, mycat"
    assert json.loads(told["ss_tag_frequency"]) == {"safelight": {"mydog": 2, "mycat": 1}}
    assert told["ss_num_train_images"] == "3"
    assert inspect_file(files["plain"])["trigger"] == "mydog, mycat"


@pytest.mark.parametrize("method", ["embedding", "pivotal"])
def test_one_word_is_one_concept(two, method):
    """A method that learns one word refuses several concepts."""
    with pytest.raises(JobError) as refused:
        methods.find_for_recipe(two(method))

    assert refused.value.code == "concepts_method"
