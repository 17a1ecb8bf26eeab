"""Withdraw a member's consent: their photos go at once, and with them what was made of them."""

from __future__ import annotations

import time
from dataclasses import dataclass

from storage.tables.database import Connection, Database
from storage.tables.erasures import add_erasure
from storage.tables.trash import ADD_TRACES, Trash

#: a member's photos; with a dataset, those in it
THEIR_PHOTOS = "contributor = :member AND (:dataset IS NULL OR dataset = :dataset)"
#: styles that were trained on them
THEIR_STYLES = """
SELECT style FROM style_contributors
WHERE member = :member AND (:dataset IS NULL OR dataset = :dataset)
"""
#: open trainings that have copies of them; one's own that wait have nothing to wait for
THEIR_JOBS = """
kind = 'train' AND status IN ('queued', 'running', 'paused')
AND (started IS NOT NULL OR owner = :member) AND EXISTS (
  SELECT 1 FROM photos AS p
  WHERE p.contributor = :member AND (:dataset IS NULL OR p.dataset = :dataset)
  AND (p.dataset = jobs.dataset OR p.dataset IN (
    SELECT json_extract(other.value, '$.dataset')
    FROM json_each(jobs.request, '$.other_datasets') AS other)))
"""
#: owners of others' datasets learn that photos are gone
TELL_OWNERS = f"""
INSERT INTO posts (kind, member, guild, event, dataset, created)
SELECT 'taken_back', owner, guild, 0, id, :now FROM datasets
WHERE owner <> :member AND id IN (SELECT dataset FROM photos WHERE {THEIR_PHOTOS})
"""
#: the copies of a running job's photos go at once, whatever its worker does
REMOVE_COPIES = f"""
INSERT OR IGNORE INTO trash SELECT 'copies', id || '-' || key FROM jobs
WHERE status = 'running' AND {THEIR_JOBS}
"""
END_JOBS = f"""
UPDATE jobs SET withdrawn = 1, requested = 'cancel',
  status = iif(status = 'running', status, 'failed'),
  error = iif(status = 'running', error, json_object('code', 'photos_withdrawn')),
  ended = iif(status = 'running', ended, :now)
WHERE {THEIR_JOBS}
"""
#: what a captioner wrote stands in its events and its folder, too, as does what a report says
REMOVE_READ = """
INSERT OR IGNORE INTO trash SELECT 'copies', id || '-' || key FROM jobs
WHERE kind IN ('caption', 'grade') AND status = 'running' AND dataset IN ({datasets})
"""
PURGE_READERS = """
UPDATE jobs SET purge = 1, requested = 'cancel'
WHERE kind IN ('caption', 'grade') AND status = 'running' AND dataset IN ({datasets})
"""
DELETE_READERS = """
DELETE FROM jobs WHERE kind IN ('caption', 'grade') AND status <> 'running' AND started IS NOT NULL
AND dataset IN ({datasets})
"""
LEAVE_DATASETS = """
UPDATE contributors SET state = 'left', at = :now
WHERE member = :member AND state = 'joined' AND (:dataset IS NULL OR dataset = :dataset)
"""
WITHDRAW_CONSENTS = """
UPDATE consents SET withdrawn = :now
WHERE member = :member AND withdrawn IS NULL AND (:dataset IS NULL OR dataset = :dataset)
"""
#: with a style go the folders of the job that made it and of those that drew with it: their
#: pictures show what it learnt
REMOVE_RUNS = """
INSERT OR IGNORE INTO trash SELECT 'run', id || '-' || key FROM jobs
WHERE style IN ({styles}) AND status IN ('done', 'failed', 'cancelled')
"""
#: a sample that is just being drawn goes once it has ended, as if its member had left
PURGE_SAMPLES = """
UPDATE jobs SET purge = 1, requested = 'cancel'
WHERE kind IN ('sample', 'grade') AND status = 'running' AND style IN ({styles})
"""


def list_reader_removals(datasets: str) -> tuple[str, ...]:
    """Return the statements that remove captions and reports made of the datasets of a query."""
    statements = (REMOVE_READ, PURGE_READERS, DELETE_READERS)
    return tuple(each.format(datasets=datasets) for each in statements)


