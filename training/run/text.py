"""Captions as the network reads them: encoded once, or at each step if training changes them.

A caption may be dropped, so that the network also learns to draw without one (Ho and Salimans
2022, arXiv 2207.12598, section 3.1). Its parts between commas may be shuffled, so that their order
does not matter. Both draw from the seed and the step alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from storage.events import Note
from storage.names import contains_trigger
from storage.planning.caption_length import find_lost_words
from training.device import Device, send
from training.families import Family
from training.networks.conditioning import Conditions, split_conditions, stack_conditions
from training.recipe.recipe import Recipe
from training.run.examples import step_generator

ENCODE_BATCH_SIZE = 8


class CaptionEncoder:
    """The captions of a run and what the text encoder makes of them."""

    def __init__(self, family: Family, recipe: Recipe, device: Device, *, learns: bool) -> None:
        self.family, self.recipe, self.device = family, recipe, device
        self.learns = learns  #: whether the text encoder, or a word, is trained
        #: of every photo, then the empty one that stands for a dropped caption
        self.captions = [*(photo.caption for photo in recipe.all_photos), ""]
        self.triggers = {at: name for name, photos in recipe.photo_ranges.items() for at in photos}
        tokenized = [family.tokenize(caption) for caption in self.captions]
        self.tokens = [ids for ids, _ in tokenized]
        self.cut = [at for at, (_, count) in enumerate(tokenized) if count]  #: longer captions
        self.encodes_each_step = learns or recipe.shuffle_caption
        self.encoded: list[Conditions] = []
        if not self.encodes_each_step:
            with torch.no_grad(), device.autocast(), family.on_device("text"):
                for start in range(0, len(self.tokens), ENCODE_BATCH_SIZE):
                    tokens = torch.stack(self.tokens[start : start + ENCODE_BATCH_SIZE])
                    self.encoded += split_conditions(family.embed_prompts(tokens))

    def note_cut(self) -> Iterator[Note]:
        """Yield notes on captions and sample prompts that the text encoder does not read whole."""
        for prompt in self.recipe.prompts:
            if words := self.lost_words(prompt.text):
                yield Note("sample_cut", {"prompt": prompt.text, "words": words})
        if self.cut:
            words = self.lost_words(self.captions[self.cut[0]])
            facts = {"cut": len(self.cut), "captions": len(self.captions) - 1, "words": words}
            yield Note("captions_cut", facts)

    def lost_words(self, text: str) -> str:
        """Return the words at the end of a text that are not read."""
        return find_lost_words(text, lambda part: self.family.tokenize(part)[1])

    def conditions_at(self, step: int, photos: tuple[int, ...]) -> Conditions:
        """Return what the denoiser reads of these photos' captions at a step, as one batch.

        Where the text encoder learns, that is their `tokens` (B, V, T), read within the step.
        """
        dropout = self.recipe.caption_dropout_rate
        captions = self.drop_captions(step, photos) if dropout else list(photos)
        if not self.encodes_each_step:
            return stack_conditions([self.encoded[caption] for caption in captions])
        tokens = torch.stack(self.tokens_at(step, captions))
        if self.learns:
            return {"tokens": send(tokens, self.device.torch_device)}
        with torch.no_grad():
            return self.family.embed_prompts(tokens)

    def plain_conditions(self, photos: Sequence[int]) -> list[Conditions]:
        """Return what the denoiser reads of each caption, neither dropped nor shuffled."""
        if self.encoded:
            return [self.encoded[photo] for photo in photos]
        tokens = [self.tokens[photo] for photo in photos]
        if self.learns:
            return [{"tokens": ids} for ids in tokens]
        with torch.no_grad(), self.device.autocast(), self.family.on_device("text"):
            return list(split_conditions(self.family.embed_prompts(torch.stack(tokens))))

    def drop_captions(self, step: int, photos: tuple[int, ...]) -> list[int]:
        """Return the photos' numbers, with that of the empty caption for dropped ones."""
        generator = step_generator(self.recipe.seed, step, "silence")
        dropped = torch.rand(len(photos), generator=generator) < self.recipe.caption_dropout_rate
        return torch.tensor(photos).masked_fill(dropped, -1).tolist()

    def tokens_at(self, step: int, captions: list[int]) -> list[Tensor]:
        """Return the token ids (V, T) of captions at a step, shuffled if the recipe says so."""
        if not self.recipe.shuffle_caption:
            return [self.tokens[at] for at in captions]
        generator = step_generator(self.recipe.seed, step, "shuffle")
        return [
            self.tokenize(shuffle_caption(self.captions[at], self.triggers.get(at, ""), generator))
            for at in captions
        ]

    def tokenize(self, caption: str) -> Tensor:
        """Return the token ids (V, T) of a caption, a row for each vocabulary."""
        return self.family.tokenize(caption)[0]


def shuffle_caption(caption: str, trigger: str, generator: torch.Generator) -> str:
    """Shuffle the parts between commas; the one with the trigger comes first."""
    parts = [part for part in (part.strip() for part in caption.split(",")) if part]
    kept = next((part for part in parts if contains_trigger(part, trigger)), None)
    if kept is not None:
        parts.remove(kept)
    order = torch.randperm(len(parts), generator=generator).tolist()
    return ", ".join(([] if kept is None else [kept]) + [parts[at] for at in order])
