"""Fill in sentences, and write numbers and lists as people do.

`say` is for Discord: it escapes every text, so that a name or a caption can neither ping nor
format. Markup (`<@{owner}>`, `<t:{when}:R>`) therefore stands in the template, with a number in it.
`fill` puts facts in as they are: for terminals, labels, and facts that are sentences already.
"""

from __future__ import annotations

import re
from typing import ClassVar

from storage.errors import Fact

MARKDOWN = re.compile(r"([\\*_~|`>#\[\]()<:\-])")
MAX_JOINED = 6  #: of many words
MAX_TEXT_CHARS = 300  #: of any one foreign text on a card


class Facts(dict[str, object]):
    """The facts of a sentence; a missing one leaves a gap where a second error would do harm."""

    strict: ClassVar[bool] = False  #: raise KeyError instead; the tests switch it on

    def __missing__(self, name: str) -> str:
        if self.strict:
            raise KeyError(name)
        return "…"


def fill(template: str, /, **facts: object) -> str:
    """Fill in a template, with the facts as they are."""
    return template.format_map(Facts(facts))


def say(template: str, /, **facts: Fact) -> str:
    """Fill in a template for Discord, with every text escaped."""
    return template.format_map(Facts((name, _escape(fact)) for name, fact in facts.items()))


def _escape(fact: Fact) -> Fact:
    if isinstance(fact, list):
        return join_words([escape(str(each)) for each in fact])
    return escape(fact) if isinstance(fact, str) else fact


def escape(text: str, max_chars: int = MAX_TEXT_CHARS) -> str:
    """Make foreign text harmless: no mention, no markdown, no line breaks."""
    return MARKDOWN.sub(r"\\\1", flatten(text, max_chars)).replace("@", "@\u200b")


def flatten(text: str, max_chars: int = MAX_TEXT_CHARS) -> str:
    """Put a text on one line and cut it, for labels and alt texts."""
    line = " ".join(text.split())
    return line if len(line) <= max_chars else line[: max_chars - 1] + "…"


def join_words(words: list[str]) -> str:
    """Join words as a sentence does: a, b and c."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def join_some(words: list[str], count: int) -> str:
    """Join the first of `count` words, and say how many more there are."""
    if count <= MAX_JOINED:
        return join_words(words)
    shown = words[: MAX_JOINED - 1]
    return join_words([*shown, f"{count - len(shown)} more"])


def format_size(size: float) -> str:
    """Write a number of bytes as KB or MB."""
    if size < 1024 * 1024:
        return f"{max(1, round(size / 1024))} KB"
    return f"{size / 1024 / 1024:.1f}".removesuffix(".0") + " MB"


def format_count(count: int, one: str, many: str = "") -> str:
    """Write a count with its noun: 1 photo, 2 photos."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def format_duration(seconds: float) -> str:
    """Write a duration in its two largest units at most: 40 s, 5 min, 2 h 5 min."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
