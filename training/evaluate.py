"""Grade a style: draw what it should and should not change, and compare that with its photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from storage.records import Concept
from training.device import Device
from training.families import Family, Picture
from training.judge.features import FeatureExtractor
from training.judge.likeness import measure_likeness, measure_own_likeness
from training.judge.prompts import list_prompts, list_unrelated, name_bindings
from training.judge.score import MIN_SEEDS
from training.judge.style_judge import Describe, Drawn, Judgement, Kept, StyleJudge, Taught
from training.sample import LoadedStyle, draw_pictures, split_by_memory

SEEDS = MIN_SEEDS
FIRST_SEED = 7000  #: of the pictures; no training uses it
STEPS = 20  #: of the sampler


@dataclass(frozen=True, slots=True)
class Case:
    """A style to grade, and what is known of it."""

    photos: Sequence[Image.Image]
    trigger: str
    concept: Concept
    class_word: str
    prompts: int  #: of the protocol's; the first ones
    small: bool  #: whether the base draws emoji alone


@dataclass(frozen=True, slots=True)
class Painter:
    """A base with a style for it."""

    family: Family
    device: Device
    style: LoadedStyle
    side: int  #: pixels

    def draw(
        self, prompts: Sequence[str], seeds: int = SEEDS, *, bare: bool = False
    ) -> list[Drawn]:
        """Draw each prompt from the same seeds, with the style or without."""
        pictures = [
            Picture(prompt, "", FIRST_SEED + seed, STEPS, self.side, self.side)
            for prompt in prompts
            for seed in range(seeds)
        ]
        images: list[Image.Image] = []
        for batch in split_by_memory(self.family, self.device, pictures):
            style = None if bare else self.style
            images += draw_pictures(self.family, self.device, batch, style)
        pairs = zip(images, pictures, strict=True)
        return [Drawn(image, picture.prompt) for image, picture in pairs]


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
    bindings: dict[str, float]  #: likeness with the trigger alone, with the class word, neither
    leak: float  #: likeness that the style adds where neither is in the prompt


def evaluate(
    painter: Painter, case: Case, extractor: FeatureExtractor, describe: Describe | None
) -> Report:
    """Draw and grade; tens of pictures for each kind of prompt."""
    asked = list_prompts(case.trigger, case.concept, case.class_word, small=case.small)
    prompts = asked[: case.prompts]
    bindings = name_bindings(case.trigger, case.class_word, small=case.small)
    kept_prompts = [bindings["neither"], *list_unrelated(small=case.small)]
    taught = Taught(case.photos, words=(case.trigger, case.class_word))
    judge = StyleJudge(extractor, taught, painter.draw(prompts, 1, bare=True), describe)
    drawn = painter.draw(prompts)
    base, style = (painter.draw(kept_prompts, 1, bare=bare) for bare in (True, False))
    kept = Kept([each.picture for each in base], [each.picture for each in style])
    judgement = judge.judge(drawn, kept)
    photos = judge.known.features
    features = extractor.extract([each.picture for each in drawn])
    shown = {
        name: extractor.extract([each.picture for each in painter.draw([prompt])])
        for name, prompt in bindings.items()
    }
    bound = {
        name: float(measure_likeness(each, photos, judge.floor).mean())
        for name, each in shown.items()
    }
    before, after = (extractor.extract(each) for each in (kept.base, kept.style))
    untouched = float(measure_likeness(before[:1], photos, judge.floor).mean())
    return Report(
        judgement,
        drawn,
        case.photos,
        kept_prompts,
        similarity=float((features @ photos.T).mean()),
        own_likeness=measure_own_likeness(photos),
        drift=float((1 - (before * after).sum(1)).mean()),
        bindings=bound,
        leak=max(0.0, bound["neither"] - untouched),
    )
