"""What moderators decide for their server."""

from __future__ import annotations

COMMAND = "Settings for moderators"
COMMAND_SETUP = "Who may train and sample, where, and how much"
TITLE = "### Safelight on this server"
TRAINERS = "**Who may train** (nobody picked: everybody)"
SAMPLERS = "**Who may sample** (nobody picked: everybody)"
CHANNEL = "**Training channel** (none: where the command was used)"
LOG = "**Log channel** for reports (none: reports are only kept)"
LIMITS = "**Limits per member:** {jobs} a day, {minutes} each"
NO_LIMIT = "no limit"
FORM = "Limits per member"
JOBS = "Trainings a day"
MINUTES = "Minutes a training"
ZERO = "0 means no limit"
PERMISSIONS_MISSING = (
    "⚠️ In <#{channel}> I lack: {permissions}. An admin can give them to me there."
)

# labels: a verb first, 18 characters at most

CHANGE_LIMITS = "Change limits"
PICK_ROLES = "Roles…"
PICK_CHANNEL = "Channel…"
