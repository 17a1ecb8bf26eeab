"""What a training will be, before it is asked for: arithmetic over the catalog's rules."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from storage.errors import UserError
from storage.records import Catalog, Concept, Dial, Optimizer, Plan, Rule

MAX_STEPS = 20_000  #: steps of one run
CHECKPOINTS_PER_RUN, MIN_CHECKPOINT_INTERVAL = (
    4,
    25,
)  #: in a run, the last step apart; steps between two at least
RATE_FACTORS = {
    Optimizer.PRODIGY: 1.0
}  #: rates that are only a factor of what an optimizer finds itself


def optimizer_learning_rate(learning_rate: float, optimizer: Optimizer) -> float:
    """Say at which rate an optimizer works where the dial's is for AdamW."""
    return RATE_FACTORS.get(optimizer, learning_rate)


def plan_training(  # noqa: PLR0913 - a plan is made of all that a member chose
    catalog: Catalog,
    *,
    method: str,
    base: str,
    dial: Dial,
    concept: Concept,
    photos: int,
    rank: int = 0,
) -> Plan:
    """Work out steps and file; `storage/planning/durations.py` adds the time.

    A rank of zero is the dial's; whole networks have none, but where one may be given for them
    (DreamBooth) a LoRA learns.
    """
    found = find_rule(catalog, method, base, dial, concept)
    if rank and not found.rank and any(rank_limits(catalog, method)):
        low = find_rule(catalog, "lora", base, dial, concept)
        found = replace(
            low, method=method, reason=found.reason, num_class_images=found.num_class_images
        )
    rank = rank if found.rank else 0
    asked = found.steps + found.steps_per_photo * (max(photos, 1) - 1)
    steps = min(max(asked, found.min_steps), found.max_steps)
    return Plan(
        method=method,
        base=base,
        dial=dial,
        photos=photos,
        steps=steps,
        rank=rank or found.rank,
        learning_rate=found.learning_rate,
        batch_size=found.batch_size,
        file_bytes=round(found.file_bytes * rank / found.rank) if rank else found.file_bytes,
        reasons=(found.reason,),
        num_class_images=found.num_class_images,
        memory_mib=found.memory_mib,
    )


def rank_limits(catalog: Catalog, method: str) -> tuple[int, int]:
    """Return which ranks a method can have; none, if nobody said."""
    return next((known.ranks for known in catalog.methods if known.name == method), (0, 0))


def checkpoint_interval(steps: int) -> int:
    """Say how many steps lie between two checkpoints, and the pictures on the way."""
    return max(MIN_CHECKPOINT_INTERVAL, math.ceil(steps / CHECKPOINTS_PER_RUN))


def combine_plans(first: Plan, others: Iterable[Plan]) -> Plan:
    """Plan to teach several concepts in one run: each gets the steps it would get alone."""
    plans = [first, *others]
    steps, photos = (sum(getattr(each, what) for each in plans) for what in ("steps", "photos"))
    return replace(first, steps=min(steps, MAX_STEPS), photos=photos)


def find_rule(catalog: Catalog, method: str, base: str, dial: Dial, concept: Concept) -> Rule:
    """Return the catalog's rule for a choice, or say what is unknown."""
    if not catalog.bases:
        raise UserError("scheduler_away")
    families = {known.name: known.family for known in catalog.bases}
    if base not in families:
        raise UserError("base_unknown", base=base, bases=list(families))
    for found in catalog.rules:
        if (found.method, found.base, found.dial, found.concept) == (method, base, dial, concept):
            return found
    offered = {(found.method, found.base) for found in catalog.rules}
    methods = [known.name for known in catalog.methods]
    if method in methods and (method, base) not in offered:
        raise UserError("method_family", method=method, family=families[base])
    raise UserError("method_unknown", method=method, methods=methods)
