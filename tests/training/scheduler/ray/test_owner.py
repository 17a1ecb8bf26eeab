"""A machine's owner comes first."""

from __future__ import annotations

from pathlib import Path

from training.scheduler.ray.owner import LOOK_SECONDS, OwnerWatch, list_programs


def test_a_program_of_the_owner():
    """A program that is named counts while it runs, in any case; processes are listed rarely."""
    now, running, looks = [0.0], ["bash"], []

    def look():
        looks.append(now[0])
        return running

    watch = OwnerWatch(["Blender"], look, lambda: now[0])
    assert not watch.is_busy()
    running.append("blender")
    assert not watch.is_busy()
    now[0] += LOOK_SECONDS
    assert watch.is_busy()
    running.pop()
    now[0] += LOOK_SECONDS
    assert not watch.is_busy()
    assert len(looks) == 3


def test_nobody_named():
    """Without names no process is looked at."""

    def look():
        raise AssertionError

    assert not OwnerWatch([], look).is_busy()


def test_this_program_runs():
    """The names are those that the system has of programs."""
    assert Path("/proc/self/comm").read_text().strip() in list(list_programs())
