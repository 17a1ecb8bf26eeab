"""Members who add photos to another member's dataset: invited, joined, declined or gone."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum

from storage.errors import UserError
from storage.names import name_key
from storage.records import Dataset
from storage.tables.database import Connection, Database
from storage.tables.datasets import dataset_from_row, get_owned
from storage.tables.photos import SELECT_STARTED_JOB
from storage.tables.trash import Trash
from storage.tables.withdrawal import WITHDRAW_CONSENTS

MAX_CONTRIBUTORS = 20  #: of a dataset, with those who were only invited
SELECT_JOINED = """
SELECT d.* FROM datasets AS d JOIN contributors AS c ON c.dataset = d.id
WHERE c.member = :member AND c.state = 'joined'
"""
REMOVE_PHOTOS = """
DELETE FROM photos WHERE dataset = :dataset AND contributor = :member RETURNING id
"""
FORGET_CONTRIBUTOR = "DELETE FROM contributors WHERE dataset = :dataset AND member = :member"
SELECT_OPEN = """
SELECT * FROM datasets WHERE id = :dataset AND (owner = :member
  OR EXISTS (SELECT 1 FROM contributors WHERE dataset = :dataset AND member = :member))
"""
JOIN = """
UPDATE contributors SET state = 'joined', at = iif(state = 'joined', at, :now)
WHERE dataset = :dataset AND member = :member RETURNING dataset
"""
DECLINE = """
UPDATE contributors SET state = 'declined', at = :now
WHERE dataset = :dataset AND member = :member AND state = 'invited'
"""
COUNT_PHOTOS = """
SELECT c.member, c.state, count(p.id) AS photos FROM contributors AS c
LEFT JOIN photos AS p ON p.dataset = c.dataset AND p.contributor = c.member
WHERE c.dataset = :dataset GROUP BY c.member ORDER BY c.at
"""
#: whose originals a dataset's owner may have: the newest receipt counts
SELECT_RELEASING = """
SELECT member FROM consents AS c WHERE dataset = :dataset AND withdrawn IS NULL AND originals
AND id = (SELECT max(id) FROM consents WHERE dataset = c.dataset AND member = c.member)
"""


class Contribution(StrEnum):
    """How far a member is with another's dataset."""

    INVITED = "invited"
    JOINED = "joined"  #: they agreed, and may add photos
    DECLINED = "declined"
    LEFT = "left"  #: they took their photos back


@dataclass(frozen=True, slots=True)
class Contributor:
    """A member of another's dataset."""

    member: int
    state: Contribution
    photos: int  #: of theirs


class Contributors:
    """The table of contributors."""

    def __init__(self, database: Database, trash: Trash) -> None:
        self._database, self._trash = database, trash

    async def invite(self, dataset: int, owner: int, member: int) -> None:
        """Invite a member to the owner's dataset, once.

        Raises UserError: "dataset_unknown", "invite_self", "contributors_full", or "invite_again".
        """
        async with self._database.transaction() as tx:
            await get_owned(tx, dataset, owner)
            if member == owner:
                raise UserError("invite_self")
            known = {each.member: each for each in await _list_for(tx, dataset)}
            if member in known:
                raise UserError("invite_again", member=member)
            if len(known) >= MAX_CONTRIBUTORS:
                raise UserError("contributors_full", most=MAX_CONTRIBUTORS)
            sql = "INSERT INTO contributors VALUES (:dataset, :member, 'invited', :now)"
            await tx.execute(sql, dataset=dataset, member=member, now=time.time())

    async def join(self, dataset: int, member: int) -> None:
        """Let an invited member add photos; raise UserError("invite_unknown") for others."""
        if not await self._database.execute(JOIN, dataset=dataset, member=member, now=time.time()):
            raise UserError("invite_unknown")

    async def decline(self, dataset: int, member: int) -> None:
        """Record that an invited member wants nothing of it; one who joined takes photos back."""
        await self._database.execute(DECLINE, dataset=dataset, member=member, now=time.time())

    async def remove(self, dataset: int, owner: int, member: int) -> int:
        """Take a member out of the owner's dataset with their photos; return how many these were.

        They may be invited anew. Raises UserError: "dataset_unknown", "contributor_unknown", or
        "dataset_busy" while a training has copies of the photos.
        """
        facts = {"dataset": dataset, "member": member, "now": time.time()}
        async with self._database.transaction() as tx:
            name = (await get_owned(tx, dataset, owner)).name
            if member not in {each.member for each in await _list_for(tx, dataset)}:
                raise UserError("contributor_unknown")
            if job := await tx.fetch_one(SELECT_STARTED_JOB, dataset=dataset):
                raise UserError("dataset_busy", name=name, job=job["id"])
            photos = await tx.execute(REMOVE_PHOTOS, **facts)
            for sql in (WITHDRAW_CONSENTS, FORGET_CONTRIBUTOR):
                await tx.execute(sql, **facts)
        await self._trash.sweep()
        return len(photos)

    async def get_invited(self, dataset: int, member: int) -> Dataset:
        """Return a dataset that a member was invited to; raise UserError("invite_unknown")."""
        row = await self._database.fetch_one(SELECT_OPEN, dataset=dataset, member=member)
        if row is None or row["owner"] == member:
            raise UserError("invite_unknown")
        return dataset_from_row(row)

    async def get_open(self, dataset: int, member: int) -> Dataset:
        """Return a dataset of a member's own, or one that they were invited to.

        Raises UserError("dataset_unknown").
        """
        row = await self._database.fetch_one(SELECT_OPEN, dataset=dataset, member=member)
        if row is None:
            raise UserError("dataset_unknown")
        return dataset_from_row(row)

    async def list_for(self, dataset: int) -> list[Contributor]:
        """Return who was invited to a dataset, with the number of their photos."""
        return await _list_for(self._database, dataset)

    async def list_joined(self, member: int) -> list[Dataset]:
        """Return the datasets of others that a member adds photos to."""
        rows = await self._database.execute(f"{SELECT_JOINED} ORDER BY d.id DESC", member=member)
        return [dataset_from_row(row) for row in rows]

    async def find_joined(self, member: int, name: str) -> Dataset | None:
        """Return the newest dataset of that name that a member adds photos to."""
        sql = f"{SELECT_JOINED} AND d.key = :key ORDER BY d.id DESC"
        row = await self._database.fetch_one(sql, member=member, key=name_key(name.strip(" ")))
        return None if row is None else dataset_from_row(row)

    async def list_releasing(self, dataset: int) -> set[int]:
        """Return the members whose originals a dataset's owner may export."""
        rows = await self._database.execute(SELECT_RELEASING, dataset=dataset)
        return {row["member"] for row in rows}


async def _list_for(connection: Connection, dataset: int) -> list[Contributor]:
    rows = await connection.execute(COUNT_PHOTOS, dataset=dataset)
    return [Contributor(r["member"], Contribution(r["state"]), r["photos"]) for r in rows]
