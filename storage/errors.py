"""The errors Safelight raises on purpose.

    SafelightError(code, **facts)
    ├── UserError   a person asked for something impossible; shown to them, never logged
    └── JobError    ends one job; shown to its owner

An error carries a *code* and facts. The sentence for people is the template under that code in
`bot/wording`, filled in with the facts. Any other exception is a bug.
"""

from __future__ import annotations

#: what fills in a sentence; events store facts as JSON
Fact = str | int | float | bool | list[str]


class SafelightError(Exception):
    """An expected failure: the code of its sentence, and the facts that fill it in."""

    def __init__(self, code: str, **facts: Fact) -> None:
        super().__init__(f"{code} {facts}" if facts else code)
        self.code, self.facts = code, facts


class UserError(SafelightError):
    """A person's request cannot be fulfilled; the sentence says why and what to do instead."""


class JobError(SafelightError):
    """A job cannot continue; its owner is told why and what to do."""
