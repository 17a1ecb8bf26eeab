"""Plain backgrounds behind photos with transparent parts, so that subject and ground come apart.

A photo on one ground alone teaches both as one thing. Each photo is shown on several grounds
instead, and its caption names the one that is seen.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace

from training.recipe.concepts import TrainingPhoto
from training.recipe.recipe import Recipe

#: Names and sRGB values; the embedded base and captioner know these.
COLOURS = {
    "white": (255, 255, 255),
    "black": (24, 24, 24),
    "grey": (150, 150, 150),
    "red": (205, 60, 55),
    "orange": (240, 150, 60),
    "yellow": (245, 215, 95),
    "green": (75, 165, 90),
    "blue": (60, 110, 205),
    "light blue": (165, 210, 240),
    "purple": (135, 85, 175),
    "pink": (245, 175, 200),
    "brown": (130, 90, 65),
}
GROUND = re.compile(r",? on an? [\w ]+ background")


def lay_on_backgrounds(recipe: Recipe, transparent: Collection[str]) -> Recipe:
    """Return the recipe with its transparent photos, given by file, on several grounds each."""
    if not transparent or not recipe.random_backgrounds:
        return replace(recipe, random_backgrounds=0)
    others = tuple(
        replace(concept, photos=tuple(repeat_photos(recipe, concept.photos, transparent)))
        for concept in recipe.other_concepts
    )
    photos = tuple(repeat_photos(recipe, recipe.photos, transparent))
    return replace(recipe, photos=photos, other_concepts=others)


def repeat_photos(
    recipe: Recipe, photos: Collection[TrainingPhoto], transparent: Collection[str]
) -> Iterator[TrainingPhoto]:
    """Yield each photo once, a transparent one once for each of its grounds.

    The grounds go round all colours, so that none belongs to one photo.
    """
    names, count = tuple(COLOURS), recipe.random_backgrounds
    for at, photo in enumerate(photos):
        if photo.file not in transparent:
            yield photo
            continue
        for shift in range(count):
            name = names[(at * count + shift + recipe.seed) % len(names)]
            yield replace(photo, caption=name_ground(photo.caption, name), background=name)


def name_ground(caption: str, name: str) -> str:
    """Return a caption that names a ground, instead of another one if it does."""
    return f"{GROUND.sub('', caption)}, on a {name} background"
