"""Reports of pictures, and what moderators see of them."""

from __future__ import annotations

FORM = "Report to the moderators"
REASON_LABEL = "What is wrong with it?"
THANKS = "Thank you. The moderators of this server have been notified."
THANKS_NOT_NOTIFIED = "Thank you, your report is saved. No moderator could be notified here, so please tell one directly."
TITLE = "### Report {number}"
FACTS = "<@{reporter}> reported {url}"
REASON = "> {reason}"
OWNER = "It was made by <@{owner}>."
PICTURE_DELETED = "Deleted by <@{by}>."
PICTURE_LEFT = "Left as it is by <@{by}>."

# labels: a verb first, 18 characters at most

REPORT = "Report"
TAKE_DOWN = "Delete picture"
LEAVE_IT = "Leave it"
