"""Glim is ranked among every real picture of every style."""

from __future__ import annotations

from dataclasses import fields

import pytest
from PIL import Image

from benchmarks.teaching.mascot import Mascot
from benchmarks.teaching.topic import MEDIAN_RANK, NEAREST, RANKED_FIRST
from bot.demo.mascot import HELD_OUT
from storage.requests import TrainRequest
from training.recipe.backgrounds import GROUND


@pytest.fixture(scope="module")
def glim(frozen_judge, blank):
    """Return the mascot's topic."""
    return Mascot(frozen_judge, blank, "guitar")


def test_the_true_mascot_ranks_first(glim):
    """Nearly all of the twelve true pictures are nearer to Glim than any of 5,000 others."""
    grades = glim.grade(glim.real)

    assert glim.gallery_size > 5000
    assert grades[MEDIAN_RANK][0] == 1
    assert grades[MEDIAN_RANK][1] > 500
    assert grades[RANKED_FIRST][0] >= 9


def test_held_out_pictures_rank_first(glim):
    """The judge recognises Glim in held-out pictures, not only in the ten training pictures."""
    grades = glim.grade(glim.real[-len(HELD_OUT) :])

    assert grades[RANKED_FIRST][0] == len(HELD_OUT)
    assert grades[NEAREST][0] == grades[NEAREST][1] < 0.99


def test_another_thing_is_not_the_mascot(glim, frozen_judge):
    """Red balls and real pictures of other things rank far behind."""
    balls = [Image.new("RGB", (64, 64), "red") for _ in range(12)]
    guitars = frozen_judge.galleries["noto"].names.index("guitar")
    features = frozen_judge.galleries["noto"].features[guitars][None]

    assert glim.grade(balls)[RANKED_FIRST][0] == 0
    assert frozen_judge.rank_anywhere(features, glim.training_features)[0] > 100
    assert frozen_judge.rank_anywhere(features, glim.decoy)[0] < 20


def test_prompts_match_the_training_captions(glim):
    """Twelve backgrounds are prompted, in the training captions' words."""
    assert len(set(glim.prompts)) == 12
    assert {GROUND.sub("", prompt) for prompt in glim.prompts} < {
        caption for _, caption in glim.photos
    }


def test_overrides_are_fields_of_a_request(glim):
    """The demo's numbers have the names of a request."""
    known = {field.name for field in fields(TrainRequest)}
    assert set(glim.overrides["lora"]) <= known
