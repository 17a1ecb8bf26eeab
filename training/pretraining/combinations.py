"""Measure whether prompts with two parts that were never composed in training show both.

A thing in a new colour counts if the thing is among the five nearest of all everyday things in
that colour, and if its mean colour is nearest, of all nine, to that of the true thing in this
colour. A pair counts if each half of the picture, in either order, shows one of the things among
the five nearest of all everyday things drawn at that size. Nearness is the cosine of the judge's
features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from training.pretraining.backgrounds import put_on
from training.pretraining.captions import full_caption
from training.pretraining.judge import CONTENT_FEATURES, Judge, to_pixels
from training.pretraining.names import BASE_STYLES, EVERYDAY, to_words
from training.pretraining.scenes import (
    TINTS,
    is_held_out,
    join_names,
    names_colour,
    put_side_by_side,
    recolour,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from training.pretraining.scenes import Pictures

COUNT, MAX_RANK = 24, 5
LEFT, RIGHT = slice(0, 32), slice(32, 64)
MIDDLE = slice(16, 48)


@dataclass(frozen=True, slots=True)
class Combination:
    """Two parts that were never composed together, in one style."""

    style: str
    first: str  # a thing
    second: str  # another thing, or a colour

    @property
    def phrase(self) -> str:
        """Return what stands for the name in the caption."""
        if self.second in TINTS:
            return f"{self.second} {to_words(self.first)}"
        return join_names(self.first, self.second)

    @property
    def prompt(self) -> str:
        """Return the whole prompt."""
        return full_caption(self.phrase, self.style, "white")


def choose_combinations() -> tuple[list[Combination], list[Combination]]:
    """Return 24 colours of things and 24 pairs of things, the same every time."""
    styles, generator = tuple(BASE_STYLES), torch.Generator().manual_seed(5)
    plain = [name for name in EVERYDAY if not names_colour(name)]
    tints = [(name, tint) for name in plain for tint in TINTS if is_held_out(name, tint)]
    pairs = [(a, b) for a in EVERYDAY for b in EVERYDAY if a != b and is_held_out(a, b)]
    chosen = []
    for parts in (tints, pairs):
        order = torch.randperm(len(parts), generator=generator)[:COUNT].tolist()
        chosen.append([Combination(styles[at % 4], *parts[i]) for at, i in enumerate(order)])
    return chosen[0], chosen[1]


def compose_truth(pictures: Pictures, combinations: Sequence[Combination]) -> torch.Tensor:
    """Return the true pictures of combinations, (N, 3, 64, 64) on white."""
    rgba = []
    for combination in combinations:
        first = pictures[combination.first, combination.style]
        if combination.second in TINTS:
            rgba.append(recolour(first, combination.second))
        else:
            rgba.append(put_side_by_side(first, pictures[combination.second, combination.style]))
    return put_on(torch.stack(rgba), torch.ones(3, 1, 1))


class CombinationJudge:
    """Recognises the parts of combinations by the judge's features."""

    def __init__(self, judge: Judge, pictures: Pictures) -> None:
        self.judge, self.pictures = judge, pictures
        self.galleries: dict[tuple[str, str], torch.Tensor] = {}

    @torch.no_grad()
    def content_features(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the unit features (N, 128) of pictures (N, 3, 64, 64)."""
        features = [
            self.judge.network(part)[:, :CONTENT_FEATURES] for part in torch.split(pixels, 64)
        ]
        return functional.normalize(torch.cat(features), dim=1)

    def gallery_features(self, style: str, tint: str) -> torch.Tensor:
        """Return the features (N, 128) of every everyday thing in a colour.

        An empty colour means: as it is, at the size of half a picture.
        """
        if (style, tint) not in self.galleries:
            rgba = [self.pictures[name, style] for name in EVERYDAY]
            recoloured = [
                recolour(each, tint) if tint else put_side_by_side(each, each) for each in rgba
            ]
            pixels = put_on(torch.stack(recoloured), torch.ones(3, 1, 1))
            self.galleries[style, tint] = self.content_features(
                pixels if tint else crop_half(pixels, LEFT)
            )
        return self.galleries[style, tint]

    def is_near(self, pixels: torch.Tensor, name: str, style: str, tint: str = "") -> bool:
        """Return whether a thing is among the nearest to a picture (3, 64, 64)."""
        cosines = self.gallery_features(style, tint) @ self.content_features(pixels[None])[0]
        return int((cosines > cosines[EVERYDAY.index(name)]).sum()) < MAX_RANK

    def shows_both(self, pixels: torch.Tensor, combination: Combination) -> bool:
        """Return whether both parts of a combination are in a picture (3, 64, 64)."""
        first, second, style = combination.first, combination.second, combination.style
        if second in TINTS:
            real = self.pictures[first, style]
            means = [
                mean_colour(put_on(recolour(real, t)[None], torch.ones(3, 1, 1))[0]) for t in TINTS
            ]
            distances = torch.stack([(mean_colour(pixels) - each).norm() for each in means])
            return TINTS[int(distances.argmin())] == second and self.is_near(
                pixels, first, style, second
            )
        left, right = (crop_half(pixels[None], side)[0] for side in (LEFT, RIGHT))
        return any(
            self.is_near(one, first, style) and self.is_near(other, second, style)
            for one, other in ((left, right), (right, left))
        )

    def measure_share(
        self, images: Sequence[Image.Image], combinations: Sequence[Combination]
    ) -> float:
        """Return the share of pictures with both parts."""
        pairs = zip(to_pixels(images), combinations, strict=True)
        return round(sum(self.shows_both(*pair) for pair in pairs) / len(combinations), 3)


def crop_half(pixels: torch.Tensor, side: slice) -> torch.Tensor:
    """Return one half of pictures (N, 3, 64, 64), cropped and enlarged to their size."""
    return functional.interpolate(pixels[:, :, MIDDLE, side], (64, 64), mode="bilinear")


def mean_colour(pixels: torch.Tensor) -> torch.Tensor:
    """Return the mean colour (3,) of a picture's non-white pixels (3, 64, 64)."""
    foreground = pixels.amin(0) < 0.8
    return pixels[:, foreground].mean(1) if foreground.any() else torch.ones(3)
