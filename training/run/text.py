"""What the network reads of captions: encoded once where nothing changes them, else at each step.

Both ways of changing them draw from the seed and the step alone: a caption may be dropped, so that
the network also learns to draw without one (Ho and Salimans 2022, arXiv 2207.12598, section 3.1),
and the parts of a caption, between commas, may be shuffled, so that none counts by its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from training.networks.conditioning import apart, stacked
from training.recipe.concepts import contains_trigger
from training.run.examples import step_generator

if TYPE_CHECKING:
    from training.device import Device
    from training.families import Family
    from training.networks.conditioning import Conditions
    from training.recipe.recipe import Recipe

ENCODE_BATCH_SIZE = 8  # captions at once


class CaptionEncoder:
    """The captions of a run, read to its network."""

    def __init__(self, family: Family, recipe: Recipe, device: Device, *, learns: bool) -> None:
        self.family, self.recipe, self.learns = family, recipe, learns
        self.captions = [
            *(shot.caption for shot in recipe.all_photos),
            "",
        ]  # the last: one is dropped
        self.triggers = {at: name for name, photos in recipe.photo_ranges.items() for at in photos}
        self.tokens = [self.tokenize(caption) for caption in self.captions]
        self.encoded: list[Conditions] = []
        if not encodes_each_step(recipe, learns=learns):
            with torch.no_grad(), device.autocast(), family.present("text"):
                for start in range(0, len(self.tokens), ENCODE_BATCH_SIZE):
                    tokens = torch.stack(self.tokens[start : start + ENCODE_BATCH_SIZE])
                    self.encoded += apart(family.states(tokens))

    def conditions_at(self, step: int, photos: tuple[int, ...]) -> Conditions:
        """Give what is read of these photos' captions at a step."""
        heard = (
            self.drop_captions(step, photos) if self.recipe.caption_dropout_rate else list(photos)
        )
        if self.encoded:
            return stacked([self.encoded[photo] for photo in heard])
        with torch.set_grad_enabled(self.learns):
            return self.family.states(torch.stack(self.tokens_at(step, heard)))

    def drop_captions(self, step: int, photos: tuple[int, ...]) -> list[int]:
        """Drop some captions: the last one, which says nothing, takes their place."""
        generator = step_generator(self.recipe.seed, step, "silence")
        silent = torch.rand(len(photos), generator=generator) < self.recipe.caption_dropout_rate
        return torch.tensor(photos).masked_fill(silent, -1).tolist()

    def tokens_at(self, step: int, photos: list[int]) -> list[Tensor]:
        """Give the tokens of captions as they are said at a step."""
        if not self.recipe.shuffle_caption:
            return [self.tokens[photo] for photo in photos]
        generator = step_generator(self.recipe.seed, step, "shuffle")
        return [
            self.tokenize(
                shuffle_caption(self.captions[photo], self.triggers.get(photo, ""), generator)
            )
            for photo in photos
        ]

    def tokenize(self, caption: str) -> Tensor:
        """Turn a caption into token ids (V, T)."""
        return self.family.tokens(caption)[0]


def encodes_each_step(recipe: Recipe, *, learns: bool) -> bool:
    """Tell whether captions are read at each step: their words, or what they become, change."""
    return learns or recipe.shuffle_caption


def shuffle_caption(caption: str, trigger: str, generator: torch.Generator) -> str:
    """Shuffle the parts between commas; the one that says the trigger comes first."""
    parts = [part for part in (part.strip() for part in caption.split(",")) if part]
    kept = next((part for part in parts if contains_trigger(part, trigger)), None)
    if kept is not None:
        parts.remove(kept)
    order = torch.randperm(len(parts), generator=generator).tolist()
    return ", ".join(([] if kept is None else [kept]) + [parts[at] for at in order])
