"""Who plays the journey: types commands, presses buttons and waits for what comes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import discord

from bot import wording
from bot.bot import Bot
from bot.demo.messages import enabled_labels
from bot.demo.transcript import JourneyError, Transcript
from bot.demo.world import OWNER, Answer, World
from storage.records import Dial

JOB_SECONDS = 600.0  #: for a job to end


class Player:
    """Does what people do, and writes it into the transcript."""

    def __init__(self, bot: Bot, world: World, out: Path, dial: Dial) -> None:
        self.bot, self.world, self.out, self.dial = bot, world, out, dial
        self.transcript = Transcript()
        self.slowest = 0.0
        self.jobs: list[dict[str, Any]] = []

    def note_ack(self, answer: Answer) -> Answer:
        """Keep the slowest acknowledgement."""
        self.slowest = max(self.slowest, answer.ack)
        return answer

    async def slash(self, person: str, command: str, **options: object) -> Answer:
        """Type a command."""
        given = "".join(f" {name}:{value}" for name, value in options.items())
        self.transcript.add_action(person, f"`/{command}{given}`")
        return self.note_ack(await self.world.slash(person, command, **options))

    async def press(self, person: str, message: discord.Message, label: str) -> Answer:
        """Press a button."""
        self.transcript.add_action(person, f"presses `[{label}]`")
        return self.note_ack(await self.world.press(person, message, label))

    async def wait_for_message(
        self, known: set[int], fits: Callable[[discord.Message], bool], seconds: float
    ) -> discord.Message:
        """Wait for a message that was not there before."""
        found: list[discord.Message] = []

        def look() -> bool:
            new = [m for m in self.world.messages_for(OWNER) if m.id not in known and fits(m)]
            found[:] = new
            return bool(new)

        if not await self.world.wait_until(look, seconds):
            raise JourneyError(f"nothing came within {seconds:.0f} seconds")
        return found[-1]

    def message_ids(self) -> set[int]:
        """Return the ids of the messages that are there."""
        return {message.id for message in self.world.messages_for(OWNER)}

    async def wait_for_label(self, known: set[int], label: str) -> discord.Message:
        """Wait for a new message with a button, and add it to the transcript."""
        found = await self.wait_for_message(
            known, lambda message: label in enabled_labels(message), JOB_SECONDS
        )
        return self.transcript.add_message(found)

    async def wait_for_pictures(self, answer: Answer, name: str) -> discord.Message:
        """Wait until the four pictures of an answer are drawn, and save them."""
        waiting = answer.message
        self.transcript.check(waiting, "a card waits for the pictures")
        before = self.message_ids() - {getattr(waiting, "id", 0)}
        message = await self.wait_for_label(before, wording.sample.AGAIN)
        self.transcript.check(len(message.attachments) == 4, "four pictures are on it")
        for number, file in enumerate(message.attachments):
            save(self.out / "samples" / f"{name}-{number}.png", await file.read())
        return message


def save(path: Path, content: bytes) -> None:
    """Write a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
