"""Why a post is not where it was expected."""

from __future__ import annotations

MOVED = "-# {why}, so I posted here."
MOVED_TO_MEMBER = "-# {why}, so I'm sending this to you directly."
KEPT = "-# I couldn't post this before: {why}."
CARD_LOST = (
    "I can't show **{name}** in <#{channel}>: {why}. The job itself continues; see it with /jobs."
)
DONE = "**{name}** is ready. Its owner finds it with /style list."
NO_PICTURES = "Discord doesn't accept the pictures of **{name}**."

PLACES = {
    "thread": "the thread",
    "channel": "the channel",
    "card": "the channel",
    "member": "your direct messages",
    "log": "the log channel",
    "study": "the channel",
    "comparison": "the channel",
}
REASONS = {
    "archived": "{place} is archived and I can't reopen it",
    "blocked": "AutoMod doesn't allow the message in {place}",
    "busy": "Discord limits how much I can post in {place} at the moment",
    "closed": "I can't write to you directly",
    "forbidden": "I'm missing a permission in {place} (View Channel, Send Messages, Attach Files)",
    "full": "this server has as many active threads as Discord allows",
    "gone": "{place} is gone",
    "locked": "{place} is locked",
    "no_log": "no log channel is set",
    "no_threads": "I can't create threads here (an admin can give me *Create Public Threads*)",
    "rejected": "Discord didn't accept the message in {place}",
    "token": "Discord didn't accept my login",
    "too_large": "the files are too large for {place}",
    "unreachable": "Discord didn't answer for {place}",
}
