"""Writing and reading `events.jsonl`."""

from __future__ import annotations

import os
import resource

import pytest

from storage.events import Done, LogEntry, Note, Paused, Progress
from training.worker.eventlog import EventLog, find_ending, read_entries


def step(number: int) -> LogEntry[Progress]:
    """Return the progress after a step."""
    return LogEntry(Progress(number, 10), 1.5)


def test_what_is_written_is_read_once(tmp_path):
    """A reader continues at the byte it has reached."""
    path = tmp_path / "events.jsonl"
    journal = EventLog(path)
    umlaut = LogEntry(Note("ü\n"), 1.5)
    journal.write(umlaut)
    first, offset = read_entries(path)
    journal.write(step(2))
    second, end = read_entries(path, offset)

    assert first == [umlaut]
    assert second == [step(2)]
    assert read_entries(path, end) == ([], end)


def test_a_line_without_its_end_waits(tmp_path):
    """An incomplete line is not read; a restarted worker truncates it."""
    path = tmp_path / "events.jsonl"
    EventLog(path).write(step(1))
    with path.open("ab") as file:
        file.write(b'{"at": 2, "ki')
    torn, offset = read_entries(path)
    EventLog(path).write(step(2))

    assert torn == [step(1)]
    assert read_entries(path, offset)[0] == [step(2)]


def test_a_broken_line_is_passed_over(tmp_path):
    """A line that is no event is skipped."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"kind": "progress"}\nnonsense\n[]\n')
    EventLog(path).write(step(1))

    assert read_entries(path) == ([step(1)], path.stat().st_size)


def test_the_end_belongs_to_a_fence(tmp_path):
    """An earlier run's end is not this run's."""
    path = tmp_path / "events.jsonl"
    journal = EventLog(path)
    paused = LogEntry(Paused(5), 1.5, fence=1)
    journal.write(paused)
    journal.write(step(6))

    assert find_ending(path, 1) == paused
    assert find_ending(path, 2) is None
    assert find_ending(tmp_path / "none", 1) is None


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files")
def test_a_full_disk_loses_no_line(tmp_path):
    """A line that the disk refuses is kept until there is room."""
    path = tmp_path / "events.jsonl"
    journal = EventLog(path)
    journal.write(step(1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 5, hard))
    try:
        journal.write(LogEntry(Done(2), 1.5))
        refused = read_entries(path)[0]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert refused == [step(1)]
    assert journal.pending
    assert journal.flush()
    assert read_entries(path)[0] == [step(1), LogEntry(Done(2), 1.5)]
