"""How the photos of a recipe are prepared for the training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from training.recipe.concepts import TrainingPhoto
from training.recipe.recipe import Recipe


def prepare_photos(recipe: Recipe, prepared: Mapping[str, Mapping[str, Any]]) -> Recipe:
    """Return the recipe with fields of its photos, given by file, set."""

    def prepare(photos: Iterable[TrainingPhoto]) -> tuple[TrainingPhoto, ...]:
        return tuple(replace(photo, **prepared.get(photo.file, {})) for photo in photos)

    others = tuple(
        replace(concept, photos=prepare(concept.photos)) for concept in recipe.other_concepts
    )
    return replace(recipe, photos=prepare(recipe.photos), other_concepts=others)
