"""Where a learned word begins: the known word that tells most of what the photos show.

A word that begins at nothing has far to go. Each everyday name is spoken in the new word's place,
and the base errs least, seeing through the same noise, with the one that is nearest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from storage.records import Concept
from training import embedded, methods
from training.methods import embedding
from training.networks.conditioning import stacked

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from torch import nn

    from storage.events import Event
    from storage.records import Base, JobCommand
    from training.device import Device
    from training.families import Family
    from training.networks.networks import Networks
    from training.recipe.recipe import Recipe
    from training.run.examples import Example

    Boundary = Callable[[], Generator[Event, JobCommand | None, JobCommand | None]]

#: photos that are looked at, and names that are left after it: all by few, the best by more
ROUNDS = ((4, 16), (16, 1))


def is_needed(recipe: Recipe, base: Base) -> bool:
    """Tell whether nobody said where a subject's word begins; on a tiny base, as that is quick."""
    learns = methods.walk()[recipe.method].METHOD.learns_word and recipe.concept is Concept.SUBJECT
    return learns and base.small and not recipe.class_word.strip() and not recipe.initializer_token


def find_nearest(
    recipe: Recipe, examples: Sequence[Example], family: Family, device: Device, boundary: Boundary
) -> Generator[Event, JobCommand | None, tuple[str, JobCommand | None]]:
    """Find the name with which the base errs least; none where somebody wishes something else."""
    names = list(embedded.known_words())
    for count, left in ROUNDS:
        some, errors = examples[:: -(-len(examples) // count)], {}
        for name in names:
            wish = yield from boundary()
            if wish is not None:
                return "", wish
            with device.autocast(), family.present("text", "denoiser"):
                errors[name] = measure_loss(recipe, some, family, name)
        names = sorted(names, key=errors.__getitem__)[:left]
    return names[0], None


@torch.no_grad()
def measure_loss(recipe: Recipe, some: Sequence[Example], family: Family, name: str) -> float:
    """Measure how far the base is off with a name in the word's place, the same noise added."""
    networks = family.networks
    known = {
        each.name: each.table.weight.detach()[each.spell(name)] for each in networks.vocabularies
    }
    captions = [recipe.photos[each.photo].caption for each in some]
    with networks.speaking({recipe.trigger: known}):
        read = family.states(torch.stack([family.tokens(text)[0] for text in captions]))
    latents = torch.stack([each.latent for each in some])
    heard = {**read, **stacked([each.framed for each in some])}
    return family.loss(latents, heard, torch.Generator().manual_seed(0), gamma=0.0).item()


@torch.no_grad()
def set_vectors(
    recipe: Recipe, networks: Networks, parameters: Mapping[str, nn.Parameter]
) -> None:
    """Let the word's vectors, among what is trained, begin where the recipe says."""
    for each in networks.vocabularies:
        vectors = parameters[each.name]
        asked = replace(recipe, rank=len(vectors))
        vectors.copy_(embedding.begin(networks, asked)[each.name])
