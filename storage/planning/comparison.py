"""What a comparison of several recipes does next, and what it shows in the end.

Its entries are trained one after the other, so that jobs of others come in between. Then all are
graded together, on the same prompts and seeds. A sweep halves: the better half goes on for more
steps and is graded again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from storage.planning.sweep import count_survivors, end_of_round

MIN_ENTRIES, MAX_ENTRIES = 2, 6
#: pictures by which styles are graded: of each style, and of each base without one
PROMPTS, SEEDS, BASE_SEEDS = 4, 3, 4
CROSS_PROMPTS = 2  #: of a style on the base of another one, from all seeds
CLEAR_DIFFERENCE = 0.1  #: of seconds or bytes, that makes one of two equals the faster or smaller


class Stage(StrEnum):
    """How far an entry is in the current round."""

    WAITING = "waiting"  #: for its turn
    OPEN = "open"  #: its training waits, runs or is paused
    TRAINED = "trained"
    FAILED = "failed"  #: or was cancelled, or its style is gone


class Step(StrEnum):
    """What a comparison does next."""

    WAIT = "wait"
    TRAIN = "train"  #: one entry
    JUDGE = "judge"  #: all that are trained
    FAIL = "fail"  #: nothing was trained


@dataclass(frozen=True, slots=True)
class Grading:
    """What the pictures of an entry are worth, each from 0 to 1."""

    score: float  #: mean over seeds
    spread: float  #: how far it may be off, either way
    likeness: float
    variety: float
    copies: float
    obedience: float | None = None
    beats: tuple[int, ...] = ()  #: numbers of the entries that it is clearly better than

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what a job has written."""
        return cls(**{**value} | {"beats": tuple(value.get("beats", ()))})


@dataclass(frozen=True, slots=True)
class Cost:
    """What an entry has taken."""

    seconds: float
    bytes: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a comparison shows."""

    best: int  #: the number of the entry to take
    worse: tuple[int, ...]  #: entries that it is clearly better than
    equal: tuple[int, ...]  #: entries that it cannot be told from
    cheaper: str = ""  #: why it is taken of equals: "faster" or "smaller"; "" where neither is


def count_pictures(entries: int, bases: int = 1, crossings: int = 0) -> int:
    """Count the pictures by which entries are graded, with those on others' bases."""
    own = entries * PROMPTS * SEEDS + bases * (PROMPTS + BASE_SEEDS)
    return own + crossings * CROSS_PROMPTS * SEEDS


def decide_step(stages: Mapping[int, Stage]) -> tuple[Step, tuple[int, ...]]:
    """Return what is next in a round, and for which entries, by the stages of all in the race."""
    by_stage = {stage: [n for n, one in sorted(stages.items()) if one is stage] for stage in Stage}
    if by_stage[Stage.OPEN]:
        return Step.WAIT, ()
    if waiting := by_stage[Stage.WAITING]:
        return Step.TRAIN, (waiting[0],)
    if trained := by_stage[Stage.TRAINED]:
        return Step.JUDGE, tuple(trained)
    return Step.FAIL, ()


def halve(grades: Mapping[int, Grading], sizes: Mapping[int, int]) -> tuple[int, ...]:
    """Return the entries that go on: the better half, without the middle one of an odd number.

    An entry is better than another if fewer are clearly better than it. Of equals the smaller file
    is taken, then the higher score, then the first.
    """
    beaten = count_beaten(grades)
    ranks = {at: (beaten[at], sizes[at], -each.score, at) for at, each in grades.items()}
    return tuple(sorted(sorted(grades, key=ranks.__getitem__)[: count_survivors(len(grades))]))


def count_beaten(grades: Mapping[int, Grading]) -> dict[int, int]:
    """Return by how many others each entry is clearly beaten."""
    return {number: sum(number in other.beats for other in grades.values()) for number in grades}


def reach_verdict(grades: Mapping[int, Grading], costs: Mapping[int, Cost]) -> Verdict:
    """Return which entry to take: the best, or one that is equal to it and faster or smaller.

    Such a one must be clearly better than whatever the best is clearly better than.
    """
    best = max(sorted(grades), key=lambda number: grades[number].score)
    beaten = {*grades[best].beats}
    peers = [
        number
        for number in sorted(grades)
        if number == best or (number not in beaten and beaten <= {*grades[number].beats})
    ]
    taken, why = choose_cheaper(best, peers, costs)
    worse = tuple(number for number in sorted(grades) if number in grades[taken].beats)
    equal = tuple(number for number in sorted(grades) if number not in {taken, *worse})
    return Verdict(taken, worse, equal, why)


def choose_cheaper(best: int, peers: Sequence[int], costs: Mapping[int, Cost]) -> tuple[int, str]:
    """Return the fastest of equals, else the smallest, and why; the best if none is clearly so."""
    for name, why in ("seconds", "faster"), ("bytes", "smaller"):
        by_cost = sorted((float(getattr(costs[number], name)), number) for number in peers)
        if len(by_cost) > 1 and by_cost[0][0] < (1 - CLEAR_DIFFERENCE) * by_cost[1][0]:
            return by_cost[0][1], why
    return best, ""


def plan_round(request: Mapping[str, Any], share: float, earlier: int | None) -> dict[str, Any]:
    """Return the request of an entry's next training: up to a share of its steps.

    The learning rates stay those of all its steps. With `earlier` it goes on from that job.
    """
    changed = dict(request) | {"stop_after": end_of_round(int(request["steps"]), share)}
    return changed if earlier is None else changed | {"continues": earlier, "file_bytes": 0}
