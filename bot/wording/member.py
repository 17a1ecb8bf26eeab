"""What is kept of a member, the copy they can have, and the end of all of it."""

from __future__ import annotations

COMMAND = "What is kept of you: look, export, delete"
TITLE = "### Your things"
COUNTS = "{datasets} · {photos} · {styles}"
TODAY = "Trainings asked for in the last day: {used} of {limit}"
TODAY_FREE = "Trainings asked for in the last day: {used}"
CONSENT = "Agreed to version {version} of the terms <t:{when}:D>"
NO_CONSENT = "You have not agreed to the terms yet, so I keep no photos of yours."
EXPORTED = "Here is all I keep of yours: a list of everything, and your photos."
EXPORTED_PART = "Part {part} of {parts}"
ERASE_ASK = "### Delete everything?\n{photos}, your datasets, captions, jobs and consents go for good; running trainings stop. Messages already posted in channels are Discord's: delete those there."
ERASE_SHARED = "{styles} of yours are shared with servers. Remove them too, or leave them there without your name?"
ERASED = "### All gone\n{photos} and everything about you are deleted."

# labels: a verb first, 18 characters at most

EXPORT = "Export"
ERASE = "Delete everything"
ERASE_REMOVE = "Delete all"
ERASE_LEAVE = "Leave them"
