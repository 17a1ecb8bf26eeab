"""What a recipe may say: the limits of its numbers, and what does not go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.errors import JobError
from storage.records import Optimizer

if TYPE_CHECKING:
    from training.recipe.recipe import Recipe

#: families of flow matching: min-SNR weighs other targets, and what reads prompts is not trained
FLOWS = frozenset({"zimage"})
RATE = (1e-7, 0.1)
FACTOR = (0.01, 10)  # of the rate that Prodigy finds
SIDE = (16, 2048)
SIDES = 4
CONCEPTS = 5  # of one run
SCHEDULES = ("cosine", "constant")
#: of the ladder
RUNGS = ("frugal", "bytewise", "parted", "unaveraged", "factored", "quantised")
NUMBERS: dict[str, tuple[float, float]] = {
    "steps": (1, 20_000),
    "rank": (0, 128),  # of any method; each has its own limits within
    "batch": (1, 64),
    "parts": (1, 64),
    "seed": (0, 2**63 - 1),
    "resolution": SIDE,
    "ema": (0, 0.99999),
    "gamma": (0, 100),
    "offset": (0, 1),
    "silence": (0, 1),
    "decay": (0, 1),
    "dropout": (0, 0.9),
    "background": (0, 1),
    "prior": (0, 1000),
    "keep": (0, 10),
}


def check(recipe: Recipe) -> None:
    """Refuse a recipe that cannot be trained."""
    for what, limits in NUMBERS.items():
        between(what, getattr(recipe, what), limits)
    between("rate", recipe.rate, FACTOR if recipe.optimizer is Optimizer.PRODIGY else RATE)
    for side in recipe.sides:
        between("resolution", side, SIDE)
    if len(recipe.sides) > SIDES:
        raise JobError("sides_many", count=len(recipe.sides), most=SIDES)
    if recipe.schedule not in SCHEDULES:
        raise JobError("schedule_unknown", schedule=recipe.schedule, known=", ".join(SCHEDULES))
    if recipe.optimizer is Optimizer.SCHEDULEFREE and (
        recipe.ema or recipe.schedule != "constant"
    ):
        raise JobError("schedule_free")
    flowing(recipe)
    descended(recipe)
    taught(recipe)


def descended(recipe: Recipe) -> None:
    """Refuse rungs that are not on the ladder, and parts that do not make up a batch."""
    strange = [rung.name for rung in recipe.rungs if rung.name not in RUNGS]
    if strange or recipe.batch % recipe.parts:
        raise JobError("recipe_broken", reason=f"rungs {strange}, {recipe.parts} parts")


def flowing(recipe: Recipe) -> None:
    """Refuse what families of flow matching do not have."""
    if recipe.family in FLOWS and recipe.gamma:
        raise JobError("gamma_flow", family=recipe.family)
    if recipe.family in FLOWS and recipe.text:
        raise JobError("text_flow", family=recipe.family)


def taught(recipe: Recipe) -> None:
    """Refuse a recipe that does not say what it teaches."""
    name = recipe.name
    if not recipe.photos:
        raise JobError("no_photos")
    if not name.strip() or set(name) & set("/\\\0") or name.startswith("."):
        raise JobError("name_bad", most=64)
    apart(recipe)
    if recipe.prior and not recipe.word.strip():
        raise JobError("word_missing")


def apart(recipe: Recipe) -> None:
    """Refuse concepts that cannot be told apart, or are too many."""
    others = recipe.others
    if len(others) >= CONCEPTS:
        raise JobError("concepts_many", count=len(others) + 1, most=CONCEPTS)
    triggers = [recipe.trigger, *(other.trigger for other in others)]
    if not all(trigger.strip() for trigger in triggers):
        raise JobError("trigger_missing")
    if len({trigger.lower() for trigger in triggers}) < len(triggers):
        raise JobError("trigger_twice")
    if not all(other.photos for other in others):
        raise JobError("no_photos")
    if recipe.prior and any(other.word != recipe.word for other in others):
        raise JobError("prior_concepts")


def between(what: str, value: float, limits: tuple[float, float]) -> None:
    """Refuse a value outside its limits."""
    least, most = limits
    if not (isinstance(value, (int, float)) and least <= value <= most):
        raise JobError(f"{what}_range", value=value, least=least, most=most)
