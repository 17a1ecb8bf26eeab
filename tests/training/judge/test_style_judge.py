"""Styles are graded on what they draw, seed by seed."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from training.judge.style_judge import Drawn, Kept, StyleJudge, Taught, list_seeds

PROMPTS = ("a sks, on red", "a sks, on blue")


class ByColour:
    """Describes a picture by its colour, as a network would by its features."""

    def extract(self, pictures):
        """Return a feature for each channel (N, 3), each row of length 1."""
        rows = [[level + 1.0 for level in each.getpixel((0, 0))] for each in pictures]
        return torch.nn.functional.normalize(torch.tensor(rows).reshape(-1, 3), dim=1)


def paint(colour):
    """Return a picture in one colour."""
    return Image.new("RGB", (64, 64), colour)


def find_colour(picture):
    """Return the name of a picture's colour."""
    return next(
        each
        for each in ("red", "lime", "blue")
        if paint(each).getpixel((0, 0)) == picture.getpixel((0, 0))
    )


def draw(*colours):
    """Return as many pictures of each prompt as there are colours."""
    return [
        Drawn(paint(colour), prompt, seed)
        for prompt in PROMPTS
        for seed, colour in enumerate(colours)
    ]


def make_judge(describe=None):
    """Return a judge of a style that was taught with two reds."""
    taught = Taught([paint("red"), paint("firebrick")], words=["sks"])
    return StyleJudge(ByColour(), taught, draw("lime"), describe)


def test_each_seed_is_graded():
    """Pictures of one seed are graded together."""
    drawn = draw("red", "lime", "blue")

    judgement = make_judge().judge(drawn)

    assert list_seeds(drawn) == [[0, 3], [1, 4], [2, 5]]
    assert judgement.score.seeds == 3
    assert [round(each.likeness) for each in judgement.seeds] == [1, 0, 0]
    assert judgement.nearest[0].photo == 0
    assert judgement.grades.obedience is None


def test_half_of_the_photos_spread_is_variety_enough():
    """Few prompts are drawn more alike than photos are taken; one picture again is still none."""
    taught = Taught([paint("red"), paint("lime")])
    judge = StyleJudge(ByColour(), taught)

    half, same = (
        judge.judge([Drawn(paint(colour), "a sks") for colour in colours])
        for colours in (["red", "lawngreen"], ["red", "red"])
    )

    assert half.grades.variety == 1
    assert same.grades.variety == 0


@pytest.mark.parametrize(
    ("captions", "copies"),
    [
        ((), 1),
        (["a sks, on red", "a sks, on lime"], 0.5),
        (["a sks, on red", "a sks, on blue"], 0.5),
        (["a sks, on red"] * 2, 1),  # what tells no photo from another asks for none
    ],
)
def test_a_photo_that_was_asked_for_is_no_copy(captions, copies):
    """Only where the prompt has what tells the photo's caption from the others."""
    drawn = [Drawn(paint("red"), prompt) for prompt in PROMPTS]
    taught = Taught([paint("red"), paint("lime")], words=["sks"], captions=captions)

    judgement = StyleJudge(ByColour(), taught).judge(drawn)

    assert [each.copied for each in judgement.nearest] == [True, True]
    assert judgement.grades.copies == copies


def test_prompts_that_are_not_obeyed_cost():
    """The captioner looks for the words that tell the prompts apart, without the trigger."""
    said = {"red": ["red", "blue"], "lime": ["red", "blue"], "blue": ["red", "red"]}
    judge = make_judge(lambda pictures: said[find_colour(pictures[0])])

    assert judge.judge(draw("red")).grades.obedience == 1
    assert judge.judge(draw("blue")).grades.obedience == 0.5


def test_no_style_has_to_obey_better_than_its_base():
    """Where the base draws red for everything, a style may, too."""
    judge = make_judge(lambda pictures: ["red"] * len(pictures))

    assert judge.judge(draw("red")).grades.obedience == 1


def test_held_out_photos_are_what_pictures_are_compared_with():
    """Copies are looked for among those that were trained on."""
    taught = Taught([paint("red")], held_out=[paint("lime")])
    judgement = StyleJudge(ByColour(), taught).judge(draw("red", "lime"))

    assert [round(each.likeness) for each in judgement.seeds] == [0, 1]
    assert judgement.nearest[0].cosine > 0.99


def test_forgetting_is_measured_where_there_are_pictures_for_it():
    """The base's own pictures, drawn with the style again."""
    same = [paint("red"), paint("lime")]
    kept, moved = Kept(same, same), Kept(same, [paint("blue"), paint("blue")])

    assert make_judge().judge(draw("red"), kept).grades.forgetting < 0.01
    assert make_judge().judge(draw("red"), moved).grades.forgetting > 0.9
