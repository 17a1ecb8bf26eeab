"""What backups must forget: each erasure is noted without keeping whose it was."""

from __future__ import annotations

import hashlib
import time

from storage.tables.database import Connection

#: Backups remove those who left by these hashes, which a snapshot older than that has no more.
ADD_ERASURE = """
INSERT INTO erasures (member, at, photos, dataset) VALUES (:hash, :now, :photos, :dataset)
"""
#: The newest stay whatever the clock says.
FORGET_ERASURES = (
    "DELETE FROM erasures WHERE at < :now - 800 * 86400.0"
    " AND id < (SELECT max(id) - 1000 FROM erasures)"
)


async def add_erasure(
    tx: Connection, member: int, *, photos: bool = False, dataset: int | None = None
) -> None:
    """Let backups forget a member, or only their `photos`: all, or those in a dataset."""
    row, now = await tx.fetch_one("SELECT key FROM identity"), time.time()
    if row is not None:
        hashed = hash_member(row["key"], member)
        await tx.execute(ADD_ERASURE, hash=hashed, now=now, photos=photos, dataset=dataset)
    await tx.execute(FORGET_ERASURES, now=now)


def hash_member(key: str, member: int) -> str:
    """Return what stands for a member who left; `key` is the data folder's."""
    return hashlib.sha256(f"{key} {member}".encode()).hexdigest()
