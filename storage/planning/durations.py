"""Estimate how long a training takes, from what past ones took on the same machine.

    seconds = steps x step + photos x photo + pictures x picture + overhead

`storage/tables/durations.py` remembers the four times by `TimingKey`. Where no training of a kind
has run yet, the most similar kind on the same base and device stands in, and the estimate names
its method.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from storage.planning.plan import Plan, checkpoint_interval, count_checkpoints, list_preview_steps
from storage.planning.prompts import PREVIEW_PROMPTS
from storage.records import Base, Concept, Dial, Optimizer, Timing
from storage.requests import TrainRequest

#: runs with a part of the photos held out, before the training, and what they make of its time
FOLDS, FOLDS_FACTOR = "folds", 2


@dataclass(frozen=True, slots=True)
class TimingKey:
    """Everything the time of a step depends on: trainings with equal keys share their timings."""

    device: str  #: its name for people
    base: str
    resolution: int
    method: str
    concept: Concept  #: with the base it decides whether the text encoder is trained
    batch_size: int
    options: str = ""  #: words for everything else that slows a step down

    @classmethod
    def from_training(
        cls,
        device: str,
        base: Base,
        size: Plan | TrainRequest,
        concept: Concept,
        options: Mapping[str, Any] | None = None,
    ) -> TimingKey:
        """Return the key of a planned or requested training with these `TrainingOptions`."""
        options = options or {}
        slower = {
            "whole": not size.rank,
            "prior": bool(size.num_class_images),
            "sweep": bool(options.get("find_learning_rate")),  # before the first step
            FOLDS: bool(options.get("folds")),
            "shuffle": bool(options.get("shuffle_caption")),  # prompts are encoded in each step
        }
        words = [word for word, applies in slower.items() if applies]
        optimizer = Optimizer(options.get("optimizer", Optimizer.ADAMW))
        if optimizer is not Optimizer.ADAMW:
            words.append(optimizer)
        step = size.method, concept, size.batch_size, " ".join(words)
        return cls(device, base.name, base.resolution, *step)


KnownTimings = Mapping[TimingKey, Timing]


def estimate_duration(
    known: KnownTimings, key: TimingKey, plan: Plan, *, concepts: int = 1
) -> Plan:
    """Return the plan with its seconds; they stay 0 (unknown) without any similar timing."""
    timing, method = find_nearest(known, key)
    if timing is None:
        return plan
    seconds = total_seconds(timing, plan, plan.photos, concepts)
    if key not in known and FOLDS in key.options.split():
        seconds *= FOLDS_FACTOR
    return replace(plan, seconds=seconds, picture_seconds=timing.picture, timed_like=method)


def total_seconds(
    timing: Timing, size: Plan | TrainRequest, photos: int, concepts: int = 1
) -> float:
    """Return the seconds of a training; class pictures are drawn and encoded, too."""
    pictures = count_previews(size.steps, size.dial, concepts) + size.num_class_images
    encoding = timing.photo * (photos + size.num_class_images)
    return timing.step * size.steps + encoding + timing.picture * pictures + timing.overhead


def count_previews(steps: int, dial: Dial, concepts: int = 1) -> int:
    """Count the pictures a training draws: before it, at its checkpoints, and at its end."""
    drawn = list_preview_steps(steps, checkpoint_interval(steps, count_checkpoints(dial)))
    return (PREVIEW_PROMPTS + concepts - 1) * (1 + len(drawn))


def find_nearest(known: KnownTimings, key: TimingKey) -> tuple[Timing | None, str]:
    """Return the timing of a key, or of the most similar one with the name of its method.

    Only the same device, base and resolution compare. The time of a step is scaled in proportion
    to the batch size. Returns None and "" if nothing compares.
    """
    if key in known:
        return known[key], ""
    place = (key.device, key.base, key.resolution)
    comparable = [each for each in known if (each.device, each.base, each.resolution) == place]
    if not comparable:
        return None, ""
    nearest = max(comparable, key=lambda each: (similarity(each, key), known[each].runs))
    timing = known[nearest]
    step = timing.step * key.batch_size / nearest.batch_size
    return replace(timing, step=step), nearest.method


def similarity(one: TimingKey, other: TimingKey) -> tuple[bool, ...]:
    """Return what two keys have in common, the most important first; larger is more similar."""
    names = ("method", "options", "batch_size", "concept")
    return tuple(getattr(one, name) == getattr(other, name) for name in names)
