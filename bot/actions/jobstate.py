"""What has happened in a job so far, as far as its card tells of it: a fold over its events."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from storage.records import Event

Facts: TypeAlias = dict[str, Any]


@dataclass(slots=True)
class Story:
    """The latest of each thing that happened; the same event twice changes nothing."""

    started: Facts = field(default_factory=dict)
    progress: Facts = field(default_factory=dict)
    heard: float = 0.0  #: unix time of the progress
    note: Facts = field(default_factory=dict)
    before: Facts = field(default_factory=dict)  #: the sample of step 0
    sample: Facts = field(default_factory=dict)  #: the newest sample
    curve: str = ""
    pictures: dict[str, Facts] = field(default_factory=dict)  #: of a sample job, by file
    end: Facts = field(default_factory=dict)

    @classmethod
    def of(cls, events: Iterable[Event]) -> Story:
        """Tell a job from its beginning."""
        story = cls()
        for event in events:
            story.add(event)
        return story

    def add(self, event: Event) -> None:
        """Go on by one event."""
        facts = event.facts
        match event.kind:
            case "started":
                self.started, self.note = facts, {}
            case "progress":
                self.progress, self.heard = facts, event.at
            case "note":
                self.note = facts
            case "sample":
                self._show(facts)
            case "checkpoint":
                self.curve = facts.get("curve") or self.curve
            case "picture":
                self.pictures[facts["file"]] = facts
            case "done" | "failed" | "cancelled" | "paused":
                self.end = facts

    def _show(self, facts: Facts) -> None:
        if facts["step"] == 0:
            self.before = facts
        self.sample = facts

    @property
    def step(self) -> int:
        """How far it is."""
        known = [facts.get("step", 0) for facts in (self.progress, self.started, self.end)]
        return int(max(self.end.get("steps", 0), *known))

    @property
    def loss(self) -> str:
        """The loss as a person reads it."""
        loss = self.progress.get("smooth", self.progress.get("loss"))
        return "…" if loss is None else f"{loss:.3f}"


def base(name: str) -> str:
    """Return the last part of a file's name: a job's files never lie elsewhere."""
    return PurePath(name).name
