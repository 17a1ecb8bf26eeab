"""Every sentence that a person reads: a module for each thing they speak about.

A template's numbers go in as they are; every string is a member's or a file's own text and is
escaped by `say`, so that it can neither ping nor format. Markup (`<@{owner}>`, `<t:{when}:R>`)
therefore stands in the template, with a number in it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.wording import (
    advice,
    consent,
    dataset,
    demo,
    doctor,
    emoji,
    errors,
    guide,
    job,
    member,
    report,
    result,
    sample,
    server,
    shell,
    style,
    training,
)
from bot.wording.consent import CONSENT
from bot.wording.errors import ERRORS
from storage.errors import Fact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from storage.errors import SafelightError

__all__ = [
    "CONSENT",
    "advice",
    "consent",
    "dataset",
    "demo",
    "doctor",
    "emoji",
    "errors",
    "escape",
    "explain",
    "explain_in_shell",
    "flatten",
    "format_count",
    "format_duration",
    "format_size",
    "guide",
    "job",
    "join_words",
    "member",
    "report",
    "result",
    "sample",
    "say",
    "server",
    "shell",
    "style",
    "training",
]

MARKDOWN = re.compile(r"([\\*_~|`>#\[\]()<:\-])")
MAX_TEXT_CHARS = 300  #: characters of any one foreign text on a card


def flatten(text: str, max_chars: int = MAX_TEXT_CHARS) -> str:
    """Return a text on one line and not too long, for labels and alt texts."""
    line = " ".join(text.split())
    return line if len(line) <= max_chars else line[: max_chars - 1] + "…"


def escape(text: str, max_chars: int = MAX_TEXT_CHARS) -> str:
    """Make foreign text harmless: no mention, no markdown, no line breaks."""
    return MARKDOWN.sub(r"\\\1", flatten(text, max_chars)).replace("@", "@\u200b")


def join_words(texts: list[str]) -> str:
    """Join texts as a sentence does."""
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} and {texts[-1]}"


def say(template: str, /, **facts: Fact) -> str:
    """Fill a template in for Discord."""
    return template.format_map(_safe(facts))


def explain(error: SafelightError) -> str:
    """Return an error's sentence for Discord."""
    return say(ERRORS.get(error.code, ERRORS["unknown"]), **{**error.facts, "code": error.code})


def explain_in_shell(error: SafelightError) -> str:
    """Return an error's sentence for a terminal."""
    facts = _Facts(
        {k: join_words(v) if isinstance(v, list) else v for k, v in error.facts.items()}
    )
    facts["code"] = error.code
    return ERRORS.get(error.code, ERRORS["unknown"]).format_map(facts).replace("**", "")


class _Facts(dict[str, Fact]):
    """The facts of a sentence; one that is missing leaves a gap, not a second error."""

    def __missing__(self, _: str) -> str:
        return "…"


def _safe(facts: Mapping[str, Fact]) -> _Facts:
    safe = _Facts()
    for key, fact in facts.items():
        if isinstance(fact, list):
            safe[key] = join_words([escape(str(one)) for one in fact])
        else:
            safe[key] = escape(fact) if isinstance(fact, str) else fact
    return safe


def format_size(size: float) -> str:
    """Write a size as people say it."""
    if size < 1024 * 1024:
        return f"{max(1, round(size / 1024))} KB"
    return f"{size / 1024 / 1024:.1f}".removesuffix(".0") + " MB"


def format_count(count: int, one: str, many: str = "") -> str:
    """Write a count with its noun."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def format_duration(seconds: float) -> str:
    """Write a time as people say it."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
