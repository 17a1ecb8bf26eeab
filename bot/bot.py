"""The bot: its connection to Discord, and what commands and cards find on it.

Nothing here knows a command, a card or the job feed. `bot/__main__.py` opens them.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Protocol, TypeAlias

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.card import Card
from bot.errors import answer_error, custom_id_of
from bot.settings import BotSettings
from bot.web import Web
from storage.errors import UserError
from storage.photos.sandbox import Darkroom
from storage.store import Store
from storage.tables.posts import NewPost, Post

MAX_RATE_LIMIT_SECONDS = 30.0  #: seconds that one request waits; longer ones are tried anew
MAX_READS = 4  #: files held in memory at once


class JobFeed(Protocol):
    """Keeps the cards of jobs up to date."""

    lock: asyncio.Lock  #: hold it while a job gets its card, or the feed would post a second one

    async def show(self, number: int) -> None:
        """Post or update a job's card now."""

    async def make_card(self, number: int) -> Card:
        """Return a new card of a job as it is now."""

    async def show_result(self, interaction: Interaction, number: int) -> None:
        """Replace the card of a training's result by one of how the style is now."""

    def expect(self, number: int, card: Card) -> None:
        """Keep the card that was just posted for a job up to date."""

    def forget(self, number: int) -> None:
        """Leave a job's card alone from now on."""

    async def post(self, new: NewPost) -> Post:
        """Store a post, try once to send it, and return how far it came."""

    async def show_kept(self, interaction: Interaction) -> None:
        """Show a member the posts that no place took, after the answer to their command."""


def make_intents(*, collect: bool) -> discord.Intents:
    """Return the intents; only collecting photos from messages needs a privileged one."""
    return discord.Intents(guilds=True, guild_messages=collect, message_content=collect)


class CommandTree(app_commands.CommandTree["Bot"]):
    """The slash commands, with the one error handler."""

    async def on_error(
        self, interaction: Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        """Answer an error of any command."""
        await answer_error(interaction, error)


class Bot(commands.Bot):
    """Safelight on Discord."""

    store: Store
    darkroom: Darkroom
    web: Web
    jobs: JobFeed

    def __init__(self, settings: BotSettings, open_features: OpenFeatures) -> None:
        super().__init__(
            commands.when_mentioned,
            help_command=None,
            tree_cls=CommandTree,
            intents=make_intents(collect=settings.collect_messages),
            allowed_mentions=discord.AllowedMentions.none(),
            max_ratelimit_timeout=MAX_RATE_LIMIT_SECONDS,
        )
        self.settings = settings
        self.running_commands: set[tuple[object, ...]] = set()  #: see `refusing_duplicates`
        self.reads = asyncio.Semaphore(MAX_READS)
        self.process_id = secrets.token_hex(4)  #: part of every form's id: forms die with us
        #: attachments whose owners have yet to agree, by member and dataset
        self.awaiting_consent: dict[tuple[int, int], list[discord.Attachment]] = {}
        self.controls: list[type[ui.DynamicItem[Any]]] = []
        self._open_features = open_features
        self._opened = AsyncExitStack()

    async def setup_hook(self) -> None:
        """Open the features and tell Discord the commands; on an error, close what was opened."""
        async with AsyncExitStack() as opened:
            await self._open_features(self, opened)
            await self.tree.sync()
            self._opened = opened.pop_all()

    def add_controls(self, *controls: type[ui.DynamicItem[Any]]) -> None:
        """Let these buttons and selects work on any message, also on one from before a restart."""
        self.controls += controls
        self.add_dynamic_items(*controls)

    async def on_interaction(self, interaction: Interaction, /) -> None:
        """Answer buttons of an older version, and forms from before a restart."""
        name = custom_id_of(interaction)
        if interaction.type is discord.InteractionType.modal_submit:
            ours = name.startswith(f"form:{self.process_id}:")
        elif interaction.type is discord.InteractionType.component:
            ours = any(c.__discord_ui_compiled_template__.fullmatch(name) for c in self.controls)
        else:
            return
        if not ours:
            await answer_error(interaction, UserError("card_old"))

    async def on_app_command_completion(
        self, interaction: Interaction, _: app_commands.Command[Any, ..., Any] | object, /
    ) -> None:
        """Show the member what could not be posted, after the answer to any command."""
        await self.jobs.show_kept(interaction)

    async def on_message(self, message: discord.Message, /) -> None:
        """Leave messages alone: there are no prefix commands."""

    async def close(self) -> None:
        """Leave Discord and close the features."""
        await super().close()
        await self.close_features()

    async def close_features(self) -> None:
        """Close what `setup_hook` opened, the last first; a second time does nothing."""
        await self._opened.aclose()


#: What a command, button or form is called with.
Interaction: TypeAlias = discord.Interaction[Bot]
#: Opens everything the bot works with, and leaves on the stack how to close it.
OpenFeatures: TypeAlias = Callable[[Bot, AsyncExitStack], Awaitable[None]]
