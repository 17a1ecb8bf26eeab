"""The transcript of a journey: what was done, what was shown, and whether it was right."""

from __future__ import annotations

import time

import discord

from bot.demo.messages import message_text, quote

TITLE = """# A journey through Safelight

Played by `safelight demo --autoplay`: the real bot, scheduler and worker, an offline Discord.
"""


class JourneyError(Exception):
    """The journey went wrong; the text says what was missing."""


class Transcript:
    """Lines of Markdown, timed from the beginning of the journey."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.lines = [TITLE]

    @property
    def seconds(self) -> float:
        """How long the journey has lasted."""
        return time.perf_counter() - self.began

    def begin_chapter(self, title: str) -> None:
        """Begin a chapter."""
        self.lines.append(f"\n## {title}\n")

    def add_action(self, person: str, what: str) -> None:
        """Add what a person did."""
        self.lines.append(f"\n`{self.seconds:5.1f} s` **{person}**: {what}\n")

    def add_message(self, message: discord.Message) -> discord.Message:
        """Add what the bot showed, and return it."""
        self.lines.append(quote(message) + "\n")
        return message

    def check(self, right: object, what: str) -> None:
        """Add that something is right; raise JourneyError if it is not."""
        if not right:
            self.lines.append(f"- ✗ {what}\n")
            raise JourneyError(what)
        self.lines.append(f"- ✓ {what}\n")

    def check_message(self, message: discord.Message | None, *texts: str) -> discord.Message:
        """Add an answer and return it; raise JourneyError unless it says these texts."""
        if message is None:
            raise JourneyError(f"no answer that says {texts}")
        said = message_text(self.add_message(message))
        for text in texts:
            self.check(text in said, f"it says “{text}”")
        return message

    def to_markdown(self) -> str:
        """Return the transcript as Markdown."""
        return "\n".join(self.lines)
