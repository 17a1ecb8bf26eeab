"""Where a learned word begins: the known word that tells most of what the photos show.

A word that begins at nothing has far to go. Each everyday name is spoken in the new word's place,
and the base errs least, seeing through the same noise, with the one that is nearest.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import torch

from storage.records import Concept
from training import methods
from training.conditions import stacked
from training.embedded.names import EVERYDAY, spoken
from training.examples import encoded

if TYPE_CHECKING:
    from pathlib import Path

    from training.bases import Bases
    from training.examples import Example
    from training.families import Family
    from training.recipe import Recipe

#: photos that are looked at, and names that are left after it: all by few, the best by more
ROUNDS = ((4, 16), (16, 1))


def begun(recipe: Recipe, family: Family, photos: Path, bases: Bases) -> Recipe:
    """Write down where a subject's word begins, unless it is said; on a tiny base, being quick."""
    learns = methods.walk()[recipe.method].METHOD.word and recipe.concept is Concept.SUBJECT
    if not learns or recipe.word.strip() or recipe.start or not bases.find(recipe.base).small:
        return recipe
    return replace(recipe, start=nearest(recipe, family, photos))


@torch.no_grad()
def nearest(recipe: Recipe, family: Family, photos: Path) -> str:
    """Find the everyday name with which the base errs least about the photos."""
    asked = replace(recipe, others=(), sides=(), masked=False)
    examples, names = encoded(family, asked, photos), list(EVERYDAY)
    for count, left in ROUNDS:
        some = examples[:: -(-len(examples) // count)]
        names = sorted(names, key=partial(error, family, recipe, some))[:left]
    return spoken(names[0])


def error(family: Family, recipe: Recipe, some: list[Example], name: str) -> float:
    """Measure how far the base is off with a name in the word's place, the same noise added."""
    captions = [recipe.photos[each.photo].caption for each in some]
    said = [caption.replace(recipe.trigger, spoken(name)) for caption in captions]
    read = family.states(torch.stack([family.tokens(text)[0] for text in said]))
    latents = torch.stack([each.latent for each in some])
    heard = {**read, **stacked([each.framed for each in some])}
    return family.loss(latents, heard, torch.Generator().manual_seed(0), gamma=0.0).item()
