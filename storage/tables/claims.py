"""Which of the waiting jobs a worker claims: what it can run, in the order of the queue."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from storage.records import Kind
from storage.tables.staying import STAYS_STILL

WARM_SECONDS = 60.0  #: by which a job may overtake another if its base is in memory already

FITTING = f"""
  jobs INDEXED BY jobs_queue WHERE status = 'queued'
    AND kind IN (SELECT value FROM json_each(:kinds))
    AND (:bases IS NULL OR base IN (SELECT value FROM json_each(:bases)))
    AND base NOT IN (SELECT value FROM json_each(:elsewhere))
    AND base || ' ' || coalesce(request ->> 'method', '')
      NOT IN (SELECT value FROM json_each(:elsewhere))
    AND NOT (:away AND {STAYS_STILL})
"""
CLAIM = """
UPDATE jobs SET status = 'running', worker = :worker, lease = :now + :lease,
  fence = fence + 1, attempts = attempts + 1, started = coalesce(started, :now)
WHERE id = ({selected} LIMIT 1) RETURNING *
"""
CLAIM_JOB = CLAIM.format(selected=f"SELECT id FROM {FITTING} ORDER BY urgency, id")
#: the same, with warm bases first; the window has the oldest job of each urgency
CLAIM_WARM_JOB = CLAIM.format(
    selected=f"""SELECT id FROM (
  SELECT id, urgency, base IN (SELECT value FROM json_each(:warm))
    AND created - min(created) OVER (PARTITION BY urgency) <= :ahead AS overtakes FROM {FITTING}
) ORDER BY urgency, overtakes DESC, id"""
)


class Preferences(NamedTuple):
    """What a worker leaves to others, and what it had better take."""

    elsewhere: Collection[str] = ()  #: bases and `name_training` that fit others only
    warm: Collection[str] = ()  #: the bases in its memory
    away: bool = False  #: on another machine, where jobs that stay home never go


NO_PREFERENCES = Preferences()


def select_jobs(
    kinds: Sequence[Kind], bases: Sequence[str] | None, preferred: Preferences
) -> dict[str, Any]:
    """Return the values by which a claim selects a job; `bases` of None are any."""
    return {
        "kinds": json.dumps(list(kinds)),
        "bases": None if bases is None else json.dumps(list(bases)),
        "elsewhere": json.dumps(list(preferred.elsewhere)),
        "warm": json.dumps(list(preferred.warm)),
        "ahead": WARM_SECONDS,
        "away": preferred.away,
    }
