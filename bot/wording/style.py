"""Styles: the list, one style's card, and sharing."""

from __future__ import annotations

# commands, as Discord lists them (100 characters at most)

COMMAND = "Your styles, and those shared here"
COMMAND_LIST = "Look at the styles you can use on this server"
COMMAND_SHARE = "Let this server's members draw with a style of yours"
COMMAND_UNSHARE = "Take a style of yours back from this server; moderators may take any"
COMMAND_DELETE = "Delete a style of yours with its file"
OPTION = "Which style; type to search"

# the list

LIST_TITLE = "### Styles you can use here"
LIST_NONE = "None yet. Train one with /train auto; others share theirs with /style share."
LIST_LINE = "{name} · {method}"
LIST_PICK = "Show a style…"
SHARED_HERE = " · shared here"
BY = " · by <@{owner}>"

# one style

TITLE = "### {name}"
FACTS = "{method} on {base} · {size} · made <t:{when}:D>\nIts word:\n{trigger}"
KEPT = "-# A whole model is large: it is kept here until <t:{until}:D>."
REMOVED = "-# Its file was removed <t:{when}:D>: whole models are kept for {days} days here. Train it again to have it back."
SHARED = "### {name} is shared\nMembers of this server can now draw with it: /sample. You are named as its maker. The photos stay yours alone, and /style unshare takes it back; moderators here can do that, too."
UNSHARED = "{name} is no longer shared with this server. Pictures already drawn stay."
DELETE_ASK = "### Delete {name}?\nThe style and its file go for good, also where it is shared. The photos stay."
DELETED = "{name} is deleted."

# labels: a verb first, 18 characters at most

TRY = "Try it"
SHARE = "Share"
UNSHARE = "Take back"
GET_LINK = "Get link again"
DELETE = "Delete"
ERASE = "Delete for good"
