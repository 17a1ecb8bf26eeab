"""The true quality of a style's pictures: how far they are from the base's to the real ones.

It is measured by the frozen judge on prompts and seeds that no score has seen: 0 is what the base
draws without the style, 1 the real pictures. For subjects the judge compares what a picture shows,
for looks the mean style of all pictures.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from benchmarks.teaching import runner, spec
from benchmarks.teaching.runner import Pictures
from training.pretraining.captions import full_caption
from training.pretraining.judge import CONTENT_FEATURES, Judge
from training.pretraining.names import BASE_STYLES, HELD_OUT_STYLES
from training.recipe.backgrounds import name_ground

GROUNDS = ("purple", "orange", "grey")  #: that neither photos nor scores have
Prompts = list[tuple[str, int]]  #: with the seed of each


def list_true_prompts(name: str) -> Prompts:
    """List 24 prompts with their seeds: half of a subject's name one of the base's styles."""
    if name in HELD_OUT_STYLES:
        texts = [caption for _, caption in spec.read_photos(f"{name}/measure")]
    else:
        styled = [full_caption(name, style, ground) for style in BASE_STYLES for ground in GROUNDS]
        plain = [name_ground(f"a {name} emoji", ground) for ground in GROUNDS] * len(BASE_STYLES)
        texts = styled + plain
    return [(text, runner.FIRST_SEED + at) for at, text in enumerate(texts)]


class Truth:
    """Grades the pictures of one concept's true prompts."""

    def __init__(self, judge: Judge, name: str, base: Pictures) -> None:
        self.judge, self.name = judge, name
        self.base = judge.extract_features(base)
        self.is_look = name in HELD_OUT_STYLES
        if self.is_look:
            names = [path.stem for path, _ in spec.read_photos(f"{name}/measure")]
            self.real = self.find_real([(each, name) for each in names])
        else:
            self.real = self.find_real([(name, style) for style in BASE_STYLES])

    def find_real(self, keys: list[tuple[str, str]]) -> torch.Tensor:
        """Return the features (N, 160) of real pictures by name and style."""
        galleries = self.judge.galleries
        found = [galleries[style].features[galleries[style].names.index(n)] for n, style in keys]
        return torch.stack(found)

    def grade(self, pictures: Pictures) -> list[float]:
        """Return the quality of each picture; their mean is that of all.

        Of a look these are jackknife pseudo-values, as only its mean style has a distance.
        """
        features = self.judge.extract_features(pictures)
        return self.grade_look(features) if self.is_look else self.grade_subject(features)

    def grade_look(self, features: torch.Tensor) -> list[float]:
        """Return the share of the base's distance that the mean style has covered."""
        count, whole = len(features), torch.arange(len(features))
        quality = self.cover_distance(features, whole)
        without = [self.cover_distance(features, whole[whole != at]) for at in range(count)]
        return [count * quality - (count - 1) * each for each in without]

    def cover_distance(self, features: torch.Tensor, rows: torch.Tensor) -> float:
        """Return 1 less the mean style's distance, of that of the base's pictures."""
        real = self.real[rows].mean(0)
        left, start = (
            float((each[rows].mean(0) - real)[CONTENT_FEATURES:].norm())
            for each in (features, self.base)
        )
        return 1 - left / start

    def grade_subject(self, features: torch.Tensor) -> list[float]:
        """Return how far each picture's likeness is from the base's mean to 1."""
        found, before = self.compare(features), self.compare(self.base)
        half = len(found) // 2  # of them with a style, and without one
        shares = [
            (found[part] - before[part].mean()) / (1 - before[part].mean())
            for part in (slice(half), slice(half, None))
        ]
        return torch.cat(shares).tolist()

    def compare(self, features: torch.Tensor) -> torch.Tensor:
        """Return the cosine (N,) to the real picture of a prompt's style, or the nearest one."""
        content, real = (each[:, :CONTENT_FEATURES] for each in (features, self.real))
        cosines = functional.normalize(content, dim=1) @ functional.normalize(real, dim=1).T
        half = len(features) // 2
        named = torch.arange(len(BASE_STYLES)).repeat_interleave(len(GROUNDS))
        styled = cosines[:half].gather(1, named[:, None])[:, 0]
        return torch.cat([styled, cosines[half:].amax(1)])
