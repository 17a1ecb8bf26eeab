"""A look is graded by its distance from real pictures of the style."""

from __future__ import annotations

import pytest
from PIL import ImageOps

from benchmarks.teaching import runner
from benchmarks.teaching.look import DISTANCE, REACH, Look
from benchmarks.teaching.topic import NEAREST


@pytest.fixture(scope="module")
def firefox(frozen_judge, blank):
    """Return a held-out style."""
    return Look(frozen_judge, blank, "firefox")


def test_the_distance_is_the_base_s(firefox):
    """The base is at distance 1, real pictures near 0; inverted ones are farther."""
    own = [firefox.grade(each)[DISTANCE][0] for each in (firefox.base, firefox.real)]
    inverted = firefox.grade([ImageOps.invert(each) for each in firefox.real])[DISTANCE][0]

    assert own[0] == 1
    assert own[1] < 0.01 < inverted


def test_the_control_stays_far(firefox):
    """Real pictures of the style are far from the other held-out style."""
    assert firefox.other == "ink"
    assert firefox.grade(firefox.real)[DISTANCE][1] > 0.5


def test_the_reach_is_of_known_styles(frozen_judge, blank):
    """Only the base's own pictures are also graded on the styles it knows."""
    prompts_drawn = []

    def draw(prompts):
        prompts_drawn.extend(prompts)
        return blank(prompts)

    look = Look(frozen_judge, draw, "firefox")
    prompts_drawn.clear()
    own, control = look.grade(look.base)[REACH]

    assert {prompt.split(", ")[1] for prompt in prompts_drawn} == {
        f"{style} style" for style in ("noto", "blob", "flat", "glossy")
    }
    assert own > 0
    assert control == pytest.approx(1)  # blank pictures look alike in every style
    assert REACH not in look.grade(look.real)


def test_other_names_teach_it(firefox):
    """No measured name is trained on, and no trained name counts as unseen."""
    taught = {path.stem for path, _ in firefox.photos}

    assert not taught & set(firefox.names)
    assert len(firefox.unseen) + len(taught) == len(firefox.judge.galleries["firefox"].names)


def test_memorising_is_noticed(firefox):
    """Copies of the training pictures are nearer to them than unseen real pictures."""
    copies = [runner.read_picture(path) for path, _ in firefox.photos]

    own, control = firefox.grade(copies)[NEAREST]

    assert own > 0.99
    assert control < 0.6
    assert abs(firefox.grade(firefox.real)[NEAREST][0] - control) < 0.3
