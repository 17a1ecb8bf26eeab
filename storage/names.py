"""What a dataset may be called: names become file names, words and lines on cards."""

from __future__ import annotations

import re
import unicodedata

from storage.errors import UserError

LONGEST = 64  #: characters of a name
HEAVIEST = 200  #: bytes of a name: file systems stop at 255 with the ending
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
WORD = re.compile(r"[\w-]{1,32}")


def named(text: str) -> str:
    """Return a name as it is kept, or say what is wrong with it."""
    name = unicodedata.normalize("NFC", text.strip(" "))
    if not name:
        raise UserError("name_bad", what="empty", most=LONGEST)
    if len(name) > LONGEST or len(name.encode("utf-8", "replace")) > HEAVIEST:
        raise UserError("name_bad", what="long", most=LONGEST)
    if not _signs(name):
        raise UserError("name_bad", what="signs", most=LONGEST)
    if name.startswith(".") or name.endswith(".") or RESERVED.fullmatch(name):
        raise UserError("name_bad", what="reserved", most=LONGEST)
    return name


def key(name: str) -> str:
    """Return what two names share that differ only in case or width."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def word(text: str) -> str:
    """Return a trigger word as it is kept, or say what is wrong with it."""
    trigger = unicodedata.normalize("NFC", text.strip())
    if not WORD.fullmatch(trigger):
        raise UserError("trigger_bad", most=32)
    return trigger


def made(name: str) -> str:
    """Make a name a word."""
    return "".join(sign for sign in name.casefold() if sign.isalnum())[:32] or "style"


def _signs(name: str) -> bool:
    """Whether there are only letters (with their marks), digits, spaces and `_ . -`."""
    marks = 0
    for sign in name:
        marks = marks + 1 if unicodedata.category(sign).startswith("M") else 0
        if marks > 2 or not (marks or sign in " .-_" or sign.isalnum()):
            return False
    return not unicodedata.category(name[0]).startswith("M")
