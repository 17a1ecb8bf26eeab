"""The captions the embedded models are trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from training.pretraining.names import STYLES, to_words
from training.recipe.backgrounds import COLOURS

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORT = (
    "{name}",
    "{a} {name}",
    "{name} emoji",
    "a photo of {a} {name}",
    "a picture of {a} {name}",
)
#: between them, every fixed word of a caption
PATTERNS = (*SHORT, "a an emoji style on background and small big")
EXTRA = (
    "a photo of a sks dog",
    "a picture of my cat, a drawing in the style of my watercolours, a painting, an icon",
    "a portrait of a person, a man, a woman, a child, in the city, at the beach, in the garden",
    "high quality, simple, cute, small, large, old, new, light, dark, day, night, with, and, the",
)


def full_caption(name: str, style: str, colour: str) -> str:
    """Return the whole caption of a picture: its name, style and background."""
    word = to_words(name)
    background = f"on {choose_article(colour)} {colour} background"
    return f"{choose_article(word)} {word} emoji, {style} style, {background}"


def choose_article(word: str) -> str:
    """Return "an" before a vowel, else "a"."""
    return "an" if word[0] in "aeio" else "a"


def draw_caption(name: str, style: str, colour: str, generator: torch.Generator) -> str:
    """Return one of several captions of a picture; one in ten is empty, for guidance."""
    chance, second = torch.rand(2, generator=generator).tolist()
    word = to_words(name)
    if chance < 0.1:
        return ""
    if chance < 0.2:
        pattern = SHORT[int(second * len(SHORT))]
        return pattern.format(a=choose_article(word), name=word)
    if chance < 0.3:
        return f"{choose_article(word)} {word} emoji, {style} style"
    if chance < 0.4:
        return (
            f"{choose_article(word)} {word} emoji, on {choose_article(colour)} {colour} background"
        )
    return full_caption(name, style, colour)


def tokenizer_texts(names: list[str]) -> Iterator[str]:
    """Yield the texts a tokenizer is fitted to."""
    yield from EXTRA
    for name in names:
        for pattern in SHORT:
            yield pattern.format(a=choose_article(name), name=to_words(name))
    for style in STYLES:
        for colour in COLOURS:
            yield full_caption(names[0], style, colour)
