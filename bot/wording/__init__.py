"""Every sentence that a person reads: a module for each thing they speak about."""

from __future__ import annotations

import re

from bot.wording import (
    advice,
    backup,
    caption_audit,
    captions,
    comparison,
    consent,
    contribution,
    dataset,
    demo,
    doctor,
    emoji,
    encryption,
    errors,
    evaluation,
    grades,
    guide,
    job,
    member,
    operator,
    refusals,
    report,
    result,
    retention,
    sample,
    server,
    shell,
    study,
    style,
    sweep,
    training,
    upload,
    verdicts,
)
from bot.wording.consent import CONSENT
from bot.wording.errors import ERRORS, IN_SHELL
from bot.wording.template import (
    escape,
    fill,
    flatten,
    format_count,
    format_duration,
    format_size,
    join_some,
    join_words,
    say,
)
from storage.errors import SafelightError
from storage.names import find_nearest
from storage.options import aliases
from storage.requests import OLD_NAMES

MAX_CHOICES_SHOWN = 25  #: of a name that is unknown in a shell
MARKUP = re.compile(r"\*+|`|\\")  #: of Discord, in a template


def explain(error: SafelightError) -> str:
    """Return an error's sentence for Discord, also of a job that failed under version 0.1."""
    code, facts = error.code, {"code": error.code, **error.facts}
    if code.endswith("_range") and code not in ERRORS:  # each number had a code of its own
        old = code.removesuffix("_range")
        facts["name"] = (OLD_NAMES | aliases()).get(old, old).replace("_", " ").capitalize()
        code = "out_of_range"
    return say(ERRORS.get(code, ERRORS["unknown"]), **facts)


def explain_in_shell(error: SafelightError) -> str:
    """Return an error's sentence for a terminal."""
    template = IN_SHELL.get(error.code) or ERRORS.get(error.code, ERRORS["unknown"])
    facts = {k: join_words(v) if isinstance(v, list) else v for k, v in error.facts.items()}
    facts |= {"code": error.code, "suggestion": suggest(error)}
    shown = {k: hide_control_chars(v) if isinstance(v, str) else v for k, v in facts.items()}
    return fill(MARKUP.sub("", template), **shown)


def explain_on_page(error: SafelightError) -> str:
    """Return an error's sentence for a page in a browser, where nothing needs to be escaped."""
    facts = {k: join_words(v) if isinstance(v, list) else v for k, v in error.facts.items()}
    template = ERRORS.get(error.code, ERRORS["unknown"])
    return fill(MARKUP.sub("", template), **facts, code=error.code)


def to_plain(text: str) -> str:
    """Return a text of a card without Discord's markup."""
    return MARKUP.sub("", text.replace("@\u200b", "@")).removeprefix("### ")


def hide_control_chars(text: str) -> str:
    """Put question marks for what could steer a terminal, such as a file's name with escapes."""
    return "".join(each if each.isprintable() or each == "\n" else "?" for each in text)


def suggest(error: SafelightError) -> str:
    """Name the nearest of an error's choices, and all of them; "" if it has none."""
    choices = error.facts.get("choices")
    if not isinstance(choices, list) or not choices:
        return ""
    typed = str(error.facts.get(error.code.removesuffix("_unknown"), error.facts.get("value", "")))
    nearest = find_nearest(typed, choices)
    hint = fill(shell.NEAREST, nearest=nearest) if nearest else ""
    few = len(choices) <= MAX_CHOICES_SHOWN
    return hint + (fill(shell.CHOICES, choices=", ".join(choices)) if few else "")
