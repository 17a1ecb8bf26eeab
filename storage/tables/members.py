"""Members: the export of their data, and its deletion."""

from __future__ import annotations

import json
import time
from typing import Any

from storage.tables.database import Connection, Database
from storage.tables.erasures import add_erasure
from storage.tables.sealing import COLUMNS, open_found
from storage.tables.trash import ADD_TRACES, Trash
from storage.tables.withdrawal import DELETE_THEIR_STYLES, END_THEIR_JOBS

#: every row about a member, by its name in the export
EXPORT_QUERIES = {
    "consents": "SELECT version, at, via, dataset, purpose, bases, retention_days, audience,"
    " originals, terms, other_machines, withdrawn FROM consents WHERE member = :member",
    "contributing": "SELECT c.dataset, d.name, c.state, c.at FROM contributors AS c"
    " JOIN datasets AS d ON d.id = c.dataset WHERE c.member = :member",
    "contributors": "SELECT dataset, state, at FROM contributors"
    " WHERE dataset IN (SELECT id FROM datasets WHERE owner = :member)",
    "contributed_styles": "SELECT style, dataset FROM style_contributors WHERE member = :member",
    "datasets": "SELECT id, guild, name, concept, trigger, created, kept, warned, attested"
    " FROM datasets WHERE owner = :member",
    "stays_home": "SELECT at FROM stays_home WHERE id = :member",
    "collecting": "SELECT channel, dataset FROM collecting WHERE owner = :member",
    "photos": "SELECT id, dataset, digest, plain_digest, phash, width, height, caption, written,"
    " warnings, found_framing, chosen_framing, repeats, measures, shot, accepted, examination,"
    " features, created"
    " FROM photos WHERE contributor = :member",
    "photos_of_others": "SELECT id, dataset, width, height, caption, written, warnings, created"
    " FROM photos WHERE owner = :member AND contributor <> :member",
    "uploads": "SELECT photo, digest FROM uploads"
    " WHERE photo IN (SELECT id FROM photos WHERE contributor = :member)",
    "edited_captions": "SELECT photo, edit, caption, written, became FROM edited_captions"
    " WHERE photo IN (SELECT id FROM photos WHERE owner = :member)",
    "caption_edits": "SELECT id, dataset, trigger, at FROM caption_edits"
    " WHERE dataset IN (SELECT id FROM datasets WHERE owner = :member)",
    "jobs": "SELECT id, kind, status, guild, channel, request, base, dataset, style, private,"
    " stays_home, requested, attempts, error, message, thread, created, started, ended"
    " FROM jobs WHERE owner = :member",
    "events": "SELECT job, kind, facts, at FROM events"
    " WHERE job IN (SELECT id FROM jobs WHERE owner = :member)",
    "commands": "SELECT id AS job, requested FROM jobs"
    " WHERE requested_by = :member AND owner <> :member",
    "watching": "SELECT job FROM watchers WHERE member = :member",
    "likes": "SELECT job, liked, at FROM likes WHERE member = :member",
    "studies": "SELECT id, guild, channel, question, hours, state, created, closes, result"
    " FROM studies WHERE owner = :member",
    "comparisons": "SELECT id, kind, guild, channel, dataset, name, shares, state, round, result,"
    " created, ended FROM comparisons WHERE owner = :member",
    "comparison_entries": "SELECT comparison, number, label, base, request, job, round, out,"
    " grades FROM comparison_entries"
    " WHERE comparison IN (SELECT id FROM comparisons WHERE owner = :member)",
    "study_sides": "SELECT study, side, style, name, strength FROM study_sides"
    " WHERE study IN (SELECT id FROM studies WHERE owner = :member)",
    "votes": "SELECT pair, choice, at FROM votes WHERE member = :member",
    "styles": "SELECT id, guild, job, name, method, family, base, trigger, concept, digest,"
    " bytes, created, whole, removed, checkpoint FROM styles WHERE owner = :member",
    "shares": "SELECT style, guild FROM shares"
    " WHERE style IN (SELECT id FROM styles WHERE owner = :member)",
    "drafts": "SELECT id, created, body FROM drafts WHERE owner = :member",
    "posts": "SELECT kind, guild, job, event, dataset, state, channel, message, created FROM posts"
    " WHERE member = :member",
    "blocked": "SELECT guild, at FROM blocked WHERE member = :member",
    "decisions": "SELECT report, decision, at FROM decisions WHERE moderator = :member",
    "reports": "SELECT guild, job, channel, message, reason, at FROM reports"
    " WHERE reporter = :member",
}
JSON_COLUMNS = {
    "bases", "body", "request", "error", "facts", "warnings", "found_framing", "chosen_framing",
    "result", "shares", "grades",
}  # fmt: skip

