"""How the photos of a recipe are prepared for the training: cropped, repeated and varied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import reduce
from typing import NamedTuple

from storage.crops import Framing
from storage.options import MIN_TO_HOLD_OUT
from storage.photosets.edits import put_trigger
from storage.variations import AUGMENTATIONS, list_variations
from training.recipe.concepts import TrainingPhoto
from training.recipe.recipe import Recipe

MAX_HELD_OUT = 8  #: more of them would tell little more


class PhotoFacts(NamedTuple):
    """What is known of a photo."""

    framing: Framing
    repeats: int
    mirrors: bool  #: whether it may be shown mirrored
    digest: str  #: of its pixels: the same photo may show several concepts


def prepare_photos(recipe: Recipe, facts: Mapping[str, PhotoFacts]) -> Recipe:
    """Return the recipe with its photos prepared by what is known of them, by file."""
    others = tuple(
        replace(concept, photos=tuple(prepare(recipe, concept.photos, facts)))
        for concept in recipe.other_concepts
    )
    photos = tuple(prepare(recipe, recipe.photos, facts))
    class_photos = tuple(
        replace(photo, framing=replace(facts[photo.file].framing, whole=False))
        for photo in recipe.class_photos
    )
    prepared = replace(recipe, photos=photos, other_concepts=others, class_photos=class_photos)
    return hold_out(name_concepts(prepared, facts))


def hold_out(recipe: Recipe) -> Recipe:
    """Return the recipe with a share of its first concept's photos held out, if it says so.

    They are spread over all photos, and shown as they are, not varied.
    """
    files = list(dict.fromkeys(photo.file for photo in recipe.photos))
    if not recipe.validation_split or len(files) < MIN_TO_HOLD_OUT:
        return recipe
    count = min(MAX_HELD_OUT, max(1, round(len(files) * recipe.validation_split)))
    held = {files[(2 * at + 1) * len(files) // (2 * count)] for at in range(count)}
    first = {photo.file: photo for photo in reversed(recipe.photos)}
    return replace(
        recipe,
        photos=tuple(photo for photo in recipe.photos if photo.file not in held),
        validation_photos=tuple(first[file] for file in files if file in held),
    )


def name_concepts(recipe: Recipe, facts: Mapping[str, PhotoFacts]) -> Recipe:
    """Return the recipe with the triggers of all concepts of a photo in its captions."""
    if not recipe.other_concepts:
        return recipe
    triggers: dict[str, list[str]] = {}
    for trigger, numbers in recipe.photo_ranges.items():
        for photo in recipe.all_photos[numbers.start : numbers.stop]:
            known = triggers.setdefault(facts[photo.file].digest, [])
            known += [] if trigger in known else [trigger]

    def name(photo: TrainingPhoto) -> TrainingPhoto:
        caption = reduce(put_trigger, triggers[facts[photo.file].digest], photo.caption)
        return replace(photo, caption=caption)

    others = tuple(
        replace(concept, photos=tuple(map(name, concept.photos)))
        for concept in recipe.other_concepts
    )
    return replace(recipe, photos=tuple(map(name, recipe.photos)), other_concepts=others)


def prepare(
    recipe: Recipe, photos: Iterable[TrainingPhoto], facts: Mapping[str, PhotoFacts]
) -> Iterator[TrainingPhoto]:
    """Yield photos, each in all its variations."""
    chosen = [name for name in AUGMENTATIONS if getattr(recipe, name)]
    for photo in photos:
        known = facts[photo.file]
        framed = replace(photo, framing=known.framing, repeats=known.repeats)
        key = f"{recipe.seed} {photo.file} {photo.background}"
        for variation in list_variations(chosen, key, mirrors=known.mirrors):
            yield replace(framed, variation=variation)
