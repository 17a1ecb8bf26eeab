"""The two ends of `events.jsonl`."""

from __future__ import annotations

import os
import resource

import pytest

from storage.records import Event
from training.worker.eventlog import EventLog, ending, read


def step(number: int, kind: str = "progress", **facts: object) -> Event:
    """Return an event."""
    return Event(kind, {"step": number, **facts}, 1.5)


def test_what_is_written_is_read_once(tmp_path):
    """A reader goes on from the byte it has reached."""
    path = tmp_path / "events.jsonl"
    journal = EventLog(path)
    journal.write(step(1, note="ü\n"))
    first, offset = read(path)
    journal.write(step(2))
    second, end = read(path, offset)

    assert first == [step(1, note="ü\n")]
    assert second == [step(2)]
    assert read(path, end) == ([], end)


def test_a_line_without_its_end_waits(tmp_path):
    """Half a line is not read; a worker that starts again cuts it off."""
    path = tmp_path / "events.jsonl"
    EventLog(path).write(step(1))
    with path.open("ab") as file:
        file.write(b'{"at": 2, "ki')
    torn, offset = read(path)
    EventLog(path).write(step(2))

    assert torn == [step(1)]
    assert read(path, offset)[0] == [step(2)]


def test_a_broken_line_is_passed_over(tmp_path):
    """What is not an event stops nobody, and is not read again."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"kind": "progress"}\nnonsense\n[]\n')
    EventLog(path).write(step(1))

    assert read(path) == ([step(1)], path.stat().st_size)


def test_the_end_belongs_to_a_fence(tmp_path):
    """The end of an earlier run is not the end of this one."""
    path = tmp_path / "events.jsonl"
    journal = EventLog(path)
    journal.write(step(5, "paused", fence=1))
    journal.write(step(6))

    assert ending(path, 1) == step(5, "paused", fence=1)
    assert ending(path, 2) is None
    assert ending(tmp_path / "none", 1) is None


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files")
def test_a_full_disk_loses_no_line(tmp_path):
    """A line the disk refuses waits, whole, until there is room."""
    path = tmp_path / "events.jsonl"
    journal = EventLog(path)
    journal.write(step(1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 5, hard))
    try:
        journal.write(step(2, "done"))
        refused = read(path)[0]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert refused == [step(1)]
    assert journal.waiting
    assert journal.flush()
    assert read(path)[0] == [step(1), step(2, "done")]
