"""Glim is looked for among every real picture of every style."""

from __future__ import annotations

import pytest
from PIL import Image

from benchmarks.teaching.mascot import Mascot
from benchmarks.teaching.topic import MEDIAN_RANK, NEAREST, RANKED_FIRST
from bot.demo.mascot import HELD_OUT


@pytest.fixture(scope="module")
def glim(critic, blank):
    """Prepare the mascot."""
    return Mascot(critic, blank, "guitar")


def test_the_true_mascot_ranks_first(glim):
    """Of the twelve drawn pictures nearly all are nearer to Glim than to any of 5,000 others."""
    grades = glim.grade(glim.real)

    assert glim.gallery_size > 5000
    assert grades[MEDIAN_RANK][0] == 1
    assert grades[MEDIAN_RANK][1] > 500
    assert grades[RANKED_FIRST][0] >= 9


def test_pictures_that_were_not_taught_rank_first(glim):
    """The judge finds Glim in the pictures put aside, so it has not only learnt ten by heart."""
    grades = glim.grade(glim.real[-len(HELD_OUT) :])

    assert grades[RANKED_FIRST][0] == len(HELD_OUT)
    assert grades[NEAREST][0] == grades[NEAREST][1] < 0.99


def test_another_thing_is_not_the_mascot(glim, critic):
    """Red balls and real pictures of other things rank far behind."""
    balls = [Image.new("RGB", (64, 64), "red") for _ in range(12)]
    guitars = critic.galleries["noto"].names.index("guitar")
    features = critic.galleries["noto"].features[guitars][None]

    assert glim.grade(balls)[RANKED_FIRST][0] == 0
    assert critic.rank_anywhere(features, glim.taught)[0] > 100
    assert critic.rank_anywhere(features, glim.decoy)[0] < 20


def test_it_is_asked_for_as_in_the_demo(glim):
    """Twelve grounds are asked for, in the words that the photos are taught with."""
    assert len(set(glim.prompts)) == 12
    assert {caption for _, caption in glim.photos} <= set(glim.prompts)
