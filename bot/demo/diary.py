"""The transcript of a journey: what was done, what was to be seen, and whether it was right."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bot.demo.seen import quoted, words

if TYPE_CHECKING:
    import discord

TITLE = """# A journey through Safelight

Played by `safelight demo --autoplay`: the real bot, scheduler and worker, an offline Discord.
"""


class AstrayError(Exception):
    """The journey did not go as it should; the text says what was missing."""


class Diary:
    """Lines of Markdown, with the seconds since the journey began."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.lines = [TITLE]

    @property
    def seconds(self) -> float:
        """How long the journey has lasted."""
        return time.perf_counter() - self.began

    def chapter(self, title: str) -> None:
        """Begin a part."""
        self.lines.append(f"\n## {title}\n")

    def did(self, person: str, what: str) -> None:
        """Note what a person did."""
        self.lines.append(f"\n`{self.seconds:5.1f} s` **{person}**: {what}\n")

    def saw(self, message: discord.Message) -> discord.Message:
        """Note what the bot showed."""
        self.lines.append(quoted(message) + "\n")
        return message

    def found(self, right: object, what: str) -> None:
        """Note that something is as it should be, or end the journey."""
        if not right:
            self.lines.append(f"- ✗ {what}\n")
            raise AstrayError(what)
        self.lines.append(f"- ✓ {what}\n")

    def reads(self, message: discord.Message | None, *texts: str) -> discord.Message:
        """Note an answer, which has to say these things."""
        if message is None:
            raise AstrayError(f"no answer that says {texts}")
        said = words(self.saw(message))
        for text in texts:
            self.found(text in said, f"it says “{text}”")
        return message

    def text(self) -> str:
        """Return the transcript."""
        return "\n".join(self.lines)
