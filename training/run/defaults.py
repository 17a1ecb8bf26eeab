"""From a request to a recipe: what base, family and method decide where nobody said otherwise."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

from storage.errors import JobError
from storage.options import SMALL_BACKGROUNDS
from storage.planning.plan import checkpoint_interval, count_checkpoints
from storage.planning.prompts import MIN_RESULT_STEPS, PREVIEW_PROMPTS, list_prompts
from storage.records import Base, Dial, Optimizer, Rule
from storage.requests import TrainRequest
from training import families, methods
from training.bases.cache import BaseCache
from training.recipe.backgrounds import lay_on_backgrounds
from training.recipe.concepts import (
    ConceptLike,
    ConceptPhotos,
    SamplePrompt,
    TrainingPhoto,
    add_trigger,
    class_prompt,
)
from training.recipe.recipe import Recipe

#: of the time; a thorough run needs all scores to end early, which saves more than they cost
SCORING_SHARES = {Dial.QUICK: 0.02, Dial.BALANCED: 0.1, Dial.THOROUGH: 0.25}
PATIENCE = 2  #: checkpoints of a thorough run without a better score


def complete_recipe(
    request: TrainRequest,
    base: Base,
    photos: Sequence[tuple[str, str]],
    transparent: Collection[str] = (),
    **more: Any,
) -> Recipe:
    """Return the recipe of a request.

    `photos` are (file, caption), `transparent` the files with transparent parts; `more` are
    further fields of the recipe. What is in `more` comes first, then the request's options, then
    what the method decides, then the family and the base.

    Raises JobError: "method_unknown", or whatever `Recipe` and `check_family` raise.
    """
    given = {f.name: getattr(request, f.name) for f in fields(Recipe) if hasattr(request, f.name)}
    decided = given | base_defaults(request, base, photos, more.get("other_concepts", ()))
    decided |= method_defaults(request, base)
    if more.get("optimizer", request.optimizer) is Optimizer.SCHEDULEFREE:
        decided |= {"ema_decay": 0.0, "lr_scheduler": "constant"}
    recipe = Recipe(**(decided | request.options | more))
    check_family(recipe)
    return lay_on_backgrounds(recipe, transparent)


def base_defaults(
    request: TrainRequest,
    base: Base,
    photos: Sequence[tuple[str, str]],
    others: Sequence[ConceptPhotos],
) -> dict[str, Any]:
    """Return the fields that follow from the base and the photos."""
    return {
        "family": base.family,
        "resolution": base.resolution,
        "photos": tuple(
            TrainingPhoto(file, add_trigger(caption, request, base)) for file, caption in photos
        ),
        "prompts": tuple(choose_prompts(request, base, others)),
        **choose_watching(request),
        "class_prompt": class_prompt(request, base),
        "random_backgrounds": SMALL_BACKGROUNDS if base.small else 0,
    }


def choose_watching(request: TrainRequest) -> dict[str, Any]:
    """Return how often checkpoints are written, and what scoring them may cost, by the dial.

    A thorough run has more of them, as it ends where scores rise no more.
    """
    thorough = request.dial is Dial.THOROUGH
    return {
        "save_every": checkpoint_interval(request.steps, count_checkpoints(request.dial)),
        "scoring_share": SCORING_SHARES[request.dial],
        "strength_share": 0.05 if thorough else 0.0,
        "patience": PATIENCE if thorough else 0,
    }


def choose_prompts(
    request: TrainRequest, base: Base, others: Sequence[ConceptPhotos]
) -> Iterator[SamplePrompt]:
    """Yield what previews show: one prompt of each further concept, or more after a long run.

    A member's own prompts come in place of those; the first ones are drawn on the way, too.
    """
    if own := request.sample_prompts:
        for at, text in enumerate(own):
            yield SamplePrompt(text, request.seed + at, at_end=at >= PREVIEW_PROMPTS)
        return
    concepts: list[ConceptLike] = [request, *others]
    first, *rest = (
        list_prompts(each.trigger, each.concept, each.class_word, small=base.small)
        for each in concepts
    )
    shown = [*first[:PREVIEW_PROMPTS], *(prompts[0] for prompts in rest)]
    later = first[PREVIEW_PROMPTS:] if request.steps >= MIN_RESULT_STEPS and not rest else []
    for at, text in enumerate(shown + later):
        yield SamplePrompt(text, request.seed + at, at_end=at >= len(shown))


def method_defaults(request: TrainRequest, base: Base) -> dict[str, Any]:
    """Return the fields that the family's objective and the method decide."""
    family = families.walk()[base.family]
    objective = {"min_snr_gamma": 0.0} if family.OBJECTIVE == "flow" else {}
    return objective | methods.find(request.method).defaults(request, base, family)


def fill_in_device(recipe: Recipe, bases: BaseCache) -> Recipe:
    """Return the recipe with what this worker chooses; a checkpoint keeps it."""
    base = bases.find(recipe.base)
    return replace(
        recipe,
        family=base.family,
        base_fingerprint=recipe.base_fingerprint or bases.fingerprint(recipe.base),
        precision=bases.device.precision,
        threads=recipe.threads or bases.device.cpu_threads(small=base.small),
        stepper=recipe.stepper or bases.device.stepper,
    )


def check_family(recipe: Recipe) -> None:
    """Raise JobError for options that mean nothing to the recipe's family.

    Min-SNR weighs what other objectives predict, and text encoders beside a flow stay frozen.
    """
    family = families.walk().get(recipe.family)
    if family is None or family.OBJECTIVE != "flow":
        return
    if recipe.min_snr_gamma:
        raise JobError("gamma_flow", family=recipe.family)
    if recipe.train_text_encoder:
        raise JobError("text_flow", family=recipe.family)


def rules(method: str, base: Base) -> Iterator[Rule]:
    """Return the rules of a method on a base; none where it is not made for the family."""
    return methods.find(method).rules(base, families.walk()[base.family])
