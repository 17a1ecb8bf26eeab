"""Receipts of what members agreed to, and whether they took it back."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass
from enum import StrEnum

from storage.tables.database import Database, read_row

INSERT_CONSENT = """
INSERT INTO consents
  (member, version, via, at, dataset, purpose, bases, retention_days, audience, originals, terms,
   other_machines)
VALUES
  (:member, :version, :via, :at, :dataset, :purpose, :bases, :retention_days, :audience,
   :originals, :terms, :other_machines)
"""
#: a receipt holds as long as nothing is kept for longer than it says (0 days are without end), and
#: nothing goes to machines that it does not mention
SELECT_VALID = """
SELECT 1 FROM consents WHERE member = :member AND version >= :version AND dataset IS :dataset
  AND withdrawn IS NULL
  AND other_machines >= :other_machines
  AND (retention_days = 0 OR :retention_days BETWEEN 1 AND retention_days)
"""


class Purpose(StrEnum):
    """What photos are used for."""

    OWN_STYLES = "own_styles"  #: to train the styles that the member starts
    SHARED_DATASET = "shared_dataset"  #: to train those that the dataset's owner starts


class Audience(StrEnum):
    """Who may use the styles."""

    SELF_AND_SHARES = "self_and_shares"  #: the member, and servers they share a style with
    OWNER_AND_SHARES = "owner_and_shares"  #: the dataset's owner, and servers they share with


@dataclass(frozen=True, slots=True)
class Terms:
    """What a member is asked to agree to."""

    version: int
    purpose: Purpose = Purpose.OWN_STYLES
    audience: Audience = Audience.SELF_AND_SHARES
    bases: tuple[str, ...] = ()  #: titles of the models that were installed
    retention_days: int = 0  #: without use, until photos are deleted; 0 is never
    dataset: int | None = None  #: another member's, that it is for
    text: str = ""  #: the words that are shown
    other_machines: bool = False  #: photos may also go to machines that have joined


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a member agreed to, when and where."""

    id: int
    version: int
    via: str  #: "form", "button" or "page"
    at: float
    dataset: int | None
    purpose: Purpose
    audience: Audience
    bases: tuple[str, ...]
    retention_days: int
    originals: bool  #: the dataset's owner may export the photos
    terms: str
    other_machines: bool
    withdrawn: float | None


class Consents:
    """The table of receipts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, member: int, terms: Terms, via: str, *, originals: bool = False) -> None:
        """Record that a member agreed to terms."""
        await self._database.execute(
            INSERT_CONSENT,
            member=member,
            version=terms.version,
            via=via,
            at=time.time(),
            dataset=terms.dataset,
            purpose=terms.purpose,
            bases=json.dumps(terms.bases),
            retention_days=terms.retention_days,
            audience=terms.audience,
            originals=originals,
            terms=terms.text,
            other_machines=terms.other_machines,
        )

    async def has(self, member: int, terms: Terms) -> bool:
        """Return whether a member agreed to these terms, or to later ones, and still does."""
        row = await self._database.fetch_one(
            SELECT_VALID,
            member=member,
            version=terms.version,
            dataset=terms.dataset,
            retention_days=terms.retention_days,
            other_machines=terms.other_machines,
        )
        return row is not None

    async def list_for(self, member: int) -> list[Receipt]:
        """Return a member's receipts, oldest first."""
        sql = "SELECT * FROM consents WHERE member = :member ORDER BY id"
        return [receipt_from_row(row) for row in await self._database.execute(sql, member=member)]


def receipt_from_row(row: sqlite3.Row) -> Receipt:
    """Return the receipt of a row."""
    return read_row(
        Receipt,
        row,
        purpose=Purpose(row["purpose"]),
        audience=Audience(row["audience"]),
        bases=tuple(json.loads(row["bases"])),
        originals=bool(row["originals"]),
        other_machines=bool(row["other_machines"]),
    )
