"""Drafts: what a member is about to order, kept for the buttons of its card.

A button's custom id has 100 characters, and must work after a restart. So it carries the number of
a draft.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from storage.errors import UserError
from storage.tables.database import Database

MAX_AGE_SECONDS = 7 * 24 * 3600


class Drafts:
    """The table of drafts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, owner: int, body: Mapping[str, Any]) -> int:
        """Store a draft and return its id."""
        rows = await self._database.execute(
            "INSERT INTO drafts (owner, created, body) VALUES (:owner, :created, :body)"
            " RETURNING id",
            owner=owner,
            created=time.time(),
            body=json.dumps(body),
        )
        return int(rows[0]["id"])

    async def get(self, number: int, owner: int) -> dict[str, Any]:
        """Return a member's draft.

        Raises UserError("card_old") for one that is gone or somebody else's.
        """
        sql = "SELECT body FROM drafts WHERE id = :id AND owner = :owner"
        row = await self._database.fetch_one(sql, id=number, owner=owner)
        if row is None:
            raise UserError("card_old")
        body: dict[str, Any] = json.loads(row["body"])
        return body

    async def remove_old(self, now: float) -> None:
        """Remove the drafts that are too old at a time."""
        sql = "DELETE FROM drafts WHERE created < :since"
        await self._database.execute(sql, since=now - MAX_AGE_SECONDS)
