"""What Discord's refusals mean: try again, or try another place, and why in a word.

Codes: https://discord.com/developers/docs/topics/opcodes-and-status-codes
"""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp
import discord

from storage.errors import UserError

#: why a place does not take a post, by Discord's code; a key of `bot.wording.refusals.REASONS`
REASONS = {
    10003: "gone",  # unknown channel
    10004: "gone",  # unknown server
    20028: "busy",  # the channel's write limit
    30033: "full",  # participants of a thread
    40005: "too_large",  # request
    50001: "forbidden",  # no access
    50007: "closed",  # direct messages
    50013: "forbidden",  # no permission
    50035: "rejected",  # invalid form
    50045: "too_large",  # file
    50083: "archived",
    50278: "closed",  # no server in common
    160005: "locked",
    160006: "full",  # active threads
    160007: "full",  # active threads of an announcement channel
    200000: "blocked",  # by AutoMod
    200001: "blocked",
}
#: the same by HTTP status, for every other code
REASONS_BY_STATUS = {403: "forbidden", 404: "gone", 413: "too_large"}
#: why a place may take the post later, by HTTP status; 500 and above are `unreachable`
TRANSIENT = {401: "token", 408: "unreachable", 429: "busy"}
OVERLOADED = frozenset({40333, 130000})  #: codes of Discord's own troubles
TOO_MANY_EDITS = 30046  #: code: the message is too old to be edited often
WAS_DELETED = 10008  #: code: a message with the same nonce was posted, and deleted since
#: seconds until the next try; when they are used up, the next place is tried
WAITS_SECONDS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 600, 600, 600, 600)


class MissingPlaceError(Exception):
    """A post has no such place; with a reason if somebody needs to be told."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an error of a post means."""

    reason: str
    transient: bool = False
    wait: float = 0.0  #: seconds that Discord asks for


def judge(error: Exception) -> Verdict | None:
    """Return what an error of a post means; None for a bug."""
    if isinstance(error, MissingPlaceError):
        return Verdict(error.reason)
    if isinstance(error, discord.RateLimited):
        return Verdict("busy", transient=True, wait=error.retry_after)
    if isinstance(error, discord.HTTPException):
        return judge_status(error.status, error.code)
    if isinstance(error, UserError) and error.code == "channel_kind":
        return Verdict("gone")
    if isinstance(error, aiohttp.ClientError | ConnectionError | TimeoutError):
        return Verdict("unreachable", transient=True)
    return None


def judge_status(status: int, code: int) -> Verdict:
    """Return what an answer of Discord means."""
    if code in REASONS:
        return Verdict(REASONS[code])
    if status >= 500 or code in OVERLOADED:
        return Verdict("unreachable", transient=True)
    if status in TRANSIENT:
        return Verdict(TRANSIENT[status], transient=True)
    return Verdict(REASONS_BY_STATUS.get(status, "rejected"))