KEEP_SHARED_STYLES = (
    "UPDATE styles SET owner = NULL, job = NULL"
    " WHERE owner = :member AND id IN (SELECT style FROM shares)"
)
#: others' studies that have closed go on without the names of a member's styles
FORGET_NAMES = (
    "UPDATE study_sides SET name = '…' WHERE style IN"
    " (SELECT id FROM styles WHERE owner = :member)"
)
#: a block stays: else it would be lifted by whom it is for
#: in this order: referring rows go before those they refer to
ERASE_STATEMENTS = (
    FORGET_NAMES,
    "DELETE FROM studies WHERE owner = :member",
    "DELETE FROM comparisons WHERE owner = :member",
    "DELETE FROM styles WHERE owner = :member",
    "UPDATE jobs SET purge = 1, requested = 'cancel' WHERE owner = :member AND status = 'running'",
    "DELETE FROM jobs WHERE owner = :member AND status <> 'running'",
    "DELETE FROM photos WHERE owner = :member OR contributor = :member",
    "DELETE FROM drafts WHERE owner = :member",
    "DELETE FROM datasets WHERE owner = :member",
    "DELETE FROM consents WHERE member = :member",
    "DELETE FROM stays_home WHERE id = :member",
    "DELETE FROM contributors WHERE member = :member",
    "DELETE FROM style_contributors WHERE member = :member",
    "DELETE FROM votes WHERE member = :member",
    "DELETE FROM likes WHERE member = :member",
    "DELETE FROM watchers WHERE member = :member",
    "DELETE FROM posts WHERE member = :member",
    "DELETE FROM reports WHERE reporter = :member",
    "UPDATE decisions SET moderator = NULL WHERE moderator = :member",
    "UPDATE jobs SET requested_by = NULL WHERE requested_by = :member",
    "UPDATE events SET facts = json_remove(facts, '$.by') WHERE facts ->> 'by' = :member",
)


class Members:
    """Everything about one member, over all tables."""

    def __init__(self, database: Database, trash: Trash) -> None:
        self._database, self._trash = database, trash

    async def export(self, member: int) -> dict[str, Any]:
        """Return every row about a member, as JSON."""
        data: dict[str, Any] = {"member": member}
        async with self._database.transaction() as tx:
            for name, sql in EXPORT_QUERIES.items():
                rows = await tx.execute(sql, member=member)
                data[name] = [_parse_json_columns(dict(row)) for row in rows]
        return data

    async def erase(self, member: int, *, keep_styles: bool) -> int:
        """Delete everything about a member and return the number of their photos.

        With `keep_styles`, shared styles stay on their servers without an owner, and others keep
        theirs that were trained on the member's photos. Running jobs are cancelled, and
        `Jobs.purge` deletes them once they have ended.
        """
        async with self._database.transaction() as tx:
            photos = await _count_photos(tx, member)
            delete = (FORGET_NAMES, *DELETE_THEIR_STYLES)
            first = (KEEP_SHARED_STYLES,) if keep_styles else delete
            for sql in (*END_THEIR_JOBS, *first, *ERASE_STATEMENTS):
                await tx.execute(sql, member=member, dataset=None, now=time.time())
            await add_erasure(tx, member)
            await tx.execute(ADD_TRACES)
        await self._trash.sweep()
        return photos


async def _count_photos(tx: Connection, member: int) -> int:
    row = await tx.fetch_one(
        "SELECT count(*) FROM photos WHERE contributor = :member", member=member
    )
    return 0 if row is None else int(row[0])


def _parse_json_columns(row: dict[str, Any]) -> dict[str, Any]:
    if COLUMNS[0] in row:
        row |= {name: open_found(row[name], row["digest"], name) for name in COLUMNS}
    read = {key: json.loads(row[key]) for key in JSON_COLUMNS & row.keys() if row[key] is not None}
    return row | read
