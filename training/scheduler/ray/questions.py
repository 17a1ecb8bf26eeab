"""What passes between the scheduler and the process that talks to Ray."""

from __future__ import annotations

from typing import Any, NamedTuple

from training.scheduler.ferry.remote import DamagedFileError, LostConnection, StaleMessageError

#: The errors of a place that are passed on as they are. Any other one becomes LostConnection.
PASSED_ON = (
    StaleMessageError, DamagedFileError, LostConnection, FileNotFoundError, ValueError,
)  # fmt: skip

LIST_PLACES = ""  #: the place of a call that asks which places there are


class Call(NamedTuple):
    """A call of a method of a place."""

    place: str
    group: str  #: of the actor's threads, one of `place.THREADS`
    target: str  #: "place", "dock" or "bases"
    method: str
    values: tuple[Any, ...] = ()


class Question(NamedTuple):
    """A call that the scheduler waits for."""

    number: int
    call: Call
    seconds: float  #: that the answer may take


class Answer(NamedTuple):
    """What a call returned or raised."""

    number: int
    value: Any = None
    error: Exception | None = None
