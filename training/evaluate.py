"""Grade a style: draw what it should and should not change, and compare that with its photos."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from PIL import Image

from storage.records import Concept
from training.device import Device
from training.families import Family, Picture
from training.judge.binding import Bindings, measure_shift
from training.judge.encoders import measure_by_encoders
from training.judge.features import FeatureExtractor
from training.judge.inception import InceptionNet
from training.judge.likeness import measure_likeness, measure_own_likeness
from training.judge.prompts import list_prompts, list_unrelated, name_bindings
from training.judge.score import MIN_SEEDS
from training.judge.sets import SetScore, score_sets
from training.judge.style_judge import Describe, Drawn, Judgement, Kept, StyleJudge, Taught
from training.lazy import Tensor, torch
from training.sample import LoadedStyle, draw_pictures, split_by_memory

SEEDS = MIN_SEEDS
FIRST_SEED = 7000  #: of the pictures; no training uses it
STEPS = 20  #: of the sampler
#: Draws pictures, and yields how many after each batch of them.
Drawing: TypeAlias = Generator[int, None, list[Drawn]]


@dataclass(frozen=True, slots=True)
class Case:
    """A style to grade, and what is known of it."""

    photos: Sequence[Image.Image]
    trigger: str
    concept: Concept
    class_word: str
    prompts: int  #: of the protocol's; the first ones
    small: bool  #: whether the base draws emoji alone
    seeds: int = SEEDS  #: of each prompt
    captions: Sequence[str] = ()  #: of the photos, where they have any

    def list_prompts(self) -> list[str]:
        """List the prompts that call the style."""
        listed = list_prompts(self.trigger, self.concept, self.class_word, small=self.small)
        return listed[: self.prompts]

    def name_bindings(self) -> dict[str, str]:
        """Return prompts with the trigger alone, with the class word, with neither."""
        return name_bindings(self.trigger, self.concept, self.class_word, small=self.small)

    def say_plainly(self, drawn: Sequence[Drawn]) -> list[Drawn]:
        """Return pictures with prompts in words that other networks know, without the trigger."""
        named = f"{self.trigger} {self.class_word}"
        texts = [
            each.prompt.replace(named, self.class_word).replace(self.trigger, self.class_word)
            for each in drawn
        ]
        pairs = zip(drawn, texts, strict=True)
        return [Drawn(each.picture, " ".join(text.split())) for each, text in pairs]

    def count_pictures(self) -> int:
        """Return how many pictures `evaluate` draws."""
        asked, unrelated = len(self.list_prompts()), len(list_unrelated(small=self.small))
        bound = len(self.name_bindings()) + 1
        return asked * (1 + self.seeds) + bound * SEEDS + 2 * unrelated


@dataclass(frozen=True, slots=True)
class Painter:
    """A base with a style for it."""

    family: Family
    device: Device
    style: LoadedStyle | None  #: None draws as the base does
    side: int  #: pixels
    steps: int = STEPS  #: of the sampler

    def draw(self, prompts: Sequence[str], seeds: int = SEEDS, *, bare: bool = False) -> Drawing:
        """Draw each prompt from the same seeds, with the style or without."""
        pictures = [
            Picture(prompt, "", FIRST_SEED + seed, self.steps, self.side, self.side)
            for prompt in prompts
            for seed in range(seeds)
        ]
        images: list[Image.Image] = []
        for batch in split_by_memory(self.family, self.device, pictures):
            style = None if bare else self.style
            images += draw_pictures(self.family, self.device, batch, style)
            yield len(batch)
        pairs = zip(images, pictures, strict=True)
        return [Drawn(image, picture.prompt, picture.seed) for image, picture in pairs]


@dataclass(frozen=True, slots=True)
class Drawings:
    """All that is drawn of a style."""

    plain: list[Drawn]  #: by the base, one for each prompt
    styled: list[Drawn]  #: with the style, `Case.seeds` for each prompt
    bound: dict[str, list[Drawn]]  #: of each of `name_bindings`, with the style
    unbound: list[Drawn]  #: by the base, with neither trigger nor class word
    unrelated: Kept

    @property
    def kept(self) -> Kept:
        """What should stay as it was."""
        base, style = self.unbound[0].picture, self.bound["neither"][0].picture
        return Kept([base, *self.unrelated.base], [style, *self.unrelated.style])


@dataclass(frozen=True, slots=True)
class Report:
    """What a style is worth."""

    judgement: Judgement
    drawn: list[Drawn]  #: one prompt after the other
    photos: Sequence[Image.Image]
    kept_prompts: list[str]  #: without the trigger, to see what is forgotten
    similarity: float  #: mean cosine to the photos
    own_likeness: float  #: the photos' to each other
    drift: float  #: mean distance from the base's pictures of `kept_prompts`
    bindings: Bindings
    shift: float | None  #: of a look: how far its pictures go from the base's to the photos'
    sets: list[SetScore]
    encoded: dict[str, float]  #: by the operator's CLIP and DINOv2; without them, none


@dataclass(frozen=True, slots=True)
class Judges:
    """Whoever looks at the pictures."""

    extractor: FeatureExtractor
    describe: Describe | None = None
    folder: Path | None = None  #: with the operator's Inception, CLIP and DINOv2
    device: torch.device | None = None  #: of those; None is the CPU


def evaluate(painter: Painter, case: Case, judges: Judges) -> Generator[int, None, Report]:
    """Draw and grade; tens of pictures for each kind of prompt. Yields as `Painter.draw` does."""
    made = yield from draw_all(painter, case)
    extractor, describe = Remembering(judges.extractor, {}), judges.describe
    words = (case.trigger, case.class_word)
    taught = Taught(case.photos, words=words, captions=case.captions)
    judge = StyleJudge(extractor, taught, made.plain, describe)
    judgement = judge.judge(made.styled, made.kept)
    photos = judge.known.features
    features = see(extractor, made.styled)
    before, after = (extractor.extract(each) for each in (made.kept.base, made.kept.style))
    seen = {name: see(extractor, each) for name, each in made.bound.items()}
    seen["base"] = see(extractor, made.unbound)
    bound = {
        name: float(measure_likeness(each, photos, judge.floor).mean())
        for name, each in seen.items()
    }
    shift = None
    if case.concept is Concept.LOOK:
        shift = measure_shift(see(extractor, made.plain), features[:: case.seeds], photos)
    return Report(
        judgement,
        made.styled,
        case.photos,
        [case.name_bindings()["neither"], *list_unrelated(small=case.small)],
        similarity=float((features @ photos.T).mean()),
        own_likeness=measure_own_likeness(photos),
        drift=float((1 - (before * after).sum(1)).mean()),
        bindings=Bindings(**bound),
        shift=shift,
        sets=score_drawn(judges, case, made.styled, (photos, features)),
        encoded=measure_by_encoders(
            judges.folder, judges.device, case.photos, case.say_plainly(made.styled)
        ),
    )


def score_drawn(
    judges: Judges, case: Case, drawn: Sequence[Drawn], features: tuple[Tensor, Tensor]
) -> list[SetScore]:
    """Return the set scores of what was drawn, given the features of photos and pictures."""
    inception = InceptionNet.load(judges.folder, judges.device)
    return score_sets(features, (case.photos, [each.picture for each in drawn]), inception)


def draw_all(painter: Painter, case: Case) -> Generator[int, None, Drawings]:
    """Draw `Case.count_pictures` pictures."""
    prompts, bindings = case.list_prompts(), case.name_bindings()
    plain = yield from painter.draw(prompts, 1, bare=True)
    styled = yield from painter.draw(prompts, case.seeds)
    together = yield from painter.draw([*bindings.values()])
    unbound = yield from painter.draw([bindings["neither"]], bare=True)
    unrelated = list_unrelated(small=case.small)
    before = yield from painter.draw(unrelated, 1, bare=True)
    after = yield from painter.draw(unrelated, 1)
    bound = {name: together[at * SEEDS : (at + 1) * SEEDS] for at, name in enumerate(bindings)}
    kept = Kept([each.picture for each in before], [each.picture for each in after])
    return Drawings(plain, styled, bound, unbound, kept)


@dataclass(frozen=True, slots=True)
class Remembering:
    """Looks at each picture once; those it was given must stay in memory."""

    extractor: FeatureExtractor
    known: dict[int, Tensor]

    def extract(self, pictures: Sequence[Image.Image]) -> Tensor:
        """Return the features (N, D) of pictures."""
        new = {id(each): each for each in pictures if id(each) not in self.known}
        seen = self.extractor.extract([*new.values()])
        self.known.update(zip(new, seen, strict=True))
        return torch.stack([self.known[id(each)] for each in pictures]) if pictures else seen


def see(extractor: FeatureExtractor, drawn: Sequence[Drawn]) -> Tensor:
    """Return the features of pictures that were drawn."""
    return extractor.extract([each.picture for each in drawn])
