"""The workers of this bot, for its operator."""

from __future__ import annotations

COMMAND = "For whoever runs this bot"
COMMAND_NODES = "The machines that train: what they have and do; drain or remove one"
TITLE = "### Machines"
LINE = "**{place}** · {state} · {device}\n{bases} · {job}"
STATES = {
    "ready": "ready", "away": "away", "owner": "its owner is using it",
    "drain": "takes no new job", "remove": "is leaving",
}  # fmt: skip
OTHER_VERSIONS = "refused, because the versions here and there differ: {wrong}"
DEVICE_UNKNOWN = "hasn't said yet what it is"
MEMORY = "{device}, {gib} GiB"
BASES = "Bases: {names}"
NO_BASES = "No bases yet"
JOB = "{kind} {number}"
JOB_KINDS = {
    "train": "training", "caption": "captions, job", "sample": "sample", "grid": "grid",
    "grade": "report", "compare": "comparison",
}  # fmt: skip
OTHER_JOB = "job"
NO_JOB = "no job"
ALONE = "Other machines can join: `safelight node token` here, and `safelight node join` there. docs/machines.md has the steps."
NONE = "The scheduler hasn't started yet, so no machine is known."
PICK = "Drain or remove…"
ACTIONS = {
    "drain": "Take no new job: {place}",
    "": "Take jobs again: {place}",
    "remove": "Leave: {place}",
}
HINTS = {
    "drain": "It finishes its job first.",
    "": "It gets jobs like any other.",
    "remove": "Its machine leaves at once, and its job goes on elsewhere. It can join again.",
}
