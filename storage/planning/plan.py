"""Plan a training before it is queued: steps, rank and file size by the catalog's rules."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from storage.errors import UserError
from storage.limits import STEPS
from storage.records import Catalog, Concept, Dial, Optimizer, Rule

CHECKPOINTS_PER_RUN = 4
MIN_CHECKPOINT_INTERVAL = 25  #: steps
#: learning rates of optimizers that find it themselves, and take this as a factor
LEARNING_RATE_FACTORS = {Optimizer.PRODIGY: 1.0}


@dataclass(frozen=True, slots=True)
class Plan:
    """A training before it is queued, as the pre-flight card shows it."""

    method: str
    base: str
    dial: Dial
    photos: int
    steps: int
    rank: int
    learning_rate: float
    batch_size: int
    file_bytes: int
    reasons: tuple[str, ...] = ()  #: codes of sentences
    counted: int = 0  #: photos that the steps were chosen for
    source: str = ""  #: of steps, rank and learning rate, as the rule has it
    num_class_images: int = 0  #: class pictures for prior preservation
    seconds: float = 0.0  #: estimate; 0 is unknown
    picture_seconds: float = 0.0  #: estimate of one picture; 0 is unknown
    timed_like: str = ""  #: the method whose timing stands in, if this one was never measured
    memory_mib: int = 0  #: of the GPU; 0 is unknown


def optimizer_learning_rate(learning_rate: float, optimizer: Optimizer) -> float:
    """Return the learning rate for an optimizer where the rule's is for AdamW."""
    return LEARNING_RATE_FACTORS.get(optimizer, learning_rate)


def plan_training(  # noqa: PLR0913 - a plan is made of all that a member chose
    catalog: Catalog,
    *,
    method: str,
    base: str,
    dial: Dial,
    concept: Concept,
    photos: int,
    different: int = 0,
    rank: int = 0,
) -> Plan:
    """Return the plan for these choices, without the time; `estimate_duration` adds that.

    Steps follow from how many photos are `different` (0: all are): ten pictures of one shot teach
    no more than one, and steps that they add only memorise it. Not so on a tiny base, whose rules
    were measured on drawings that are all much alike. A `rank` of 0 takes the rule's.
    Full fine-tuning has no rank; giving DreamBooth one makes it a LoRA. Errors are those of
    `find_rule`.
    """
    rule = find_rule(catalog, method, base, dial, concept)
    if rank and not rule.rank and (other := rank_rules(catalog, method)):
        ranked = find_rule(catalog, other, base, dial, concept)
        rule = replace(ranked, method=method, num_class_images=rule.num_class_images)
    rank = rank if rule.rank else 0
    counted = photos if catalog.find_base(base).small else different or photos
    steps, reason = choose_steps(rule, counted)
    # adapters grow in proportion to their rank
    file_bytes = round(rule.file_bytes * rank / rule.rank) if rank else rule.file_bytes
    return Plan(
        method, base, dial, photos, steps, rank or rule.rank, rule.learning_rate, rule.batch_size,
        file_bytes, reasons=(reason,), counted=counted, source=rule.source,
        num_class_images=rule.num_class_images, memory_mib=rule.memory_mib,
    )  # fmt: skip


def choose_steps(rule: Rule, photos: int) -> tuple[int, str]:
    """Return a rule's steps for so many photos, and the code of the reason."""
    wanted = rule.steps + rule.steps_per_photo * (max(photos, 1) - 1)
    steps = min(max(wanted, rule.min_steps), rule.max_steps)
    if not rule.steps_per_photo:
        return steps, "steps_fixed"
    if steps == wanted:
        return steps, "steps_photos"
    return steps, "steps_least" if steps > wanted else "steps_most"


def rank_rules(catalog: Catalog, method: str) -> str:
    """Return the method whose rules hold where a rank is given to one that usually has none."""
    return next((known.rank_rules for known in catalog.methods if known.name == method), "")


def count_checkpoints(dial: Dial) -> int:
    """Return the checkpoints of a run: twice as many of a thorough one, which may end at each."""
    return CHECKPOINTS_PER_RUN * (2 if dial is Dial.THOROUGH else 1)


def checkpoint_interval(steps: int, rounds: int = CHECKPOINTS_PER_RUN) -> int:
    """Return the steps between two checkpoints of so many."""
    return max(MIN_CHECKPOINT_INTERVAL, math.ceil(steps / rounds))


def list_preview_steps(steps: int, interval: int) -> list[int]:
    """List the steps whose previews are drawn after the training's start.

    These are the last one and those with a checkpoint, unless the end is nearer than half an
    interval: two posts for one moment say the same.
    """
    checkpoints = range(interval, steps, interval)
    return [*(step for step in checkpoints if 2 * (steps - step) >= interval), steps]


def combine_plans(first: Plan, others: Iterable[Plan]) -> Plan:
    """Return a plan that teaches several concepts; each gets the steps it would get alone."""
    plans = [first, *others]
    steps, photos = (sum(getattr(each, what) for each in plans) for what in ("steps", "photos"))
    reasons = ("steps_several",) if len(plans) > 1 else first.reasons
    return replace(first, steps=min(steps, STEPS[1]), photos=photos, reasons=reasons)


def find_rule(catalog: Catalog, method: str, base: str, dial: Dial, concept: Concept) -> Rule:
    """Return the catalog's rule for a choice.

    Raises UserError: "scheduler_away" if no catalog was published, "base_unknown",
    "method_unknown", or "method_family" for a method that the base's family does not have.
    """
    if not catalog.bases:
        raise UserError("scheduler_away")
    family = catalog.find_base(base).family
    for rule in catalog.rules:
        if (rule.method, rule.base, rule.dial, rule.concept) == (method, base, dial, concept):
            return rule
    trainable = {(rule.method, rule.base) for rule in catalog.rules}
    methods = [known.name for known in catalog.methods]
    if method in methods and (method, base) not in trainable:
        raise UserError("method_family", method=method, family=family)
    raise UserError("method_unknown", method=method, choices=methods)
