"""Pictures are compared with every photograph at hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.teaching.evaluation import Evaluation
from benchmarks.teaching.photographs import NEAREST, PhotoGallery, Photographs, read_square


class MeanColour:
    """Describes a picture by its mean colour, as a network would by its features."""

    def extract(self, pictures):
        """Return the colours (N, 3), each of length 1."""
        means = [np.asarray(p.convert("RGB"), float).mean((0, 1)) + 1 for p in pictures]
        return torch.nn.functional.normalize(torch.tensor(np.stack(means)), dim=1)


@pytest.fixture
def gallery(tmp_path):
    """Return two red photographs of a ball, two green ones of a leaf, and a blue one."""
    paths = []
    for at, colour in enumerate(("red", "darkred", "lime", "green", "blue")):
        paths.append(tmp_path / f"{at}.png")
        Image.new("RGB", (300, 200), colour).save(paths[-1])
    return PhotoGallery(paths, ["ball", "ball", "leaf", "leaf", ""])


def test_pictures_are_nearest_to_their_own_photographs(gallery, blank):
    """Red pictures count as the ball, green ones as the control, blue ones as neither."""
    topic = Photographs(MeanColour(), gallery, "ball", blank)
    colours = ["red"] * 7 + ["green"] * 3 + ["blue"] * 2

    grades = topic.grade([Image.new("RGB", (64, 64), colour) for colour in colours])

    assert grades == {NEAREST: (7, 3)}
    assert [path for path, _ in topic.photos] == gallery.paths[:2]
    assert len(topic.prompts) == 12
    assert all("a myball emoji, on a" in prompt for prompt in topic.prompts)


def test_the_ceiling_is_of_photographs_at_64_pixels(gallery, blank):
    """The subject's own photographs, shrunk, are what is graded as real."""
    topic = Photographs(MeanColour(), gallery, "leaf", blank)

    assert [picture.size for picture in topic.real] == [(64, 64)] * 2
    assert topic.grade(topic.real) == {NEAREST: (2, 0)}


def test_a_photograph_is_cut_square(gallery):
    """Its middle is kept."""
    assert read_square(gallery.paths[0], 64).size == (64, 64)


def test_what_a_server_gets_is_graded_too(gallery, blank, frozen_judge, style_runner):
    """The whole network has bars; its small copy has figures of its own."""
    topic = Photographs(MeanColour(), gallery, "ball", blank)
    style_runner.copies |= dict.fromkeys(topic.prompts, topic.real[0])
    evaluation = Evaluation(style_runner, frozen_judge, seeds=2, method="finetune")

    rows = {
        row.what.removeprefix(f"{topic.title}, "): row for row in evaluation.evaluate_topic(topic)
    }

    assert rows[f"finetune: {NEAREST}"].met is True
    assert rows[f"finetune, small copy: {NEAREST}"].figure == "12 (seeds: 12, 12; control: 0)"
    assert rows["finetune: seconds"].met is True
