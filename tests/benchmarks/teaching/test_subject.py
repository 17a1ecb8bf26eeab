"""A subject is graded by the rank of its true picture."""

from __future__ import annotations

import pytest

from benchmarks.teaching.subject import Subject
from benchmarks.teaching.topic import MEDIAN_RANK, NEAREST, RANKED_FIRST


@pytest.fixture(scope="module")
def panda(frozen_judge, blank):
    """Return a held-out subject."""
    return Subject(frozen_judge, blank, "panda", "octopus")


def test_real_pictures_rank_first(panda):
    """All twelve real pictures rank first among 500 or more of their style, unlike the control."""
    grades = panda.grade(panda.real)

    assert panda.gallery_size >= 500
    assert grades[MEDIAN_RANK][0] == 1
    assert grades[MEDIAN_RANK][1] > 100
    assert grades[RANKED_FIRST] == (12, 0)


def test_blank_pictures_are_not_recognised(panda):
    """Blank pictures are neither recognised nor near to the training pictures."""
    grades = panda.grade(panda.base)

    assert grades[MEDIAN_RANK][0] > 100
    assert grades[RANKED_FIRST][0] == 0
    assert grades[NEAREST][0] < 0.5


def test_each_picture_is_counted(panda):
    """Of nine real pictures and three blank ones, nine rank first."""
    pictures = [*panda.real[:9], *panda.base[9:]]

    assert panda.grade(pictures)[RANKED_FIRST] == (9, 0)
    assert panda.bars["lora", RANKED_FIRST].row("", 9, panda.bars["lora", RANKED_FIRST].value).met


def test_memorising_is_noticed(panda):
    """The control holds every picture of these styles but the subject's, and is farther."""
    own, control = panda.grade(panda.real)[NEAREST]

    assert own > 0.99
    assert control < 0.5
    assert len(panda.unseen) == sum(
        len(panda.judge.galleries[style].names) - 1 for style in set(panda.styles)
    )
