"""Names of datasets and trigger words: they become file names, prompts and lines on cards."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher

from storage.errors import UserError

MAX_NAME_CHARS = 64
MAX_NAME_BYTES = 200  #: in UTF-8; file systems allow 255 with the ending
RESERVED_NAMES = re.compile(r"(con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³])(\..*)?", re.IGNORECASE)
#: letters and marks that nobody sees: fillers, the joiner of marks, variation selectors
INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
MAX_TRIGGER_CHARS = 32
TRIGGER = re.compile(rf"[\w-]{{1,{MAX_TRIGGER_CHARS}}}")
MIN_LIKENESS = 0.6  #: of a suggestion, from 0 to 1; the cutoff of `difflib.get_close_matches`


def clean_name(text: str) -> str:
    """Return a dataset name as it is stored; raise UserError("name_bad") if not allowed."""
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
    """Return the form in which names are compared: without case and width (STRASSE = straße)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def clean_trigger(text: str) -> str:
    """Return a trigger word as it is stored; raise UserError("trigger_bad") if not allowed."""
    trigger = unicodedata.normalize("NFC", text.strip())
    if not TRIGGER.fullmatch(trigger) or INVISIBLE.search(trigger):
        raise UserError("trigger_bad", most=MAX_TRIGGER_CHARS)
    return trigger


def contains_trigger(text: str, trigger: str) -> bool:
    """Return whether a text has the trigger in it as a word, in any case."""
    return re.search(rf"(?i)(?<!\w){re.escape(trigger)}(?!\w)", text) is not None


def trigger_from_name(name: str) -> str:
    """Return a trigger word for a dataset with this name: its letters and digits."""
    return (
        "".join(sign for sign in INVISIBLE.sub("", name.casefold()) if sign.isalnum())[
            :MAX_TRIGGER_CHARS
        ]
        or "style"
    )


def _has_only_allowed_characters(name: str) -> bool:
    """Return whether a name has only letters, digits, spaces and `_ . -`.

    A letter may have two combining marks, as in Hindi and Thai; more would hide the lines above.
    """
    if INVISIBLE.search(name):
        return False
    marks = 0
    for sign in name:
        marks = marks + 1 if unicodedata.category(sign).startswith("M") else 0
        if marks > 2 or not (marks or sign in " .-_" or sign.isalnum()):
            return False
    return not unicodedata.category(name[0]).startswith("M")


def find_nearest(typed: str, names: Iterable[str]) -> str:
    """Return the name that is most like a mistyped one; "" if none is.

    Of equals, one with the same letters in another order comes first: sd51 is sd15, not sd21.
    """

    def likeness(name: str) -> tuple[float, bool]:
        return SequenceMatcher(None, typed, name).ratio(), sorted(typed) == sorted(name)

    nearest = max(names, key=likeness, default="")
    return nearest if likeness(nearest)[0] >= MIN_LIKENESS else ""