def list_style_deletions(styles: str) -> tuple[str, ...]:
    """Return the statements that delete the styles which a query selects."""
    statements = (REMOVE_RUNS, PURGE_SAMPLES, "DELETE FROM styles WHERE id IN ({styles})")
    return tuple(each.format(styles=styles) for each in statements)


#: what is kept of a training to choose from and go on from goes, even where its style stays
REMOVE_KEPT = f"""
INSERT OR IGNORE INTO trash SELECT 'kept', id || '-' || key FROM jobs
WHERE kind = 'train' AND style IN ({THEIR_STYLES})
"""
#: a comparison goes with the photos that its pictures are compared with
DELETE_COMPARISONS = f"""
DELETE FROM comparisons WHERE dataset IN (SELECT dataset FROM photos WHERE {THEIR_PHOTOS})
OR id IN (SELECT comparison FROM jobs WHERE style IN ({THEIR_STYLES}))
"""
DELETE_PHOTOS = f"DELETE FROM photos WHERE {THEIR_PHOTOS}"
REMOVE_THEIR_READERS = list_reader_removals(f"SELECT dataset FROM photos WHERE {THEIR_PHOTOS}")
END_THEIR_JOBS = (
    TELL_OWNERS, REMOVE_COPIES, END_JOBS, REMOVE_KEPT, DELETE_COMPARISONS, *REMOVE_THEIR_READERS,
)  # fmt: skip
DELETE_THEIR_STYLES = list_style_deletions(THEIR_STYLES)
WITHDRAW_STATEMENTS = (
    *END_THEIR_JOBS,
    DELETE_PHOTOS,
    "DELETE FROM collecting WHERE owner = :member AND :dataset IS NULL",
    LEAVE_DATASETS,
    WITHDRAW_CONSENTS,
)


@dataclass(frozen=True, slots=True)
class Loss:
    """What goes with a member's photos."""

    photos: int
    left: int  #: photos of others that stay in the datasets
    styles: int  #: that were trained on them
    jobs: int  #: open ones that end


class Withdrawals:
    """Withdrawals of consent, over all tables."""

    def __init__(self, database: Database, trash: Trash) -> None:
        self._database, self._trash = database, trash

    async def preview(self, member: int, dataset: int | None = None) -> Loss:
        """Return what a withdrawal would take, of all consents or of that for one dataset."""
        return await _count(self._database, member, dataset)

    async def withdraw(
        self, member: int, dataset: int | None = None, *, delete_styles: bool
    ) -> Loss:
        """Withdraw a member's consents, or that for one dataset; return what it took.

        Photos, their previews and their copies in job folders are deleted. Trainings that use them
        end. With `delete_styles`, styles that were trained on them go as well, whoever owns them.
        The receipts stay, with the time of the withdrawal.
        """
        facts = {"member": member, "dataset": dataset, "now": time.time()}
        async with self._database.transaction() as tx:
            loss = await _count(tx, member, dataset)
            for sql in (*(DELETE_THEIR_STYLES if delete_styles else ()), *WITHDRAW_STATEMENTS):
                await tx.execute(sql, **facts)
            await add_erasure(tx, member, photos=True, dataset=dataset)
            await tx.execute(ADD_TRACES)
        await self._trash.sweep()
        return loss


async def _count(connection: Connection, member: int, dataset: int | None) -> Loss:
    others = (
        "dataset IN (SELECT dataset FROM photos WHERE contributor = :member)"
        " AND contributor <> :member AND (:dataset IS NULL OR dataset = :dataset)"
    )
    counted = {
        "photos": f"photos WHERE {THEIR_PHOTOS}",
        "left": f"photos WHERE {others}",
        "styles": f"styles WHERE id IN ({THEIR_STYLES})",
        "jobs": f"jobs WHERE {THEIR_JOBS}",
    }
    rows = {
        name: await connection.fetch_one(
            f"SELECT count(*) FROM {what}", member=member, dataset=dataset
        )
        for name, what in counted.items()
    }
    return Loss(**{name: int(row[0]) if row else 0 for name, row in rows.items()})
