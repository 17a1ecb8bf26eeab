"""What the scheduler asks of machines that have joined. `ray` is one such; tests have another."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from training.scheduler.ferry.remote import Remote


class Cluster(Protocol):
    """Other machines; each has a place for each of its workers, named like `box/cuda0`."""

    def list_places(self) -> Collection[str]:
        """Return the places that can be reached now; raise LostConnection if nobody knows."""

    def open(self, place: str) -> Remote:
        """Return what a place can be asked."""

    def dismiss(self, place: str) -> None:
        """Make the machine of a place leave, with all of its places; raise LostConnection."""

    def close(self) -> None:
        """Let the machines go; their workers end by themselves."""
