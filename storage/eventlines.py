"""Events read from lines of JSON, in files and from the shell, and from rows of the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storage.events import KINDS, Event, LogEntry, Unknown


def read_entry(
    kind: str, facts: Mapping[str, Any], at: float, number: int = 0, job: int = 0
) -> LogEntry[Event]:
    """Read what `LogEntry.to_json` returned."""
    more = dict(facts)
    fence = int(more.pop("fence", 0))
    return LogEntry(read_event(kind, more), at, fence, number, job)


def read_line(line: Mapping[str, Any]) -> LogEntry[Event]:
    """Read what `LogEntry.to_line` returned; raise KeyError without `at` or `kind`."""
    facts = dict(line)
    return read_entry(str(facts.pop("kind")), facts, float(facts.pop("at")))


def read_event(kind: str, facts: Mapping[str, Any]) -> Event:
    """Read an event of any version."""
    try:
        return KINDS[kind].from_json(facts)
    except (KeyError, TypeError):
        return Unknown(kind, dict(facts))
