"""The workers there are or were, and what the operator asks of each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from storage.tables.database import Database

OWNER = "owner"  #: why a worker is kept away: the machine's owner uses it
VERSIONS = "versions"  #: the same: the machine has others; what differs follows after a space


class Wish(StrEnum):
    """What the operator asks of a worker."""

    NONE = ""
    DRAIN = "drain"  #: end the job it has, and take no other one
    REMOVE = "remove"  #: leave with its machine


@dataclass(frozen=True, slots=True)
class Node:
    """A worker."""

    place: str  #: its name, `box/cuda0`
    remote: bool  #: whether it is on another machine than the scheduler
    here: bool  #: whether it takes jobs
    wish: Wish
    why: str = ""  #: what keeps it away, if that is known: OWNER or VERSIONS


class Nodes:
    """The table of workers: the scheduler writes who is here, the bot what is wished."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self) -> list[Node]:
        """List the workers, those of this machine first."""
        rows = await self._database.execute("SELECT * FROM nodes ORDER BY remote, place")
        return [
            Node(
                row["place"], bool(row["remote"]), bool(row["here"]), Wish(row["wish"]), row["why"]
            )
            for row in rows
        ]

    async def has_remote(self) -> bool:
        """Return whether there is a worker on another machine that was not refused."""
        sql = "SELECT 1 FROM nodes WHERE remote AND why NOT LIKE :refused"
        return await self._database.fetch_one(sql, refused=f"{VERSIONS}%") is not None

    async def note(self, place: str, *, remote: bool, here: bool, why: str = "") -> None:
        """Note whether a worker is here, and else why not; its wish stays."""
        await self._database.execute(
            "INSERT INTO nodes (place, remote, here, why) VALUES (:place, :remote, :here, :why)"
            " ON CONFLICT (place) DO UPDATE SET remote = :remote, here = :here, why = :why"
            " WHERE remote <> :remote OR here <> :here OR why <> :why",
            place=place,
            remote=remote,
            here=here,
            why=why,
        )

    async def set_wish(self, place: str, wish: Wish) -> bool:
        """Ask something of a worker; return whether it is known, and can do it.

        A worker of this machine cannot leave.
        """
        sql = (
            "UPDATE nodes SET wish = :wish WHERE place = :place AND (remote OR :wish <> 'remove')"
            " RETURNING place"
        )
        return bool(await self._database.execute(sql, place=place, wish=wish.value))

    async def forget(self, place: str) -> None:
        """Remove a worker that has left for good."""
        await self._database.execute("DELETE FROM nodes WHERE place = :place", place=place)
