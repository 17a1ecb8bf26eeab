"""A subject is graded by where its true picture ranks."""

from __future__ import annotations

import pytest

from benchmarks.teaching.subject import Subject
from benchmarks.teaching.topic import MEDIAN_RANK, NEAREST, RANKED_FIRST


@pytest.fixture(scope="module")
def panda(critic, blank):
    """Prepare a held-out subject."""
    return Subject(critic, blank, "panda", "octopus")


def test_real_pictures_rank_first(panda):
    """All twelve real pictures are found among at least 500 of their style; the control is not."""
    grades = panda.grade(panda.real)

    assert panda.gallery_size >= 500
    assert grades[MEDIAN_RANK][0] == 1
    assert grades[MEDIAN_RANK][1] > 100
    assert grades[RANKED_FIRST] == (12, 0)


def test_nothing_ranks_nowhere(panda):
    """A base that draws nothing is neither recognised nor near to what is taught."""
    grades = panda.grade(panda.base)

    assert grades[MEDIAN_RANK][0] > 100
    assert grades[RANKED_FIRST][0] == 0
    assert grades[NEAREST][0] < 0.5


def test_each_picture_is_counted(panda):
    """Of nine real pictures and three of nothing, nine rank first."""
    pictures = [*panda.real[:9], *panda.base[9:]]

    assert panda.grade(pictures)[RANKED_FIRST] == (9, 0)
    assert panda.bars["lora", RANKED_FIRST].row("", 9, panda.bars["lora", RANKED_FIRST].value).met


def test_copies_are_nearer_than_what_was_not_taught(panda):
    """The control of learning by heart holds every picture of these styles but the subject's."""
    own, control = panda.grade(panda.real)[NEAREST]

    assert own > 0.99
    assert control < 0.5
    assert len(panda.unseen) == sum(
        len(panda.critic.galleries[style].names) - 1 for style in set(panda.styles)
    )
