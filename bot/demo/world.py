"""An offline Discord by simcord, with one server, one channel and two people."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import discord
import simcord
from discord.ext import commands

from bot.demo.gaps import filling_gaps
from bot.demo.mascot import face

#: Where simcord looks for avatars; a picture given for such an address is shown.
AVATAR_URL = "https://cdn.simcord.invalid"
MAX_COMMAND_SECONDS = 60.0  #: for the bot to answer one command
CLOSE_SECONDS = 0.1  #: until the pipes of a child are closed for which simcord does not wait
OWNER, FRIEND = "you", "robin"


@dataclass(frozen=True, slots=True)
class Answer:
    """How the bot answered one action of a person."""

    result: simcord.InteractionResult
    ack: float  #: seconds until the bot acknowledged it

    @property
    def form(self) -> dict[str, Any] | None:
        """The form that was opened, if any."""
        return self.result.modal

    @property
    def message(self) -> discord.Message | None:
        """The message of the answer, if any."""
        answers = [*self.result.followups, self.result.response]
        return next((one.message for one in answers if one is not None), None)


class World:
    """A server with its channel and people; its clock moves only with `advance_clock`."""

    def __init__(self, env: simcord.Env) -> None:
        self.env = env
        self.turn = asyncio.Lock()  #: simcord does one thing at a time
        owner = env.create_user(OWNER, avatar="small")
        self.server = env.create_guild("The darkroom", owner=owner)
        self.channel = self.server.create_text_channel("darkroom")
        friend = env.create_user(FRIEND, global_name="Robin", avatar="hat")
        self.people = {
            OWNER: self.server.add_member(owner),
            FRIEND: self.server.add_member(friend),
        }
        self._then = time.perf_counter()
        self._heard = 0

    async def _timed(self, doing: Awaitable[simcord.InteractionResult]) -> Answer:
        """Await one action in its turn, and measure when the bot acknowledged it."""
        async with self.turn:
            log, asked = self.env.http_requests, time.perf_counter()
            known, heard = len(log), 0.0
            task = asyncio.ensure_future(doing)
            while not task.done() and not heard:
                await asyncio.wait({task}, timeout=0.002)
                if any(one.path.endswith("/callback") for one in log[known:]):
                    heard = time.perf_counter() - asked
            return Answer(await task, heard or time.perf_counter() - asked)

    async def post(
        self, person: str, text: str = "", files: Sequence[tuple[str, bytes]] = ()
    ) -> discord.Message:
        """Post a message with files."""
        async with self.turn:
            return await self.people[person].send(self.channel, text, attachments=files)

    async def slash(self, person: str, command: str, **options: object) -> Answer:
        """Run a command."""
        return await self._timed(self.people[person].slash(self.channel, command, **options))

    async def press(self, person: str, message: discord.Message, label: str) -> Answer:
        """Press a button."""
        return await self._timed(self.people[person].click(message, label=label))

    async def select(self, person: str, message: discord.Message, value: str) -> Answer:
        """Select something in a message's select, the only one of its custom ids."""
        return await self._timed(self.people[person].select(message, [value]))

    async def fill(self, person: str, answer: Answer, **values: object) -> Answer:
        """Fill in the form that an answer opened."""
        return await self._timed(self.people[person].submit_modal(answer.result, values))

    async def autocomplete(self, person: str, command: str, option: str, text: str) -> list[str]:
        """Type into an option of a command and return the values that are offered."""
        async with self.turn:
            found = await self.people[person].autocomplete(self.channel, command, option, text)
        return [choice["value"] for choice in found]

    def messages_for(self, person: str) -> list[discord.Message]:
        """Return the channel's messages as this person sees them, oldest first."""
        return self.channel.history(viewer=self.people[person])

    async def advance_clock(self) -> None:
        """Advance the clock by the real time that has passed."""
        async with self.turn:
            now = time.perf_counter()
            passed, self._then = now - self._then, now
            await self.env.advance_time(passed)

    async def wait_until(self, ready: Callable[[], bool], seconds: float) -> bool:
        """Advance the clock until a condition holds; return False if it took too long."""
        end = time.perf_counter() + seconds
        while not ready():
            if time.perf_counter() > end:
                return False
            await asyncio.sleep(0.25)
            await self.advance_clock()
        return True

    def has_changed(self) -> bool:
        """Return whether the bot has called Discord since the last call of this."""
        heard, self._heard = self._heard, len(self.env.http_requests)
        return heard != self._heard

    @property
    def faults(self) -> list[BaseException]:
        """What the bot raised."""
        return self.env.errors

    @asynccontextmanager
    async def page(self) -> AsyncIterator[Screen]:
        """Show the channel in a browser."""
        faces = {}
        shown: list[Any] = [self.env.backend.bot_user, *(p.user for p in self.people.values())]
        for who in shown:
            name = f"{who.avatar}.png"
            faces[f"{AVATAR_URL}/avatars/{who.id}/{name}"] = (name, face(who.avatar))
        preview = self.env.preview(
            self.channel, viewers=list(self.people.values()), layout="channel", assets=faces
        )
        async with preview:
            yield Screen(self, preview)
        await asyncio.sleep(CLOSE_SECONDS)


class Screen:
    """simcord's page of the channel."""

    def __init__(self, world: World, preview: simcord.Preview) -> None:
        self.world, self.preview, self.turn = world, preview, world.turn
        self.origin, _, self.key = preview.url.partition("/#")

    async def post(self, viewer: str, files: Sequence[tuple[str, bytes]]) -> None:
        """Post files as the person with this user id, and redraw the pages."""
        known = {str(member.id): name for name, member in self.world.people.items()}
        await self.world.post(known[viewer], files=files)
        await self.refresh()

    async def refresh(self) -> None:
        """Redraw every open page."""
        async with self.turn:
            await self.preview.refresh()


@asynccontextmanager
async def run_world(bot: commands.Bot) -> AsyncIterator[World]:
    """Bring a bot online in a world whose clock shows today."""
    running = simcord.run(bot, check_errors=False, settle_timeout=MAX_COMMAND_SECONDS)
    running._env.backend.clock._epoch = datetime.now(UTC)  # noqa: SLF001 (it is New Year 2026)
    with filling_gaps():
        async with running as env:
            env.backend.bot_user.name = "Safelight"
            env.backend.bot_user.avatar = "winking"
            world = World(env)
            bot.owner_id = world.people[OWNER].id
            yield world
