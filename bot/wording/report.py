"""Reports of pictures, and what moderators see of them."""

from __future__ import annotations

FORM = "Report to the moderators"
REASON_LABEL = "What is wrong with it?"
THANKS = "Thank you. The moderators of this server have been notified."
THANKS_OWNER = "Thank you, your report is saved. This server has no log channel that I can write to, so I've told its owner to look at it."
THANKS_NOT_NOTIFIED = "Thank you, your report is saved, and moderators find it with /server reports. I couldn't notify anyone, so please tell one directly."

# what moderators see

TITLE = "### Report {number}"
FACTS = "<@{reporter}> reported {url}"
REASON = "> {reason}"
OWNER = "**Made by:** <@{owner}>"
OWNER_LEFT = "Its maker has deleted their data, so I no longer have the picture or the prompt."
PROMPT = "**Prompt:** {prompt}"
STYLE = "**Style:** {name}"
STYLE_BY = "**Style:** {name} by <@{maker}>"
NO_PICTURES = "The pictures are already deleted."
OUTCOMES = {
    "keep": "Left as it is by <@{by}>.",
    "remove": "Deleted by <@{by}>.",
    "unshare": "Its style is no longer shared with this server, by <@{by}>.",
    "block": "<@{owner}> is blocked on this server, by <@{by}>. Lift it with /server unblock.",
}
OUTCOMES_LEFT = {
    "keep": "Left as it is.",
    "remove": "Deleted.",
    "unshare": "Its style is no longer shared with this server.",
    "block": "<@{owner}> is blocked on this server. Lift it with /server unblock.",
}

# what the server's owner is told directly

OWNER_NOTICE = "A picture was reported on **{server}**: {why}. See it with /server reports there; /server setup sets the log channel."

# the list

LIST_TITLE = "### Reports waiting"
LIST_NONE = "No reports are waiting."
LIST_LINE = "**{number}** <t:{when}:R> · {reason}"
LIST_PICK = "Show a report…"
BLOCKED = "**Blocked:** {members}. Lift a block with /server unblock."

# labels: a verb first, 18 characters at most

REPORT = "Report"
KEEP = "Leave it"
REMOVE = "Delete picture"
UNSHARE = "Unshare style"
BLOCK = "Block maker"
