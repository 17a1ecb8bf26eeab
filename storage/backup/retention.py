"""Which snapshots to keep: the newest of each of the last days, weeks and months."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from storage.backup.manifest import Manifest
from storage.errors import UserError

KEEP = "7d,4w,6m"  #: of the nightly backups
#: what two snapshots of one day, week (ISO 8601) or month share, in UTC
PERIODS = {"d": "%Y-%m-%d", "w": "%G-%V", "m": "%Y-%m"}


def parse_keep(text: str) -> dict[str, int]:
    """Read "7d,4w,6m": seven days, four weeks, six months; raise UserError("keep_bad")."""
    keep: dict[str, int] = {}
    for part in text.replace(" ", "").split(","):
        found = re.fullmatch(r"(\d{1,4})([dwm])", part)
        if found is None or found[2] in keep:
            raise UserError("keep_bad", value=text[:100], example=KEEP)
        keep[found[2]] = int(found[1])
    return keep


def select_kept(manifests: Sequence[Manifest], keep: Mapping[str, int]) -> list[Manifest]:
    """Return which of these snapshots, oldest first, to keep; the newest is always one of them.

    A period without a snapshot does not count: after a long break the older ones remain.
    """
    newest_first = manifests[::-1]
    kept = [*newest_first[:1]]
    for unit, count in keep.items():
        firsts: dict[str, Manifest] = {}
        for manifest in newest_first:
            period = datetime.fromtimestamp(manifest.created, UTC).strftime(PERIODS[unit])
            firsts.setdefault(period, manifest)
        kept += [each for each in list(firsts.values())[:count] if each not in kept]
    return kept
