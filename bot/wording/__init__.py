"""Every sentence that a person reads: a module for each thing they speak about."""

from __future__ import annotations

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
from bot.wording.template import (
    escape,
    fill,
    flatten,
    format_count,
    format_duration,
    format_size,
    join_words,
    say,
)

if TYPE_CHECKING:
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
    "fill",
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


def explain(error: SafelightError) -> str:
    """Return an error's sentence for Discord."""
    return say(ERRORS.get(error.code, ERRORS["unknown"]), **{**error.facts, "code": error.code})


def explain_in_shell(error: SafelightError) -> str:
    """Return an error's sentence for a terminal."""
    facts = {k: join_words(v) if isinstance(v, list) else v for k, v in error.facts.items()}
    template = ERRORS.get(error.code, ERRORS["unknown"])
    return fill(template, **{**facts, "code": error.code}).replace("**", "")
