"""How long trainings take on this machine: what past ones took, and what the next one will.

    seconds = steps x step + photos x photo + pictures x picture + around

The four are measured by every training that runs in one piece, and remembered by what sets their
pace. Where this kind was never run, the nearest kind on the same base and device stands in for it,
and whoever is told so is told which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Protocol

from storage.planning.plan import checkpoint_interval
from storage.records import Concept, Optimizer, Timing

if TYPE_CHECKING:
    from storage.records import Base, Plan
    from storage.tables.database import Database

RECENT = 5  #: runs over which a pace is averaged
PROMPTS = 2  #: that are drawn on the way of a training with one concept; each further one adds one
COLUMNS = ("device", "base", "resolution", "method", "concept", "batch_size", "options")
PARTS = ("step", "photo", "picture", "overhead")
MEASURED = f"""
INSERT INTO durations VALUES ({", ".join(f":{name}" for name in (*COLUMNS, *PARTS))}, 1)
ON CONFLICT DO UPDATE SET
  {", ".join(f"{n} = {n} + (excluded.{n} - {n}) / min(runs + 1, {RECENT})" for n in PARTS)},
  runs = runs + 1
"""


class TrainingSize(Protocol):
    """What a training is asked to be: a plan, or a request."""

    @property
    def method(self) -> str:
        """Say what is trained."""
        ...

    @property
    def batch_size(self) -> int:
        """Say how many photos a step sees."""
        ...

    @property
    def rank(self) -> int:
        """Say how wide adapters are; whole networks have none."""
        ...

    @property
    def num_class_images(self) -> int:
        """Say how many class pictures are learnt beside the photos."""
        ...


@dataclass(frozen=True, slots=True)
class TimingKey:
    """What sets the pace of a training: those that share it take as long a step."""

    device: str  #: as a person would name it
    base: str
    resolution: int
    method: str
    concept: Concept  #: with the base it decides whether the text encoder learns, too
    batch_size: int
    options: str = ""  #: words for all else that a step's time depends on

    @classmethod
    def of(
        cls,
        device: str,
        base: Base,
        asked: TrainingSize,
        concept: Concept,
        options: Mapping[str, Any] | None = None,
    ) -> TimingKey:
        """Find what sets the pace of what is asked."""
        options = options or {}
        words = {
            "whole": not asked.rank,
            "prior": bool(asked.num_class_images),
            "shuffle": bool(options.get("shuffle_caption")),
        }
        named = [word for word, holds in words.items() if holds]
        optimizer = Optimizer(options.get("optimizer", Optimizer.ADAMW))
        if optimizer is not Optimizer.ADAMW:
            named.append(optimizer)
        return cls(
            device,
            base.name,
            base.resolution,
            asked.method,
            concept,
            asked.batch_size,
            " ".join(named),
        )


Known = Mapping[TimingKey, Timing]


class Durations:
    """The paces measured on this machine."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> dict[TimingKey, Timing]:
        """Return every pace there is."""
        found = {}
        for row in await self._database.all("SELECT * FROM durations"):
            told: dict[str, Any] = {name: row[name] for name in COLUMNS}
            gait = TimingKey(**told | {"concept": Concept(row["concept"])})
            found[gait] = Timing(**{part: row[part] for part in (*PARTS, "runs")})
        return found

    async def measured(self, gait: TimingKey, pace: Timing) -> None:
        """Add what one run took to the pace."""
        names = [field.name for field in fields(gait)]
        parts = {part: getattr(pace, part) for part in PARTS}
        await self._database.all(MEASURED, **dict(zip(names, astuple(gait), strict=True)), **parts)


def estimate_duration(known: Known, gait: TimingKey, planned: Plan, *, concepts: int = 1) -> Plan:
    """Write into a plan how long it takes; 0, which means unknown, where nothing is near it."""
    pace, like = nearest(known, gait)
    if pace is None:
        return planned
    seconds = total_seconds(
        pace, planned.steps, planned.photos, planned.num_class_images, concepts
    )
    return replace(planned, seconds=seconds, timed_like=like)


def total_seconds(
    pace: Timing, steps: int, photos: int, prior: int = 0, concepts: int = 1
) -> float:
    """Add up the seconds of a training; class pictures (`prior`) are drawn and encoded, too."""
    pictures = count_previews(steps, concepts) + prior
    around = pace.photo * (photos + prior) + pace.picture * pictures + pace.overhead
    return pace.step * steps + around


def count_previews(steps: int, concepts: int = 1) -> int:
    """Count the pictures that a training draws: before it, at each checkpoint, and at its end."""
    return (PROMPTS + concepts - 1) * (1 - -steps // checkpoint_interval(steps))


def nearest(known: Known, gait: TimingKey) -> tuple[Timing | None, str]:
    """Find the pace of a kind, or of the nearest one on its base and device, with its method.

    A step of another batch takes as much longer as that is larger.
    """
    if gait in known:
        return known[gait], ""
    place = (gait.device, gait.base, gait.resolution)
    beside = [each for each in known if (each.device, each.base, each.resolution) == place]
    if not beside:
        return None, ""
    found = max(beside, key=lambda each: (likeness(each, gait), known[each].runs))
    pace = known[found]
    return replace(pace, step=pace.step * gait.batch_size / found.batch_size), found.method


def likeness(one: TimingKey, other: TimingKey) -> tuple[bool, ...]:
    """Compare two kinds by what counts, the most first."""
    alike = ("method", "options", "batch_size", "concept")
    return tuple(getattr(one, name) == getattr(other, name) for name in alike)
