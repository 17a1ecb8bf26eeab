"""Channels that refuse messages on demand: all of Discord that posts need, without simcord.

Like Discord, a channel takes a nonce once within some minutes and returns the message that has it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import discord

from bot.card import Card
from bot.settings import BotSettings
from bot.web import Web
from tests.fakes.discord import text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from storage.store import Store

GUILD, CHANNEL, THREAD, DM = 77, 88, 99, 1_000_000  #: a member's messages are DM + their id


def refusal(status: int, code: int = 0) -> discord.HTTPException:
    """Return the error that discord.py raises for an answer of Discord."""
    kind = {403: discord.Forbidden, 404: discord.NotFound}.get(status, discord.HTTPException)
    answer: Any = SimpleNamespace(status=status, reason="refused", headers={})
    return kind(answer, {"code": code, "message": "refused"})


@dataclass
class Fault:
    """An error that some requests meet."""

    error: Exception
    rooms: frozenset[int] | None = None  #: None: everywhere
    times: int | None = 1  #: None: for good
    arrives: bool = False  #: the message is there all the same; only the answer is lost


@dataclass
class Message:
    """A message that a room took."""

    id: int
    room: int
    author: Any
    card: Card
    nonce: str
    mentioned: list[int]
    content: str = ""

    @property
    def components(self) -> list[Any]:
        """The components, as a history has them."""
        return [self.card.container]

    @property
    def text(self) -> str:
        """All text of the card."""
        return text(SimpleNamespace(content="", components=self.card.payload()))


@dataclass
class Room:
    """A channel, a thread or somebody's direct messages."""

    bot: FakeBot
    id: int

    async def send(
        self,
        view: Card,
        files: list[discord.File],
        allowed_mentions: discord.AllowedMentions,
        nonce: str = "",
    ) -> Message:
        """Take a message, or refuse it."""
        for file in files:
            file.close()
        bot = self.bot
        fault = bot.meet_fault(self.id)
        if fault is not None and not fault.arrives:
            raise fault.error
        if nonce not in bot.nonces:
            users = allowed_mentions.users or []
            ids = [user.id for user in users] if isinstance(users, list) else []
            now = discord.utils.utcnow() - bot.clock_ahead
            number = discord.utils.time_snowflake(now) + next(bot.numbers)
            bot.nonces[nonce] = Message(number, self.id, bot.user, view, nonce, ids)
            bot.messages.append(bot.nonces[nonce])
        if fault is not None:
            raise fault.error
        return bot.nonces[nonce]

    async def history(self, limit: int) -> AsyncIterator[Message]:
        """Yield the newest messages."""
        found = [each for each in self.bot.messages if each.room == self.id]
        for message in reversed(found[-limit:]):
            yield message

    def get_partial_message(self, number: int) -> Edited:
        """Return a message by its id."""
        return Edited(self, number)


@dataclass
class Edited:
    """A message that is edited or deleted by its id."""

    room: Room
    id: int

    async def edit(self, view: Card, attachments: list[discord.File]) -> None:
        """Take an edit, or refuse it."""
        for file in attachments:
            file.close()
        bot = self.room.bot
        if (fault := bot.meet_fault(self.room.id)) is not None:
            raise fault.error
        found = [each for each in bot.messages if each.id == self.id]
        if not found:
            raise refusal(404, 10008)
        found[0].card = view

    async def delete(self) -> None:
        """Delete it."""
        self.room.bot.messages = [each for each in self.room.bot.messages if each.id != self.id]


@dataclass
class FakeBot:
    """What posts need of a bot."""

    store: Store
    user: Any = field(default_factory=lambda: SimpleNamespace(id=1))
    faults: list[Fault] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    nonces: dict[str, Message] = field(default_factory=dict)
    requests: int = 0
    closed: bool = False
    clock_ahead: timedelta = timedelta(0)  #: of Discord's
    numbers: Any = field(default_factory=count)

    def __post_init__(self) -> None:
        self.settings = BotSettings(_env_file=None, home=self.store.home.path, disk=0, port=0)
        self.web = Web(self.store, None)

    def meet_fault(self, room: int) -> Fault | None:
        """Return the fault that a request to a room meets, and count it."""
        self.requests += 1
        for fault in self.faults:
            if fault.rooms is None or room in fault.rooms:
                if fault.times is not None:
                    fault.times -= 1
                    if not fault.times:
                        self.faults.remove(fault)
                return fault
        return None

    def is_closed(self) -> bool:
        """Return whether the bot is ending."""
        return self.closed

    async def wait_until_ready(self) -> None:
        """Return at once."""

    def get_guild(self, _: int) -> None:
        """Know no server."""

    def get_channel(self, _: int) -> None:
        """Know no channel."""

    def get_partial_messageable(self, number: int, guild_id: int) -> Room:
        """Return a channel or thread."""
        assert guild_id == GUILD
        return Room(self, number)

    async def create_dm(self, member: discord.Object) -> Room:
        """Return a member's direct messages."""
        return Room(self, DM + member.id)

    async def fetch_channel(self, number: int) -> Room:
        """Return a channel that cannot be un-archived."""
        return Room(self, number)
