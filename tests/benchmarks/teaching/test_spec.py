"""A lesson is what the dial says, but for what is set by hand."""

from __future__ import annotations

import pytest

from benchmarks.teaching.spec import TrainingSpec, make_recipe, read_photos
from storage.records import Concept
from training.bases.cache import BaseCache


@pytest.mark.parametrize("numbers", [{}, {"steps": 77, "rank": 3}])
def test_numbers_are_set_by_hand(numbers):
    """Steps and rank follow from the dial unless they are given."""
    lesson = TrainingSpec(
        "lora", Concept.SUBJECT, "panda", read_photos("panda"), overrides=numbers
    )

    made = make_recipe(BaseCache(None), lesson)

    assert ((made.steps, made.rank) == (77, 3)) is bool(numbers)
    assert len(made.photos) == 20
