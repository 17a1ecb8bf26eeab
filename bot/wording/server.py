"""The settings of a server."""

from __future__ import annotations

COMMAND = "Settings for moderators"
COMMAND_SETUP = "Who can train and sample, where, and how much"
COMMAND_REPORTS = "What members have reported, and whom you have blocked"
COMMAND_UNBLOCK = "Let a blocked member train, sample and share again"
UNBLOCK_OPTIONS = {"member": "Whom to unblock"}
UNBLOCKED = "<@{member}> can train, sample and share here again."
NOT_BLOCKED = "<@{member}> isn't blocked here."
TITLE = "### Safelight on this server"
TRAINERS = "**Who can train** (leave empty for everyone)"
SAMPLERS = "**Who can sample** (leave empty for everyone)"
CHANNEL = "**Training channel** (not set: where the command is used)"
LOG = "**Log channel** for reports (not set: only the server's owner is told; /server reports lists them)"
STAYS = "**Photos stay** on the bot's main machine. Jobs from this server may wait longer."
MAY_LEAVE = "**Jobs from this server** may run on any machine of this bot, with their photos. Other machines than the main one delete them when the job ends."
LIMITS = "**Limits per member:** {jobs} per day, {minutes} each"
NO_LIMIT = "no limit"
FORM = "Limits per member"
JOBS = "Trainings per day"
MINUTES = "Minutes per training"
ZERO = "0 means no limit"
PERMISSIONS_MISSING = (
    "⚠️ In <#{channel}> I'm missing: {permissions}. An admin can give them to me there."
)

# labels: a verb first, 18 characters at most

STAY_LABELS = {True: "Keep photos here", False: "Use any machine"}
CHANGE_LIMITS = "Change limits"
PICK_ROLES = "Roles…"
PICK_CHANNEL = "Channel…"
