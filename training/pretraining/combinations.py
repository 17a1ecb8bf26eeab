"""New combinations: whether both parts of a prompt that was never composed are recognised.

A thing in a new colour counts when the thing is among the five nearest of all everyday things in
that colour, and its mean colour is nearest to that of the true thing in this colour of all nine.
A pair counts when each half of the picture, in either order, has its thing among the five nearest
of all everyday things drawn at that size. Nearness is the cosine of the judge's features.
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
    """Two parts that were never seen together, in one style."""

    style: str
    first: str  # a thing
    second: str  # another thing, or a colour

    @property
    def phrase(self) -> str:
        """Write what is asked for."""
        if self.second in TINTS:
            return f"{self.second} {to_words(self.first)}"
        return join_names(self.first, self.second)

    @property
    def prompt(self) -> str:
        """Write the prompt."""
        return full_caption(self.phrase, self.style, "white")


def choose_combinations() -> tuple[list[Combination], list[Combination]]:
    """Choose colours of things and pairs of things, the same every time."""
    styles, generator = tuple(BASE_STYLES), torch.Generator().manual_seed(5)
    plain = [name for name in EVERYDAY if not names_colour(name)]
    tints = [(name, tint) for name in plain for tint in TINTS if is_held_out(name, tint)]
    pairs = [(a, b) for a in EVERYDAY for b in EVERYDAY if a != b and is_held_out(a, b)]
    chosen = []
    for parts in (tints, pairs):
        order = torch.randperm(len(parts), generator=generator)[:COUNT].tolist()
        chosen.append([Combination(styles[at % 4], *parts[i]) for at, i in enumerate(order)])
    return chosen[0], chosen[1]


def compose_truth(pictures: Pictures, asked: Sequence[Combination]) -> torch.Tensor:
    """Compose what was asked for, (N, 3, 64, 64) on white."""
    rgba = []
    for question in asked:
        first = pictures[question.first, question.style]
        if question.second in TINTS:
            rgba.append(recolour(first, question.second))
        else:
            rgba.append(put_side_by_side(first, pictures[question.second, question.style]))
    return put_on(torch.stack(rgba), torch.ones(3, 1, 1))


class CombinationJudge:
    """Recognises the parts of pictures by the judge's features."""

    def __init__(self, critic: Judge, pictures: Pictures) -> None:
        self.critic, self.pictures = critic, pictures
        self.galleries: dict[tuple[str, str], torch.Tensor] = {}

    @torch.no_grad()
    def content_features(self, shown: torch.Tensor) -> torch.Tensor:
        """Give unit features (N, 128) of pictures (N, 3, 64, 64)."""
        seen = [self.critic.network(part)[:, :CONTENT_FEATURES] for part in torch.split(shown, 64)]
        return functional.normalize(torch.cat(seen), dim=1)

    def gallery_features(self, style: str, tint: str) -> torch.Tensor:
        """Give the features of every everyday thing: in a colour, or "" for half a picture."""
        if (style, tint) not in self.galleries:
            rgba = [self.pictures[name, style] for name in EVERYDAY]
            drawn = [
                recolour(each, tint) if tint else put_side_by_side(each, each) for each in rgba
            ]
            shown = put_on(torch.stack(drawn), torch.ones(3, 1, 1))
            self.galleries[style, tint] = self.content_features(
                shown if tint else crop_half(shown, LEFT)
            )
        return self.galleries[style, tint]

    def is_near(self, shown: torch.Tensor, name: str, style: str, tint: str = "") -> bool:
        """Tell whether a thing is among those nearest to a picture (3, 64, 64)."""
        near = self.gallery_features(style, tint) @ self.content_features(shown[None])[0]
        return int((near > near[EVERYDAY.index(name)]).sum()) < MAX_RANK

    def shows_both(self, shown: torch.Tensor, question: Combination) -> bool:
        """Tell whether both parts of a question are in a picture (3, 64, 64)."""
        first, second, style = question.first, question.second, question.style
        if second in TINTS:
            real = self.pictures[first, style]
            means = [
                mean_colour(put_on(recolour(real, t)[None], torch.ones(3, 1, 1))[0]) for t in TINTS
            ]
            apart = torch.stack([(mean_colour(shown) - each).norm() for each in means])
            return TINTS[int(apart.argmin())] == second and self.is_near(
                shown, first, style, second
            )
        left, right = (crop_half(shown[None], side)[0] for side in (LEFT, RIGHT))
        return any(
            self.is_near(one, first, style) and self.is_near(other, second, style)
            for one, other in ((left, right), (right, left))
        )

    def measure_share(self, drawn: Sequence[Image.Image], asked: Sequence[Combination]) -> float:
        """Give the share of pictures with both parts."""
        pairs = zip(to_pixels(drawn), asked, strict=True)
        return round(sum(self.shows_both(*pair) for pair in pairs) / len(asked), 3)


def crop_half(shown: torch.Tensor, side: slice) -> torch.Tensor:
    """Cut one half of pictures (N, 3, 64, 64) out and enlarge it to their size."""
    return functional.interpolate(shown[:, :, MIDDLE, side], (64, 64), mode="bilinear")


def mean_colour(shown: torch.Tensor) -> torch.Tensor:
    """Give the mean colour (3,) of what is not white in a picture (3, 64, 64)."""
    drawn = shown.amin(0) < 0.8
    return shown[:, drawn].mean(1) if drawn.any() else torch.ones(3)
