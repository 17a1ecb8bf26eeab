"""The kinds of errors Safelight raises on purpose.

    SafelightError(code, **facts)
    ├── UserError   told to the person in a sentence; never logged as a fault
    └── JobError    ends one job; told to its owner in a sentence

An error carries a *code* and the facts of its sentence, not the sentence: every sentence that a
person reads lives in `bot/wording`, under the error's code. Any other exception is a bug.
"""

from __future__ import annotations

#: What may stand in a sentence: nothing that cannot be written to an event as JSON.
Fact = str | int | float | bool | list[str]


class SafelightError(Exception):
    """Something that was foreseen, with a code to look its sentence up by."""

    def __init__(self, code: str, **facts: Fact) -> None:
        super().__init__(f"{code} {facts}" if facts else code)
        self.code = code
        self.facts = facts


class UserError(SafelightError):
    """What a person asked for cannot be done; the sentence says why and what to do."""


class JobError(SafelightError):
    """One job cannot go on; its owner is told why and what to do."""
