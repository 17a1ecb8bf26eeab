"""Datasets that several members add photos to."""

from __future__ import annotations

# commands, as Discord lists them (100 characters at most)

COMMAND_INVITE = "Invite a member to add their photos to one of your datasets"
INVITE_OPTIONS = {"name": "Which dataset (type to search)", "member": "Who may add their photos"}
COMMAND_UNINVITE = "Take a member and their photos out of one of your datasets"
UNINVITE_OPTIONS = {"name": "Which dataset (type to search)", "member": "Who is to leave it"}

# cards

INVITATION = "### <@{member}>, add your photos to {name}?\n<@{owner}> is collecting photos for a style and would like some of yours."
INVITATION_MORE = "You agree to your own terms first, only you decide about your photos, and you can take them back at any time."
TITLE = "### Your photos in {name} · {photos}"
OWNED = "It's <@{owner}>'s dataset. You only see your own photos here."
DECLINED = (
    "No photos were added. If you change your mind, press Join with photos on the invitation."
)
REMOVED = "<@{member}> can't add photos to **{name}** any more. Deleted {photos} of theirs."
ADDED = "They're in. See them, add more or take them back with /dataset show."
ADDED_BY = "From <@{member}>"
LOSS = "From <@{member}>: {photos}. Without them, {left} would be left{few}."
LOSS_FEW = ", too few to train"
LOSS_STYLES = " They can also have {styles} deleted that learned from them."
ME = "You add photos to datasets of others: {names}. See yours with /dataset show."
SHARED_CHOICE = "{name} (another member's)"
WITHHELD = "{photos} of other members are left out: they haven't agreed that you download their originals."

# labels: a verb first, 18 characters at most

JOIN = "Join with photos"
REMOVE = "Remove one of yours…"
