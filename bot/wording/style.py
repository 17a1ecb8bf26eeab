"""Styles: the list, one style's card, and sharing."""

from __future__ import annotations

# commands, as Discord lists them (100 characters at most)

COMMAND = "Your styles, and those shared here"
COMMAND_LIST = "See the styles you can use on this server"
COMMAND_SHARE = "Let this server's members draw with one of your styles"
COMMAND_UNSHARE = "Stop sharing a style with this server (moderators: anybody's)"
COMMAND_DELETE = "Delete one of your styles and its file"
OPTION = "Which style (type to search)"

# the list

LIST_TITLE = "### Styles you can use here"
LIST_NONE = "None yet. Train one with /train auto; others can share theirs with /style share."
LIST_LINE = "{name} · {method}"
LIST_PICK = "Show a style…"
SHARED_HERE = " · shared here"
BY = " · by <@{owner}>"

# one style

TITLE = "### {name}"
FACTS = "{method} on {base} · {size} · made <t:{when}:D>\nTrigger word:\n{trigger}"
LIKES = "{liked} of {rated} rated samples liked"
MODEL_KEPT_UNTIL = "-# Whole models are large, so this one is kept here until <t:{until}:D>."
MODEL_REMOVED = "-# Its file was removed <t:{when}:D>: whole models are kept here for {days} days. Train it again to get it back."
SHARED = "### {name} is shared\nMembers of this server can now draw with it: /sample. You are named as its maker, and your photos stay private. /style unshare takes it back; moderators here can do that too."
UNSHARED = "{name} is no longer shared with this server. Pictures already drawn stay."
SHOWN = "A style by <@{owner}> that everybody here may draw with.\n-# {method} on {base}\nPress a prompt to draw it, or try your own:"
SHOWN_ALT = "What it draws"
DELETE_ASK = "### Delete {name}?\nThis permanently deletes the style and its file, also where it is shared. Your photos stay."
DELETED = "Deleted {name}."

# labels: a verb first, 18 characters at most

TRY = "Try it"
SHARE = "Share"
SHOW = "Show it here"
UNSHARE = "Stop sharing"
GET_LINK = "Get link again"
DELETE = "Delete"
ERASE = "Delete for good"
