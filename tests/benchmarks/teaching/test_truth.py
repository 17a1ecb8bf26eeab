"""The true quality goes from what the base draws to the real pictures."""

from __future__ import annotations

from statistics import fmean

import pytest
from PIL import Image

from benchmarks.teaching import runner, spec
from benchmarks.teaching.truth import GROUNDS, Truth, list_true_prompts
from training.pretraining.names import BASE_STYLES

CASES = ("panda", "robot", "ink")


def read_real(name):
    """Return the real pictures of a concept's true prompts, of subjects on white."""
    if name == "ink":
        return [runner.read_picture(path) for path, _ in spec.read_photos("ink/measure")]
    files = [spec.PICTURES / name / f"{style}-white.png" for style in BASE_STYLES]
    styled = [runner.read_picture(file) for file in files for _ in GROUNDS]
    return styled * 2


@pytest.mark.parametrize("name", CASES)
def test_real_pictures_are_worth_one(frozen_judge, name):
    """Real pictures have a quality of 1, the base's own one of 0, and half of each is between."""
    real, blank = read_real(name), [Image.new("RGB", (64, 64), "grey")] * 24
    truth = Truth(frozen_judge, name, blank)

    assert fmean(truth.grade(real)) == pytest.approx(1, abs=0.03)
    assert fmean(truth.grade(blank)) == pytest.approx(0, abs=0.01)
    mixed = [
        one if at % 2 else other for at, (one, other) in enumerate(zip(real, blank, strict=True))
    ]
    assert 0.2 < fmean(truth.grade(mixed)) < 0.9


@pytest.mark.parametrize("name", CASES)
def test_prompts_are_not_those_of_scores(name):
    """There are 24, from seeds that no training uses; a subject is on grounds never taught."""
    prompts = list_true_prompts(name)
    taught = {caption for _, caption in spec.read_photos("ink/teach" if name == "ink" else name)}

    assert len(prompts) == 24
    assert len({seed for _, seed in prompts}) == 24
    assert not taught & {text for text, _ in prompts}
