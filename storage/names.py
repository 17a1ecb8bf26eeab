"""What a dataset may be called: names become file names, words and lines on cards."""

from __future__ import annotations

import re
import unicodedata

from storage.errors import UserError

MAX_NAME_CHARS = 64  #: characters of a name
MAX_NAME_BYTES = 200  #: bytes of a name: file systems stop at 255 with the ending
RESERVED_NAMES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
TRIGGER = re.compile(r"[\w-]{1,32}")


def clean_name(text: str) -> str:
    """Return a name as it is kept, or say what is wrong with it."""
    name = unicodedata.normalize("NFC", text.strip(" "))
    if not name:
        raise UserError("name_bad", what="empty", most=MAX_NAME_CHARS)
    if len(name) > MAX_NAME_CHARS or len(name.encode("utf-8", "replace")) > MAX_NAME_BYTES:
        raise UserError("name_bad", what="long", most=MAX_NAME_CHARS)
    if not _has_only_allowed_characters(name):
        raise UserError("name_bad", what="signs", most=MAX_NAME_CHARS)
    if name.startswith(".") or name.endswith(".") or RESERVED_NAMES.fullmatch(name):
        raise UserError("name_bad", what="reserved", most=MAX_NAME_CHARS)
    return name


def name_key(name: str) -> str:
    """Return what two names share that differ only in case or width."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def clean_trigger(text: str) -> str:
    """Return a trigger word as it is kept, or say what is wrong with it."""
    trigger = unicodedata.normalize("NFC", text.strip())
    if not TRIGGER.fullmatch(trigger):
        raise UserError("trigger_bad", most=32)
    return trigger


def trigger_from_name(name: str) -> str:
    """Make a name a word."""
    return "".join(sign for sign in name.casefold() if sign.isalnum())[:32] or "style"


def _has_only_allowed_characters(name: str) -> bool:
    """Whether there are only letters (with their marks), digits, spaces and `_ . -`."""
    marks = 0
    for sign in name:
        marks = marks + 1 if unicodedata.category(sign).startswith("M") else 0
        if marks > 2 or not (marks or sign in " .-_" or sign.isalnum()):
            return False
    return not unicodedata.category(name[0]).startswith("M")
