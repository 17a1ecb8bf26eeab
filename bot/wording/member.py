"""A member's data: view, export and delete it."""

from __future__ import annotations

COMMAND = "Your data: view, export or delete it"
TITLE = "### Your data"
COUNTS = "{datasets} · {photos} · {styles}"
TRAININGS_TODAY = "Trainings started in the last 24 hours: {used} of {limit}"
TRAININGS_TODAY_UNLIMITED = "Trainings started in the last 24 hours: {used}"
CONSENT = "You agreed to the terms (version {version}) on <t:{when}:D>{withdrawn}"
CONSENT_SHARED = "You agreed to add photos to another member's dataset (number {number}) on <t:{when}:D>{withdrawn}"
CONSENT_WITHDRAWN = ", and took it back on <t:{when}:D>"
STAYS = "Your photos stay on this bot's main machine. Jobs with them may wait longer."
MAY_LEAVE = "Jobs with your photos may run on any machine of this bot. Other machines than the main one delete them when the job ends."
NO_CONSENT = "You haven't agreed to the terms yet, so I store none of your photos."
EXPORTED = "Here's everything I store about you: a list, and your photos."
EXPORTED_PART = "Part {part} of {parts}"
ERASE_ASK = "### Delete everything?\nThis permanently deletes {photos} and your datasets, captions, jobs and consents, and stops running trainings. If there are backups, the next one removes you from them. Messages already posted in channels belong to Discord; delete those there."
ERASE_SHARED = "You have shared {styles} with servers. Delete those too, or leave them there without your name?"
ERASED_STYLES_LEFT = "### All gone\nDeleted {photos} and everything else about you. If there are backups, the next one forgets you, too. What you shared stays on those servers without your name."
ERASED = "### All gone\nDeleted {photos} and everything else about you. If there are backups, the next one forgets you, too."

# labels: a verb first, 18 characters at most

EXPORT = "Export"
STAY_LABELS = {True: "Keep them here", False: "Use any machine"}
ERASE = "Delete everything"
ERASE_REMOVE = "Delete everything, styles too"
ERASE_LEAVE = "Delete everything, leave shared styles"
