"""Grade what a style draws beside the photos that it was taught with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from PIL import Image

from training.judge.features import FeatureExtractor
from training.judge.forgetting import measure_forgetting
from training.judge.likeness import measure_floor, measure_likeness
from training.judge.memorisation import KnownPhotos, Nearest
from training.judge.obedience import MIN_SHARE, list_wanted, list_words, measure_obedience
from training.judge.score import Grades, Score, average, score_seeds
from training.judge.variety import measure_spread, measure_variety
from training.lazy import Tensor, torch

Pictures: TypeAlias = Sequence[Image.Image]
Describe: TypeAlias = Callable[[Pictures], Sequence[str]]  #: a captioner
#: of the photos' spread: pictures of few prompts vary less than photos do, and that is no fault
WANTED_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Taught:
    """What a style was taught with."""

    photos: Pictures
    held_out: Pictures = ()  #: kept out of training; pictures are compared with them if there are
    words: Collection[str] = ()  #: in prompts that no captioner knows: the trigger
    captions: Sequence[str] = ()  #: of the photos: what a caption says may be asked for


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture with its prompt."""

    picture: Image.Image
    prompt: str
    seed: int = 0  #: pictures of one are graded together, whatever their prompts


@dataclass(frozen=True, slots=True)
class Kept:
    """Pictures of prompts without the trigger, by the base and with the style, seed by seed."""

    base: Pictures
    style: Pictures


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a set of pictures is worth."""

    score: Score
    grades: Grades  #: means over the seeds
    seeds: tuple[Grades, ...]
    nearest: tuple[Nearest, ...]  #: the photo nearest to each picture


class StyleJudge:
    """Knows the photos of one style, and what the base draws without it."""

    def __init__(
        self,
        extractor: FeatureExtractor,
        taught: Taught,
        base: Sequence[Drawn] = (),
        describe: Describe | None = None,
    ) -> None:
        """Look at the photos once; `base` is what the base draws for the prompts by itself."""
        self.extractor, self.describe, self.ignored = extractor, describe, taught.words
        self.captions = [set(list_words(each)) for each in taught.captions]
        self.known = KnownPhotos(extractor.extract(taught.photos), taught.photos)
        kept_out = taught.held_out
        self.compared = extractor.extract(kept_out) if kept_out else self.known.features
        without = extractor.extract([each.picture for each in base])
        self.floor = measure_floor(without, self.compared)
        spreads = [measure_spread(each) for each in (self.known.features, without)]
        self.wanted_spread = WANTED_SHARE * min([each for each in spreads if each], default=0.0)
        obeyed = self.measure_obedience(base)
        self.base_obedience = 1.0 if obeyed is None or not base else float(obeyed.mean())

    def judge(self, drawn: Sequence[Drawn], kept: Kept | None = None) -> Judgement:
        """Return what pictures are worth, and how far that may be off from seed to seed."""
        pictures = [each.picture for each in drawn]
        features = self.extractor.extract(pictures)
        nearest = self.known.find_nearest(pictures, features)
        columns = {
            "likeness": measure_likeness(features, self.compared, self.floor),
            "variety": measure_variety(features, self.wanted_spread),
            "copies": torch.tensor(
                [
                    float(one.copied and not self.asks_for(each.prompt, one.photo))
                    for one, each in zip(nearest, drawn, strict=True)
                ]
            ),
        }
        obeyed = self.measure_obedience(drawn)
        if obeyed is not None:
            columns["obedience"] = obeyed / max(self.base_obedience, MIN_SHARE)
        forgotten = self.measure_forgetting(kept) if kept else None
        seeds = [
            Grades(
                **{name: min(1.0, float(each[places].mean())) for name, each in columns.items()},
                forgetting=forgotten,
            )
            for places in list_seeds(drawn)
        ]
        return Judgement(score_seeds(seeds), average(seeds), tuple(seeds), tuple(nearest))

    def asks_for(self, prompt: str, photo: int) -> bool:
        """Return whether a prompt asks for what tells a photo from others by its caption.

        A picture that is then the same is no copy: the prompt got what it asked for.
        """
        if photo >= len(self.captions):
            return False
        words = set(list_words(prompt)) - set(list_words(" ".join(self.ignored)))
        telling = words - self.captions[photo].intersection(*self.captions)
        return bool(telling) and telling <= self.captions[photo]

    def measure_obedience(self, drawn: Sequence[Drawn]) -> Tensor | None:
        """Return the share (N,) of each prompt that its picture shows; None without captioner."""
        if self.describe is None:
            return None
        wanted = list_wanted([each.prompt for each in drawn], self.ignored)
        return measure_obedience(wanted, self.describe([each.picture for each in drawn]))

    def measure_forgetting(self, kept: Kept) -> float:
        """Return how far pictures without the trigger have moved, on average."""
        base, style = (self.extractor.extract(each) for each in (kept.base, kept.style))
        return float(measure_forgetting(base, style).mean())


def list_seeds(drawn: Sequence[Drawn]) -> list[list[int]]:
    """Return the places of the pictures of each seed."""
    seeds = dict[int, list[int]]()
    for at, each in enumerate(drawn):
        seeds.setdefault(each.seed, []).append(at)
    return [*seeds.values()]
