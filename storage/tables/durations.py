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

from storage.planning.plan import often
from storage.records import Concept, Optimizer, Pace

if TYPE_CHECKING:
    from storage.records import Base, Plan
    from storage.tables.database import Database

RECENT = 5  #: runs over which a pace is averaged
PROMPTS = 2  #: that are drawn on the way of a training with one concept; each further one adds one
COLUMNS = ("device", "base", "resolution", "method", "concept", "batch", "options")
PARTS = ("step", "photo", "picture", "around")
MEASURED = f"""
INSERT INTO paces VALUES ({", ".join(f":{name}" for name in (*COLUMNS, *PARTS))}, 1)
ON CONFLICT DO UPDATE SET
  {", ".join(f"{n} = {n} + (excluded.{n} - {n}) / min(runs + 1, {RECENT})" for n in PARTS)},
  runs = runs + 1
"""


class Asked(Protocol):
    """What a training is asked to be: a plan, or a request."""

    @property
    def method(self) -> str:
        """Say what is trained."""
        ...

    @property
    def batch(self) -> int:
        """Say how many photos a step sees."""
        ...

    @property
    def rank(self) -> int:
        """Say how wide adapters are; whole networks have none."""
        ...

    @property
    def prior(self) -> int:
        """Say how many class pictures are learnt beside the photos."""
        ...


class Options(Protocol):
    """What else a training may do: an order, or a request."""

    @property
    def optimizer(self) -> Optimizer:
        """Say what moves the numbers."""
        ...

    @property
    def shuffle(self) -> bool:
        """Say whether captions are read anew at each step."""
        ...


@dataclass(frozen=True, slots=True)
class Gait:
    """What sets the pace of a training: those that share it take as long a step."""

    device: str  #: as a person would name it
    base: str
    resolution: int
    method: str
    concept: Concept  #: with the base it decides whether the text encoder learns, too
    batch: int
    options: str = ""  #: words for all else that a step's time depends on

    @classmethod
    def of(
        cls,
        device: str,
        base: Base,
        asked: Asked,
        concept: Concept,
        options: Options | None = None,
    ) -> Gait:
        """Find what sets the pace of what is asked."""
        words = {
            "whole": not asked.rank,
            "prior": bool(asked.prior),
            "shuffle": options is not None and options.shuffle,
        }
        named = [word for word, holds in words.items() if holds]
        if options is not None and options.optimizer is not Optimizer.ADAMW:
            named.append(options.optimizer)
        return cls(
            device, base.name, base.resolution, asked.method, concept, asked.batch, " ".join(named)
        )


Known = Mapping[Gait, Pace]


class Paces:
    """The paces measured on this machine."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> dict[Gait, Pace]:
        """Return every pace there is."""
        found = {}
        for row in await self._database.all("SELECT * FROM paces"):
            told: dict[str, Any] = {name: row[name] for name in COLUMNS}
            gait = Gait(**told | {"concept": Concept(row["concept"])})
            found[gait] = Pace(**{part: row[part] for part in (*PARTS, "runs")})
        return found

    async def measured(self, gait: Gait, pace: Pace) -> None:
        """Add what one run took to the pace."""
        names = [field.name for field in fields(gait)]
        parts = {part: getattr(pace, part) for part in PARTS}
        await self._database.all(MEASURED, **dict(zip(names, astuple(gait), strict=True)), **parts)


def foretold(known: Known, gait: Gait, planned: Plan, *, concepts: int = 1) -> Plan:
    """Write into a plan how long it takes; 0, which means unknown, where nothing is near it."""
    pace, like = nearest(known, gait)
    if pace is None:
        return planned
    seconds = spent(pace, planned.steps, planned.photos, planned.prior, concepts)
    return replace(planned, seconds=seconds, like=like)


def spent(pace: Pace, steps: int, photos: int, prior: int = 0, concepts: int = 1) -> float:
    """Add up the seconds of a training; class pictures (`prior`) are drawn and encoded, too."""
    pictures = shown(steps, concepts) + prior
    around = pace.photo * (photos + prior) + pace.picture * pictures + pace.around
    return pace.step * steps + around


def shown(steps: int, concepts: int = 1) -> int:
    """Count the pictures that a training draws: before it, at each checkpoint, and at its end."""
    return (PROMPTS + concepts - 1) * (1 - -steps // often(steps))


def nearest(known: Known, gait: Gait) -> tuple[Pace | None, str]:
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
    return replace(pace, step=pace.step * gait.batch / found.batch), found.method


def likeness(one: Gait, other: Gait) -> tuple[bool, ...]:
    """Compare two kinds by what counts, the most first."""
    alike = ("method", "options", "batch", "concept")
    return tuple(getattr(one, name) == getattr(other, name) for name in alike)
