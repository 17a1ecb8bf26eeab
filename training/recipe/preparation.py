"""How the photos of a recipe are prepared for the training: cropped, repeated and varied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from storage.crops import Framing
from storage.variations import AUGMENTATIONS, list_variations
from training.recipe.concepts import TrainingPhoto
from training.recipe.recipe import Recipe


class PhotoFacts(NamedTuple):
    """What is known of a photo."""

    framing: Framing
    repeats: int
    mirrors: bool  #: whether it may be shown mirrored


def prepare_photos(recipe: Recipe, facts: Mapping[str, PhotoFacts]) -> Recipe:
    """Return the recipe with its photos prepared by what is known of them, by file."""
    others = tuple(
        replace(concept, photos=tuple(prepare(recipe, concept.photos, facts)))
        for concept in recipe.other_concepts
    )
    photos = tuple(prepare(recipe, recipe.photos, facts))
    return replace(recipe, photos=photos, other_concepts=others)


def prepare(
    recipe: Recipe, photos: Iterable[TrainingPhoto], facts: Mapping[str, PhotoFacts]
) -> Iterator[TrainingPhoto]:
    """Yield photos, each in all its variations."""
    chosen = [name for name in AUGMENTATIONS if getattr(recipe, name)]
    for photo in photos:
        framing, repeats, mirrors = facts[photo.file]
        framed = replace(photo, framing=framing, repeats=repeats)
        key = f"{recipe.seed} {photo.file} {photo.background}"
        for variation in list_variations(chosen, key, mirrors=mirrors):
            yield replace(framed, variation=variation)
