"""Machines that have joined, as folders beside the data folder, behind wires that can be cut."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from benchmarks.speed.wire import Wire
from tests.fakes.remote import FakeRemote
from training.scheduler.ferry.remote import LostConnection, Remote


class FakeCluster:
    """An honest twin of a `Cluster`: each place has a real worker in a folder of its own."""

    def __init__(self, path: Path, command: tuple[str, ...]) -> None:
        self.path, self.command = path, command
        self.remotes: dict[str, FakeRemote] = {}
        self.away: set[str] = set()  #: places whose cable is cut
        self.head_is_there = True

    def join(self, place: str) -> FakeRemote:
        """Let a machine join that has one place."""
        box, _, device = place.partition("/")
        remote = FakeRemote(self.path / box, device, self.command, Wire())
        self.remotes[place] = remote
        return remote

    def list_places(self) -> Collection[str]:
        """Return the places whose machines can be reached."""
        if not self.head_is_there:
            raise LostConnection("no head")
        return sorted(self.remotes.keys() - self.away)

    def open(self, place: str) -> Remote:
        """Return what a place can be asked."""
        return self.remotes[place]

    def dismiss(self, place: str) -> None:
        """Make a machine leave."""
        if place in self.away:
            raise LostConnection(place)
        remote = self.remotes.pop(place)
        remote.place.leave()
        remote.wire.unplugged = True

    def close(self) -> None:
        """Let the machines go."""
        for remote in self.remotes.values():
            remote.place.leave()
