"""A training has the dial's settings, except for overrides."""

from __future__ import annotations

import pytest

from benchmarks.teaching.spec import TrainingSpec, make_recipe, read_photos
from storage.records import Concept
from training.bases.cache import BaseCache


@pytest.mark.parametrize("overrides", [{}, {"steps": 77, "rank": 3}])
def test_overrides(overrides):
    """Steps and rank follow from the dial unless they are given."""
    training_spec = TrainingSpec(
        "lora", Concept.SUBJECT, "panda", read_photos("panda"), overrides=overrides
    )

    recipe = make_recipe(BaseCache(None), training_spec)

    assert ((recipe.steps, recipe.rank) == (77, 3)) is bool(overrides)
    assert len(recipe.photos) == 20
