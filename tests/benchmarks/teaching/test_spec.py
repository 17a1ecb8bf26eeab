"""A training has the dial's settings, except for overrides."""

from __future__ import annotations

import pytest
from PIL import Image

from benchmarks.teaching.spec import TrainingSpec, is_transparent, make_recipe, read_photos
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


def test_an_opaque_alpha_is_no_transparency(tmp_path):
    """A PNG whose alpha is 255 everywhere is kept as RGB, and laid on no background."""
    for alpha in (255, 200):
        picture = Image.new("RGBA", (64, 64), (200, 40, 40, alpha))
        picture.save(tmp_path / f"{alpha}.png")

    assert not is_transparent(tmp_path / "255.png")
    assert is_transparent(tmp_path / "200.png")
