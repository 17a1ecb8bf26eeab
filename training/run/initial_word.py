"""The initializer token of a new word: the known word that fits the photos best.

A word that starts far from its meaning takes long to learn. Each everyday word is tried in the
new word's place; the best one has the lowest denoising loss on the photos, with the same noise.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace

import torch
from torch import nn

from storage.events import Event
from storage.records import Base, Concept, JobCommand
from training import embedded, methods
from training.device import Device
from training.families import Family
from training.methods import embedding
from training.networks.conditioning import stack_conditions
from training.networks.networks import Networks
from training.recipe.recipe import Recipe
from training.run.examples import Example

Boundary = Callable[[], Generator[Event, JobCommand | None, JobCommand | None]]

#: (photos, words left): all words are tried on few photos, the best of them on more
ROUNDS = ((4, 16), (16, 1))


def is_needed(recipe: Recipe, base: Base) -> bool:
    """Return whether to look for a word: for a subject, on a tiny base, if none was given."""
    learns = methods.walk()[recipe.method].METHOD.learns_word and recipe.concept is Concept.SUBJECT
    return learns and base.small and not recipe.class_word.strip() and not recipe.initializer_token


def find_nearest(
    recipe: Recipe, examples: Sequence[Example], family: Family, device: Device, boundary: Boundary
) -> Generator[Event, JobCommand | None, tuple[str, JobCommand | None]]:
    """Return the word with the lowest loss, or "" and the command that interrupted the search."""
    words = list(embedded.known_words())
    for count, left in ROUNDS:
        tried, losses = examples[:: -(-len(examples) // count)], {}
        for word in words:
            command = yield from boundary()
            if command is not None:
                return "", command
            with device.autocast(), family.on_device("text", "denoiser"):
                losses[word] = measure_loss(recipe, tried, family, word)
        words = sorted(words, key=losses.__getitem__)[:left]
    return words[0], None


@torch.no_grad()
def measure_loss(recipe: Recipe, examples: Sequence[Example], family: Family, word: str) -> float:
    """Return the base's loss on examples with a known word in the new one's place."""
    networks = family.networks
    vectors = {
        each.name: each.embedding.weight.detach()[each.encode(word)]
        for each in networks.vocabularies
    }
    captions = [recipe.photos[each.photo].caption for each in examples]
    with networks.with_words({recipe.trigger: vectors}):
        prompts = family.embed_prompts(
            torch.stack([family.tokenize(text)[0] for text in captions])
        )
    latents = torch.stack([each.latent for each in examples])
    conditions = {**prompts, **stack_conditions([each.size_conditioning for each in examples])}
    noise = torch.Generator().manual_seed(0)  # the same for every word
    return family.loss(latents, conditions, noise, min_snr_gamma=0.0).item()


@torch.no_grad()
def set_vectors(
    recipe: Recipe, networks: Networks, parameters: Mapping[str, nn.Parameter]
) -> None:
    """Set the new word's vectors to those of the recipe's initializer token."""
    for each in networks.vocabularies:
        vectors = parameters[each.name]
        as_many = replace(recipe, rank=len(vectors))
        vectors.copy_(embedding.initial_vectors(networks, as_many)[each.name])
