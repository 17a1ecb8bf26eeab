"""A lesson is what the dial says, but for what is set by hand."""

from __future__ import annotations

import pytest

from benchmarks.teaching.spec import Lesson, photos, recipe
from storage.records import Concept
from training.bases.cache import BaseCache


@pytest.mark.parametrize("numbers", [{}, {"steps": 77, "rank": 3}])
def test_numbers_are_set_by_hand(numbers):
    """Steps and rank follow from the dial unless they are given."""
    lesson = Lesson("lora", Concept.SUBJECT, "panda", photos("panda"), numbers=numbers)

    made = recipe(BaseCache(None), lesson)

    assert ((made.steps, made.rank) == (77, 3)) is bool(numbers)
    assert len(made.photos) == 20
