"""Where a learned word begins: the known word that tells most of what the photos show.

A word that begins at nothing has far to go. Each everyday name is spoken in the new word's place,
and the base errs least, seeing through the same noise, with the one that is nearest.
"""

from __future__ import annotations

from dataclasses import replace
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
    from training.families import Family
    from training.recipe import Recipe

FEW = 4  #: photos that are looked at


def begun(recipe: Recipe, family: Family, photos: Path, bases: Bases) -> Recipe:
    """Write down where a subject's word begins, unless it is said; on a tiny base, being quick."""
    learns = methods.walk()[recipe.method].METHOD.word and recipe.concept is Concept.SUBJECT
    if not learns or recipe.word.strip() or recipe.start or not bases.find(recipe.base).small:
        return recipe
    return replace(recipe, start=nearest(recipe, family, photos))


@torch.no_grad()
def nearest(recipe: Recipe, family: Family, photos: Path) -> str:
    """Find the everyday name with which the base errs least about some of the photos."""
    some = recipe.photos[:: -(-len(recipe.photos) // FEW)]
    asked = replace(recipe, photos=some, others=(), sides=(), masked=False)
    examples = encoded(family, asked, photos)
    latents = torch.stack([each.latent for each in examples])
    framed = stacked([each.framed for each in examples])

    def error(name: str) -> float:
        said = [shot.caption.replace(recipe.trigger, spoken(name)) for shot in some]
        read = family.states(torch.stack([family.tokens(text)[0] for text in said]))
        noise = torch.Generator().manual_seed(recipe.seed)
        return family.loss(latents, {**read, **framed}, noise, gamma=0.0).item()

    return spoken(min(EVERYDAY, key=error))
