"""Sets whose worth is known are built from real pictures, and the measures rank them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PIL import Image

from benchmarks.teaching.judgement import DRAWN, ORDER, SPLITS, World, name_prompts
from training.judge.style_judge import StyleJudge, Taught, list_seeds


@pytest.fixture(scope="module")
def world():
    """Return the held-out subjects' pictures, seen by the embedded network."""
    return World()


def test_pictures_are_drawn_for_two_prompts_in_turn():
    """So that six of them are three seeds."""
    drawn = name_prompts([Image.new("RGB", (8, 8))] * 6)

    assert [each.prompt for each in drawn] == ["0", "1"] * 3
    assert list_seeds(drawn) == [[0, 1], [2, 3], [4, 5]]


@pytest.mark.slow(8)
def test_order(world):
    """Good is above weak, that above memorised, that above collapsed; copies are told apart."""
    for judged in (world.judge_case(seed) for seed in range(3)):
        for better, worse in pairwise(ORDER):
            assert judged[better].score.mean > judged[worse].score.mean, (better, worse)
        assert judged["good"].grades.copies == 0
        assert judged["memorised"].grades.copies == 1


def test_one_photo_ten_times(world):
    """Ten pictures that repeat one photo are ten copies of that one."""
    photos = [picture for style in SPLITS[0][:2] for picture in world.real["panda", style]]
    ten = name_prompts(world.copied["panda", SPLITS[0][0]][:1] * 10)

    judged = StyleJudge(world.extractor, Taught(photos)).judge(ten)

    assert judged.grades.copies == 1
    assert {each.photo for each in judged.nearest} == {0}
    assert len(ten) > DRAWN
