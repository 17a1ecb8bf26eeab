"""A style is graded by how far its look is from that of real pictures."""

from __future__ import annotations

import pytest
from PIL import ImageOps

from benchmarks.teaching import runner
from benchmarks.teaching.look import DISTANCE, REACH, Look
from benchmarks.teaching.topic import NEAREST


@pytest.fixture(scope="module")
def firefox(critic, blank):
    """Prepare a held-out style."""
    return Look(critic, blank, "firefox")


def test_the_distance_is_the_base_s(firefox):
    """What the base draws is 1 away, real pictures hardly; inverted, they are farther."""
    own = [firefox.grade(each)[DISTANCE][0] for each in (firefox.base, firefox.real)]
    inverted = firefox.grade([ImageOps.invert(each) for each in firefox.real])[DISTANCE][0]

    assert own[0] == 1
    assert own[1] < 0.01 < inverted


def test_the_control_stays_far(firefox):
    """Real pictures of the style are not near the other held-out one."""
    assert firefox.other == "ink"
    assert firefox.grade(firefox.real)[DISTANCE][1] > 0.5


def test_the_reach_is_of_known_styles(critic, blank):
    """The base's own pictures alone show how near it comes to what it knows."""
    asked = []

    def draw(prompts):
        asked.extend(prompts)
        return blank(prompts)

    look = Look(critic, draw, "firefox")
    asked.clear()
    own, control = look.grade(look.base)[REACH]

    assert {prompt.split(", ")[1] for prompt in asked} == {
        f"{style} style" for style in ("noto", "blob", "flat", "glossy")
    }
    assert own > 0
    assert control == pytest.approx(1)  # blank pictures look alike in every style
    assert REACH not in look.grade(look.real)


def test_other_names_teach_it(firefox):
    """No name that is measured is taught, and none that is taught counts as unseen."""
    taught = {path.stem for path, _ in firefox.photos}

    assert not taught & set(firefox.names)
    assert len(firefox.unseen) + len(taught) == len(firefox.critic.galleries["firefox"].names)


def test_learning_by_heart_is_seen(firefox):
    """Copies of what was taught come nearer to it than real pictures that were not."""
    copies = [runner.read_picture(path) for path, _ in firefox.photos]

    own, control = firefox.grade(copies)[NEAREST]

    assert own > 0.99
    assert control < 0.6
    assert abs(firefox.grade(firefox.real)[NEAREST][0] - control) < 0.3
