"""Backups, on a shell and in the log."""

from __future__ import annotations

FOLDER = "folder for the backups, best on another disk"
KEEP = "remove older ones: keep those of this many last days, weeks and months (default: keep all)"
VERIFY = "take no backup; restore the newest one into a temporary folder and open it"
AT = (
    "day, time or name of a backup, such as 2026-11-30 or '2026-11-30 18:00' (default: the newest)"
)
MADE = "Backed up to {folder} in {seconds}: {photos}, {styles} and {jobs}. {copied} of {size} were new."
MISSING = "{count} of the data folder were missing already and are not in it, such as {file}."
FORGOTTEN = "Members who deleted everything were removed from {backups} made before."
DAMAGED = "Damaged, so that members who left could not be removed, and deleted: {backups}."
REMOVED = "Too old, and removed: {backups}."
VERIFIED = "The backup of {when} is good: it was restored into a temporary folder and opened, and every file has its digest ({seconds})."
RESTORED = """\
{home} is again as it was on {when}: {photos}, {styles} and {jobs}.
Jobs that were running continue from their last checkpoint once Safelight starts.
Links to files that were sent before no longer work, because the key that signs them is never backed up."""
BASES = "Backups leave out the bases. These were there; put them back into {folder}: {names}"
NIGHTLY_FAILED = "The nightly backup did not work; it is tried again in an hour."
